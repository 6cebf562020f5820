"""Terms planted into a real stream, with their truth, and decoys that only look like them.

A planted post is a real post of the stream to which a clause with the term is added, or such a clause alone, so that its words are
as various as the stream's. The same clauses, about ordinary things, are added in every week, so that only the term is new.
Time is counted in days of the stream; day 0 is a Monday.
"""

import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from random import Random

import pyarrow as pa

from benchmarks.emergence.streams import StreamPost
from folate.core.weeks import Week
from nlp.text.duplicates import cluster_duplicates
from nlp.text.language import identify_language
from nlp.text.segment import Segmenter

WINDOW_WEEKS = 9  # of a window: the last is tested against the others
LAST_WEEK_START = 7 * (WINDOW_WEEKS - 1)  # the first day of the last week
STREAM_START = datetime.combine(
    (Week(2026, 38) - (WINDOW_WEEKS - 1)).monday, datetime.min.time(), UTC
)  # Mid-Autumn is a week after the last week
OWN_BRAND, RIVAL_BRAND = "own", "rival"
WEEKDAY_WEIGHTS = (1.0, 1.0, 1.0, 1.0, 1.0, 1.5, 1.5)  # posts by day of the week

PHRASES = tomllib.loads(
    files("benchmarks.emergence").joinpath("texts.toml").read_text(encoding="utf-8")
)
CONCEPTS = PHRASES["concepts"]

_STRINGS = pa.list_(pa.string())
POST_SCHEMA = pa.schema(
    {"id": pa.string(), "author": pa.string(), "source": pa.string(), "published_at": pa.timestamp("us", tz="UTC"), "week": pa.int32(),
     "language": pa.string(), "words": _STRINGS, "hashtags": _STRINGS, "cluster": pa.string(), "brands": _STRINGS, "body": pa.string()}
)  # fmt: skip


@dataclass(frozen=True)
class PlantedTerm:
    """How a term enters the stream."""

    posts: int
    onset: int = LAST_WEEK_START  # its first day
    days: int = 7  # over which its posts are drawn
    slope: float = 0.0  # day k has 1 + slope x k times the posts of its first day
    authors: int | None = None  # None: drawn as for any post, so nearly as many as posts
    wordings: int | None = None  # clauses and names that it is said in; None: all there are
    languages: tuple[str, ...] = ()  # none: one, as often as the stream has it


