"""Terms planted into a real stream, with their truth, and decoys that only look like them.

A planted post is a real post of the stream to which a clause with the term is added, or such a clause alone, so that its words are
as various as the stream's. The same clauses, about ordinary things, are added in every week, so that only the term is new.
"""

import tomllib
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

    def __init__(self, seed: int, segmenter: Segmenter) -> None:
        self.random = Random(seed)
        self.segmenter = segmenter
        self.trial = Trial()

    def base(self, weeks: list[list[Raw]]) -> None:
        """Real posts, by week, with made authors (three in ten posts by regulars), sources and brands."""
        for week, posts in enumerate(weeks):
            for raw in posts:
                self._add(week, raw.text, raw)

    def controls(self, weeks: list[list[Raw]], a_week: int) -> None:
        """The planted clauses, about ordinary things, `a_week` in every week."""
        for week, posts in enumerate(weeks):
            for _ in range(a_week):
                language = self._language(posts)
                self._clause(week, posts, self.random.choice(TEXTS[language]["ordinary"]), language)

    def plant(self, concept: int, support: int, posts: list[Raw], before: list[Raw], head_start: float) -> None:
        """`support` posts of one concept in the last week, by as many authors, and `head_start` as many in the week before."""
        names = CONCEPTS[concept]
        ids = set()
        for week, many, host in ((WEEKS - 1, support, posts), (WEEKS - 2, round(head_start * support), before)):
            for _ in range(many):
                language = self._language(host)
                ids.add(self._clause(week, host, self.random.choice(names[language]), language, brand=OWN))
        self.trial.planted[names["zh"][0]] = ids

    def advertisement(self, posts: list[Raw], accounts: int = 30) -> None:
        """One text by many accounts, each with a small edit."""
        text = TEXTS[self._language(posts)]["advertisement"]
        edits = [f"{text} {self.random.choice('!~.✨🔥')}{self.random.randrange(100)}" for _ in range(accounts)]
        self.trial.decoys["advertisement"] = {self._add(WEEKS - 1, edit, brand=OWN) for edit in edits}

    def season(self, posts: list[Raw], authors: int = 25) -> None:
        """A word of the calendar."""
        self.trial.decoys["season"] = {
            self._clause(WEEKS - 1, posts, self.random.choice(TEXTS[language]["season"]), language)
            for language in (self._language(posts) for _ in range(authors))
        }

    def new_source(self, posts: list[Raw], size: int = 150) -> None:
        """A source without a past, with a manner of speaking of its own."""
        ids = set()
        for raw in self.random.choices(posts, k=size):
            jargon = f" {TEXTS[self._spoken(raw)]['jargon']}" if self.random.random() < 0.4 else ""
            ids.add(self._add(WEEKS - 1, raw.text[-40:] + jargon, source="d"))
        self.trial.decoys["new source"] = ids

    def loud_author(self, posts: list[Raw], count: int = 40) -> None:
        """One author with a word of their own."""
        self.trial.decoys["loud author"] = {
            self._clause(WEEKS - 1, posts, TEXTS[language]["loud"], language, author="loud")
            for language in (self._language(posts) for _ in range(count))
        }

    def _clause(self, week: int, hosts: list[Raw], name: str, language: str, **about: str) -> str:
        clause = self.random.choice(TEXTS[language]["clauses"]).format(x=name)
        same = [raw for raw in self.random.choices(hosts, k=8) if self._spoken(raw) == language]
        host = same[0].text[:60] if same and self.random.random() < 0.7 else ""
        parts = [host, clause] if self.random.random() < 0.5 else [clause, host]
        return self._add(week, ("，" if language == "zh" else ". ").join(filter(None, parts)), **about)

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

    def _language(self, posts: list[Raw]) -> str:
        return self._spoken(self.random.choice(posts))

    @staticmethod
    def _spoken(raw: Raw) -> str:
        return "en" if raw.language == "en" else "zh"
