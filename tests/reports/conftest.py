"""A small corpus with everything that a report can show, from a seeded generator."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpora.store.snapshot import Snapshot
from corpora.store.store import Store
from folate.core.config import AudienceSegment, Brand, Config, Source
from folate.core.post import Post
from folate.core.weeks import Week
from reports.sections.topic_search import settings_digest, window_counts

WEEK = Week.parse("2026-W10")
ZONE = "Asia/Shanghai"
BRANDS = (
    Brand(id="heye", names=("禾叶", "Heye"), own=True),
    Brand(id="kangben", names=("康本", "Kangben")),
    Brand(id="luva", names=("Luva",)),
)
SOURCES = (
    Source(name="mombaby", spider="forum", start=("http://localhost/",)),
    Source(name="weiba", spider="weibo", start=("http://localhost/",), kind="microblog"),
    Source(name="shop", spider="reviews", start=("http://localhost/",), kind="review", weight=0.5),
)
PREGNANT = AudienceSegment(
    id="pregnant", names=("孕妇", "pregnant women"), terms=("怀孕", "pregnant")
)
CONFIG = Config(
    name="禾叶 watch", timezone=ZONE, brands=BRANDS, segments=(PREGNANT,), sources=SOURCES
)
LABELS = ("negative", "neutral", "positive")
PHRASES = {
    "negative": (
        "{b} 这次包装漏了，客服一直没有回复",
        "{b} tasted stale, I am not buying it again",
        "{b} 涨价太多，不值这个钱",
    ),
    "neutral": (
        "有人用过 {b} 吗？和别家比怎么样",
        "{b} is back in the corner shop, two sizes",
        "今天看到 {b} 换了新包装",
    ),
    "positive": (
        "{b} 的麦片真的好吃，回购三次了",
        "my kids finish {b} before I can, lovely oats",
        "{b} 送货快，日期新鲜，推荐",
    ),
}
TAILS = (
    "",
    "，周末再说",
    " today",
    "，家里人也这么讲",
    " honestly",
    "，图在评论里",
    " for what it is worth",
    "，仅代表个人",
)
FOLIC = (
    "怀孕七周，医生让补叶酸，禾叶麦片里有叶酸吗？",
    "is there folic acid in Heye oats? my midwife asked",
    "禾叶配料表看不到叶酸含量，备孕的姐妹有知道的吗",
    "Heye 和叶酸片可以一起吃吗，孕早期",
)


@dataclass
class Corpus:
    """Rows of a store, which tests change before they are written."""

    posts: list[Post] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: {
            "mentions": [],
            "sentiments": [],
            "aspects": [],
            "comparisons": [],
            "duplicates": [],
            "topics": [],
            "searches": [],
            "crawls": [],
            "texts": [],
        }
    )

    def add(
        self,
        text: str,
        published_at: datetime,
        brand: str | None = "heye",
        source: str = "weiba",
        shares: tuple[float, ...] | None = None,
        **fields: Any,
    ) -> Post:
        """Add a post, its mention of `brand`, and its sentiment probabilities if given."""
        kind = next((s.kind for s in SOURCES if s.name == source), "forum")
        post = Post(
            id=f"{source}:{len(self.posts)}",
            source=source,
            kind=kind,
            text=text,
            published_at=published_at,
            **fields,
        )  # type: ignore[arg-type]
        self.posts.append(post)
        key = {"id": post.id, "text_hash": post.text_hash, "annotator": "test", "version": "1"}
        self.tables["texts"].append(
            key | {"language": "zh", "words": [], "hashtags": [], "exact": post.id}
        )
        if brand is not None:
            self.tables["mentions"].append(
                {**key, "brand": brand, "start": 0, "end": 2, "via": "text"}
            )
            if shares is not None:
                probabilities = dict(zip(LABELS, shares, strict=True))
                label = max(LABELS, key=lambda name: probabilities[name])
                self.tables["sentiments"].append(
                    {**key, "brand": brand, "label": label, **probabilities}
                )
        return post

    def snapshot(self, root: Path) -> Snapshot:
        store = Store(root)
        store.upsert_posts(self.posts)
        for table, rows in self.tables.items():
            if rows:
                store.upsert(table, rows)
        return store.snapshot()

    def seek(
        self, root: Path, config: Config = CONFIG, week: Week = WEEK, baseline_weeks: int = 8
    ) -> Snapshot:
        """Write the corpus with a search for topics of `week` that is up to date."""
        counted = window_counts(self.snapshot(root), config, week, exclude_unread=True)
        row = {
            "week": str(week),
            "baseline_weeks": baseline_weeks,
            "least_weeks": 3,
            "wanted_weeks": 8,
            "topics": 0,
            "notes": [],
        }
        self.tables["searches"] = [
            row | counted | {"settings": settings_digest(config), "versions": '{"posts": 1}'}
        ]
        return self.snapshot(root)


def moments(week: Week, count: int, rng: np.random.Generator) -> Iterator[datetime]:
    start, _ = week.bounds(ZONE)
    for second in np.sort(rng.integers(0, 7 * 86400, count)):
        yield start + timedelta(seconds=int(second))


def posteriors(label: int, rng: np.random.Generator) -> tuple[float, ...]:
    """Draw posteriors calibrated under balanced classes.

    Bayes' rule is applied to three Dirichlet densities with equal normalisers.
    """
    sharpness = np.full((3, 3), 1.2) + 2.6 * np.eye(3)
    point = rng.dirichlet(sharpness[label])
    density = np.exp(((sharpness - 1) * np.log(point)).sum(axis=1))
    return tuple(float(p) for p in density / density.sum())


def generate(seed: int = 7, per_week: int = 1) -> Corpus:
    """Generate nine weeks of three brands on three sources.

    The own brand gains share of voice and loses sentiment in the last week; an advertisement of a
    competitor is copied; pregnant women ask for folic acid.
    """
    rng, corpus = np.random.default_rng(seed), Corpus()
    for week in [WEEK - back for back in range(8, -1, -1)]:
        for brand, volume, mood in _week_plan(week == WEEK):
            for at in moments(week, int(rng.poisson(volume * per_week)), rng):
                _add_post(corpus, brand, mood, at, rng)
    _add_advertisement(corpus, rng)
    _add_folic_topic(corpus, rng)
    _add_crawls(corpus)
    _add_aspects(corpus, np.random.default_rng(seed + 1))
    return corpus


def _week_plan(last: bool) -> tuple[tuple[Brand, int, tuple[float, ...]], ...]:
    heye = (110, (0.34, 0.26, 0.40)) if last else (62, (0.14, 0.30, 0.56))
    return (
        (BRANDS[0], *heye),
        (BRANDS[1], 84, (0.20, 0.40, 0.40)),
        (BRANDS[2], 40, (0.12, 0.38, 0.50)),
    )


def _author_hash(number: int, source: str = "weiba") -> str:
    """Return the pseudonym of a person on a source."""
    return f"{(number + 2**41 * len(source)) * 0x9E3779B97F4A7C15 % 2**64:016x}"


def _add_post(
    corpus: Corpus, brand: Brand, mood: tuple[float, ...], at: datetime, rng: np.random.Generator
) -> None:
    source = str(rng.choice(["mombaby", "weiba", "shop"], p=[0.35, 0.45, 0.2]))
    label = int(rng.choice(3, p=mood))
    phrase = str(rng.choice(PHRASES[LABELS[label]])).format(b=rng.choice(brand.names)) + str(
        rng.choice(TAILS)
    )
    extra: dict[str, Any] = {}
    if source == "shop":
        extra["rating"] = [0.2, 0.6, 1.0][label]
    elif source == "weiba":
        extra = {
            "likes": int(rng.pareto(1.2) * 6),
            "reposts": int(rng.pareto(1.4) * 2),
            "replies": int(rng.poisson(2)),
        }
    author = _author_hash(
        int(rng.integers(0, 2**40)) if rng.random() < 0.9 else int(rng.integers(0, 12)), source
    )
    corpus.add(
        phrase,
        at,
        brand.id,
        source,
        posteriors(label, rng),
        author=author,
        fetched_at=at + timedelta(days=8),
        **extra,
    )


def _add_advertisement(corpus: Corpus, rng: np.random.Generator) -> None:
    text = "康本全场五折，点击主页领取优惠券，仅限今天！#康本大促#"
    for number, at in enumerate(moments(WEEK, 30, rng)):
        copy = corpus.add(
            text,
            at,
            "kangben",
            shares=(0.02, 0.08, 0.9),
            author=_author_hash(900 + number),
            likes=0,
            replies=0,
            reposts=0,
        )
        first = first if number else copy  # noqa: F821  # set in the first round
        if number:
            corpus.tables["duplicates"].append(
                {"id": copy.id, "cluster": first.id, "similarity": 1.0}
            )


def _add_folic_topic(corpus: Corpus, rng: np.random.Generator) -> None:
    posts = []
    for n, at in enumerate(moments(WEEK, 18, rng)):
        text, source = f"{FOLIC[n % 4]}{TAILS[n // 4 % 8]}", ("mombaby", "weiba")[n % 2]
        posts.append(
            corpus.add(
                text, at, "heye", source, posteriors(1, rng), author=_author_hash(700 + n, source)
            )
        )
    ids = [post.id for post in posts]
    row = {
        "week": str(WEEK),
        "id": "t-folic",
        "state": "new",
        "label_zh": "叶酸",
        "label_en": "folic acid",
        "terms": ["叶酸", "folic acid", "孕早期"],
        "score": 19.2,
        "q": 0.001,
        "posts": 18,
        "authors": 18,
        "first_seen": posts[0].published_at,
        "sources": ["mombaby", "weiba"],
        "languages": ["en", "zh"],
        "watched": False,
        "flags": [],
        "segments": ["pregnant"],
        "brands": ["heye"],
        "evidence": ids,
        "detail": json.dumps(
            {
                "gain": 14.4,
                "margin": 9.1,
                "copies": 0.0,
                "rise": {"coverage": 1.0, "volume": 1.2, "share": 12.0},
                "segments": {"pregnant": {"authors": 9, "share": 0.5, "outside": 0.021}},
            }
        ),
    }
    spring = {
        "id": "t-spring",
        "state": "fading",
        "label_zh": "春游",
        "label_en": "",
        "terms": ["春游", "野餐"],
        "score": 0.0,
        "q": None,
        "posts": 9,
        "authors": 8,
        "watched": True,
        "flags": ["one source", "seasonal"],
        "segments": [],
        "evidence": ids[:2],
        "detail": "{}",
    }
    corpus.tables["topics"] += [row, row | spring]


ASPECTS = {
    "heye": ("taste", "packaging", 0.3),
    "kangben": ("price", "taste", 0.7),
    "luva": ("delivery", "price", 0.6),
}


def _add_aspects(corpus: Corpus, rng: np.random.Generator) -> None:
    """Add aspects and comparisons: each brand is liked for one aspect; people leave our brand."""
    mention_by_post = {row["id"]: row for row in corpus.tables["mentions"]}
    for post in corpus.posts:
        mention = mention_by_post[post.id]
        liked, other, other_odds = ASPECTS[mention["brand"]]
        for aspect, odds in ((liked, 0.9), (other, other_odds), ("quality", 0.5)):
            if rng.random() < 0.4:
                positive_share = float(rng.beta(8 * odds, 8 * (1 - odds)))
                key = {
                    name: mention[name]
                    for name in ("id", "text_hash", "annotator", "version", "brand")
                }
                probabilities = {
                    "negative": 0.9 * (1 - positive_share),
                    "neutral": 0.1,
                    "positive": 0.9 * positive_share,
                }
                label = max(LABELS, key=lambda name: probabilities[name])
                corpus.tables["aspects"].append(
                    key | {"aspect": aspect, "label": label, "confidence": 0.9} | probabilities
                )
    for n, at in enumerate(moments(WEEK, 26, rng)):
        left, to = ("heye", "kangben") if n % 13 else ("kangben", "luva")
        post = corpus.add(
            f"用完这包就从禾叶换到康本了，第{n}次回购 Heye", at, left, author=_author_hash(3000 + n)
        )
        key = {"id": post.id, "text_hash": post.text_hash, "annotator": "test", "version": "1"}
        corpus.tables["mentions"].append({**key, "brand": to, "start": 9, "end": 11, "via": "text"})
        corpus.tables["comparisons"].append(
            {**key, "brand": to, "other": left, "kind": "switch", "start": 5, "end": 12}
        )
        if n < 6:
            corpus.tables["comparisons"].append(
                {**key, "brand": to, "other": left, "kind": "better", "start": 5, "end": 12}
            )


def _add_crawls(corpus: Corpus) -> None:
    start, stop = (WEEK - 8).bounds(ZONE)[0], WEEK.bounds(ZONE)[1]
    crawl = {
        "crawl": "run-1",
        "since": start,
        "until": stop,
        "requests": 40,
        "posts": 900,
        "dropped": "{}",
        "started_at": stop,
        "finished_at": stop + timedelta(hours=2),
    }
    corpus.tables["crawls"] += [
        crawl | {"source": "mombaby", "query": "board 1", "status": "complete", "reason": None},
        crawl | {"source": "weiba", "query": "禾叶", "status": "complete", "reason": None},
        crawl
        | {
            "source": "weiba",
            "query": "康本",
            "status": "saturated",
            "reason": "stopped at page 50 of the search",
        },
    ]


@pytest.fixture(scope="session")
def config() -> Config:
    return CONFIG


@pytest.fixture(scope="session")
def week() -> Week:
    return WEEK


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    """The full corpus; not to be changed."""
    return generate()


@pytest.fixture(scope="session")
def snapshot(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return corpus.seek(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def blank() -> Corpus:
    """A corpus without anything, to add to."""
    return Corpus()


@pytest.fixture
def monday() -> datetime:
    """The first moment of the week."""
    return WEEK.bounds(ZONE)[0].astimezone(UTC)


@pytest.fixture(scope="session")
def parse() -> Callable[[str], Any]:
    """HTML text -> lxml tree."""
    from lxml import html

    return html.fromstring