@dataclass
class PlantedStream:
    """A stream and what was put into it: the day of each post by planted concept, and posts by decoy."""

    posts: list[dict[str, object]] = field(
        default_factory=list
    )  # rows of `SCHEMA`, `day` in place of `week`
    planted: dict[str, dict[str, int]] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)  # of the planted concepts
    decoys: dict[str, set[str]] = field(default_factory=dict)

    def table(self) -> pa.Table:
        """Every post, near-duplicates found by Folate's own clustering; `day` beside the columns that discovery takes."""
        ids, bodies = [str(p["id"]) for p in self.posts], [str(p["body"]) for p in self.posts]
        copies = {
            id_: cluster
            for id_, cluster, _ in cluster_duplicates(
                ids, bodies, [p["published_at"] for p in self.posts]
            )
        }  # type: ignore[misc]
        rows = [
            p | {"week": int(p["day"]) // 7, "cluster": copies.get(str(p["id"]), p["id"])}
            for p in self.posts
        ]  # type: ignore[call-overload]
        return pa.Table.from_pylist(rows, schema=POST_SCHEMA.append(pa.field("day", pa.int32())))


class Planter:
    """Fills a Trial. Everything comes from one seeded generator."""

    def __init__(self, seed: int, segmenter: Segmenter, hosts: list[StreamPost]) -> None:
        self.random = Random(seed)
        self.hosts = hosts  # real posts that are not in the stream: what is added to one of the stream would be a copy of it
        self.segmenter = segmenter
        self.clauses = Counter[int]()  # of our brand, by week
        self.stream = PlantedStream()

    def add_base_posts(self, weeks: list[list[StreamPost]]) -> None:
        """Real posts, by week, with made authors (three in ten posts by regulars), sources and brands."""
        for week, posts in enumerate(weeks):
            for raw in posts:
                self._add(self._day(week), raw.text, raw)

    def add_controls(self, weeks: int, clauses_per_week: int) -> None:
        """Clauses about ordinary things, as many as make our brand's clauses `a_week` in every week: to be called last."""
        for week in range(weeks):
            for _ in range(clauses_per_week - self.clauses[week]):
                language = self._language()
                self._clause(
                    self._day(week),
                    self.random.choice(PHRASES[language]["ordinary"]),
                    language,
                    brand=OWN_BRAND,
                )

    def plant_term(self, concept: int, term: PlantedTerm) -> None:
        """The posts of one concept, all about our brand."""
        random, names = self.random, CONCEPTS[concept]
        languages = term.languages or (self._language(),)
        voices = [
            (source, self._author(source))
            for source in random.choices("aaabbc", k=term.authors or 0)
        ]
        days = sorted(
            random.choices(
                range(term.days), [1 + term.slope * day for day in range(term.days)], k=term.posts
            )
        )
        ids = {}
        for number, day in enumerate(days):
            language = languages[number % len(languages)]
            voice = voices[number % len(voices)] if voices else (None, None)
            name = random.choice(names[language][: term.wordings])
            clause = random.choice(PHRASES[language]["clauses"][: term.wordings])
            ids[
                self._clause(
                    term.onset + day,
                    name,
                    language,
                    clause,
                    brand=OWN_BRAND,
                    source=voice[0],
                    author=voice[1],
                )
            ] = term.onset + day
        self.stream.planted[names["zh"][0]] = ids
        self.stream.languages[names["zh"][0]] = "+".join(languages)

    def add_advertisement(self, accounts: int = 30) -> None:
        """One text by many accounts, each with a small edit."""
        text = PHRASES[self._language()]["advertisement"]
        edits = [
            f"{text} {self.random.choice('!~.✨🔥')}{self.random.randrange(100)}"
            for _ in range(accounts)
        ]
        self.stream.decoys["advertisement"] = {
            self._add(self._day(WINDOW_WEEKS - 1), edit, brand=OWN_BRAND) for edit in edits
        }

    def add_seasonal_term(self, authors: int = 25) -> None:
        """A word of the calendar."""
        self.stream.decoys["season"] = {
            self._about(self._day(WINDOW_WEEKS - 1), "season") for _ in range(authors)
        }

    def add_weekend_term(self, authors: int = 12) -> None:
        """A word of every Saturday and Sunday."""
        days = [
            7 * week + 5 + self.random.randrange(2)
            for week in range(WINDOW_WEEKS)
            for _ in range(authors)
        ]
        self.stream.decoys["weekend"] = {self._about(day, "weekend") for day in days}

    def add_loud_author(self, count: int = 40) -> None:
        """One author with a word of their own."""
        self.stream.decoys["loud author"] = {
            self._about(self._day(WINDOW_WEEKS - 1), "loud", author="loud") for _ in range(count)
        }

    def add_new_source(self, size: int = 150) -> None:
        """A source without a past, with a manner of speaking of its own."""
        ids = set()
        for raw in self.random.sample(self.hosts, size):
            jargon = (
                f" {PHRASES[post_language(raw)]['jargon']}" if self.random.random() < 0.4 else ""
            )
            ids.add(self._add(self._day(WINDOW_WEEKS - 1), raw.text + jargon, source="d"))
        self.stream.decoys["new source"] = ids

    def _about(self, day: int, key: str, author: str | None = None) -> str:
        """A clause with one of the words that `texts.toml` has under `key`."""
        language = self._language()
        words: Sequence[str] = PHRASES[language][key]
        name = words if isinstance(words, str) else self.random.choice(words)
        return self._clause(day, name, language, author=author)

    def _clause(
        self,
        day: int,
        name: str,
        language: str,
        clause: str | None = None,
        *,
        brand: str | None = None,
        author: str | None = None,
        source: str | None = None,
    ) -> str:
        """A clause about `name`, seven times in ten before or after the beginning of a real post of the same language."""
        text = (clause or self.random.choice(PHRASES[language]["clauses"])).format(x=name)
        host = next(
            (
                raw.text[:60]
                for raw in self.random.sample(self.hosts, 20)
                if post_language(raw) == language
            ),
            "",
        )
        parts = [host if self.random.random() < 0.7 else "", text]
        self.random.shuffle(parts)
        id_ = self._add(
            day,
            ("，" if language == "zh" else ". ").join(filter(None, parts)),
            brand=brand,
            author=author,
            source=source,
        )
        self.clauses[day // 7] += self.stream.posts[-1]["brands"] == [OWN_BRAND]
        return id_

    def _add(
        self,
        day: int,
        body: str,
        raw: StreamPost | None = None,
        brand: str | None = None,
        author: str | None = None,
        source: str | None = None,
    ) -> str:
        random = self.random
        source = source or random.choice("aaabbc")
        id_ = f"{source}:{len(self.stream.posts)}"
        brands = (
            [brand] if brand else random.choices(([OWN_BRAND], [RIVAL_BRAND], []), (25, 15, 60))[0]
        )
        self.stream.posts.append({
            "id": id_, "source": source, "author": author or self._author(source), "day": day,
            "published_at": STREAM_START + timedelta(days=day, seconds=random.randrange(86400)), "body": body, "brands": brands,
            "language": raw.language if raw else identify_language(body), "words": list(raw.words if raw else self.segmenter.words(body)),
            "hashtags": list(raw.hashtags if raw else ()),
        })  # fmt: skip
        return id_

    def _author(self, source: str) -> str:
        """Three in ten posts are by regulars, the others by people who write once."""
        regular = self.random.random() < 0.3
        return f"{source}{int(self.random.paretovariate(0.8)) if regular else self.random.random()}"

    def _day(self, week: int) -> int:
        return 7 * week + self.random.choices(range(7), WEEKDAY_WEIGHTS)[0]

    def _language(self) -> str:
        """A language, as often as the stream has it."""
        return post_language(self.random.choice(self.hosts))


def post_language(raw: StreamPost) -> str:
    return "en" if raw.language == "en" else "zh"
