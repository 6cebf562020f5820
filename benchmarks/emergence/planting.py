"""Terms planted into a real stream, with their truth, and decoys that only look like them.

A planted post is a real post of the stream to which a clause with the term is added, or such a clause alone, so that its words are
as various as the stream's. The same clauses, about ordinary things, are added in every week, so that only the term is new.
"""

import tomllib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from random import Random

import pyarrow as pa

from benchmarks.emergence.streams import Raw
from folate.weeks import Week
from nlp.duplicates import clusters
from nlp.language import identify
from nlp.segment import Segmenter

WEEK = Week(2026, 38)  # Mid-Autumn 2026 falls a week later
WEEKS = 9
OWN, RIVAL = "own", "rival"

TEXTS = tomllib.loads(files("benchmarks.emergence").joinpath("texts.toml").read_text(encoding="utf-8"))
CONCEPTS = TEXTS["concepts"]


@dataclass
class Trial:
    """A stream and what was put into it: post ids by planted concept and by decoy."""

    posts: list[dict[str, object]] = field(default_factory=list)
    planted: dict[str, set[str]] = field(default_factory=dict)
    decoys: dict[str, set[str]] = field(default_factory=dict)

    def table(self) -> pa.Table:
        """The stream as discovery takes it, near-duplicates found by Folate's own clustering."""
        bodies = [str(p["body"]) for p in self.posts]
        moments = [p["published_at"] for p in self.posts]
        copies = {id_: cluster for id_, cluster, _ in clusters([str(p["id"]) for p in self.posts], bodies, moments)}  # type: ignore[arg-type]
        return pa.Table.from_pylist([p | {"cluster": copies.get(str(p["id"]), p["id"])} for p in self.posts], schema=SCHEMA)


_STRINGS = pa.list_(pa.string())
SCHEMA = pa.schema(
    {"id": pa.string(), "author": pa.string(), "source": pa.string(), "published_at": pa.timestamp("us", tz="UTC"), "week": pa.int32(),
     "language": pa.string(), "words": _STRINGS, "hashtags": _STRINGS, "cluster": pa.string(), "brands": _STRINGS, "body": pa.string()}
)  # fmt: skip


class Planter:
    """Fills a Trial. Everything comes from one seeded generator."""

    def __init__(self, seed: int, segmenter: Segmenter, hosts: list[Raw]) -> None:
        self.random = Random(seed)
        self.hosts = hosts  # real posts that are not in the stream: what is added to one of the stream would be a copy of it
        self.segmenter = segmenter
        self.clauses = Counter[int]()
        self.trial = Trial()

    def base(self, weeks: list[list[Raw]]) -> None:
        """Real posts, by week, with made authors (three in ten posts by regulars), sources and brands."""
        for week, posts in enumerate(weeks):
            for raw in posts:
                self._add(week, raw.text, raw)

    def controls(self, a_week: int) -> None:
        """Clauses about ordinary things, as many as make our brand's clauses `a_week` in every week: to be called last."""
        for week in range(WEEKS):
            for _ in range(a_week - self.clauses[week]):
                language = self._language()
                self._clause(week, self.random.choice(TEXTS[language]["ordinary"]), language, brand=OWN)

    def plant(self, concept: int, support: int, head_start: float) -> None:
        """`support` posts of one concept, in one language, in the last week, and `head_start` times as many in the week before."""
        names, language = CONCEPTS[concept], self._language()
        ids: set[str] = set()
        for week, many in ((WEEKS - 1, support), (WEEKS - 2, round(head_start * support))):
            ids |= {self._clause(week, self.random.choice(names[language]), language, brand=OWN) for _ in range(many)}
        self.trial.planted[names["zh"][0]] = ids

    def advertisement(self, accounts: int = 30) -> None:
        """One text by many accounts, each with a small edit."""
        text = TEXTS[self._language()]["advertisement"]
        edits = [f"{text} {self.random.choice('!~.✨🔥')}{self.random.randrange(100)}" for _ in range(accounts)]
        self.trial.decoys["advertisement"] = {self._add(WEEKS - 1, edit, brand=OWN) for edit in edits}

    def season(self, authors: int = 25) -> None:
        """A word of the calendar."""
        languages = [self._language() for _ in range(authors)]
        self.trial.decoys["season"] = {
            self._clause(WEEKS - 1, self.random.choice(TEXTS[language]["season"]), language) for language in languages
        }

    def new_source(self, size: int = 150) -> None:
        """A source without a past, with a manner of speaking of its own."""
        ids = set()
        for raw in self.random.sample(self.hosts, size):
            jargon = f" {TEXTS[spoken(raw)]['jargon']}" if self.random.random() < 0.4 else ""
            ids.add(self._add(WEEKS - 1, raw.text + jargon, source="d"))
        self.trial.decoys["new source"] = ids

    def loud_author(self, count: int = 40) -> None:
        """One author with a word of their own."""
        languages = [self._language() for _ in range(count)]
        self.trial.decoys["loud author"] = {
            self._clause(WEEKS - 1, TEXTS[language]["loud"], language, author="loud") for language in languages
        }

    def _clause(self, week: int, name: str, language: str, **about: str) -> str:
        """A clause about `name`, seven times in ten before or after the beginning of a real post of the same language."""
        clause = self.random.choice(TEXTS[language]["clauses"]).format(x=name)
        host = next((raw.text[:60] for raw in self.random.sample(self.hosts, 20) if spoken(raw) == language), "")
        parts = [host if self.random.random() < 0.7 else "", clause]
        self.random.shuffle(parts)
        id_ = self._add(week, ("，" if language == "zh" else ". ").join(filter(None, parts)), **about)
        self.clauses[week] += self.trial.posts[-1]["brands"] == [OWN]
        return id_

    def _add(
        self, week: int, body: str, raw: Raw | None = None, brand: str | None = None, author: str | None = None, source: str | None = None
    ) -> str:
        random = self.random
        start = datetime.combine((WEEK - (WEEKS - 1) + week).monday, datetime.min.time(), UTC)
        source = source or random.choice("aaabbc")
        id_ = f"{source}:{len(self.trial.posts)}"
        brands = [brand] if brand else random.choices(([OWN], [RIVAL], []), (25, 15, 60))[0]
        self.trial.posts.append({
            "id": id_, "source": source, "author": author or self._author(source),
            "published_at": start + timedelta(seconds=random.randrange(7 * 86400)), "week": week, "body": body, "brands": brands,
            "language": raw.language if raw else identify(body), "words": list(raw.words if raw else self.segmenter.words(body)),
            "hashtags": list(raw.hashtags if raw else ()),
        })  # fmt: skip
        return id_

    def _author(self, source: str) -> str:
        """Three in ten posts are by regulars, the others by people who write once."""
        regular = self.random.random() < 0.3
        return f"{source}{int(self.random.paretovariate(0.8)) if regular else self.random.random()}"

    def _language(self) -> str:
        """A language, as often as the stream has it."""
        return spoken(self.random.choice(self.hosts))


def spoken(raw: Raw) -> str:
    return "en" if raw.language == "en" else "zh"
