"""Planting of terms, with their ground truth, and of decoys into a stream of real posts.

A planted post is a clause with the term, mostly added to a real post, so that its words are as
varied as the stream's. The same clauses, about ordinary things, are added in every week, so that
only the term is new. Time is counted in days of the stream; day 0 is a Monday.
"""

import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from random import Random
from typing import Any

import pyarrow as pa

from benchmarks.emergence.streams import StreamPost
from folate.core.weeks import Week
from nlp.text.duplicates import cluster_duplicates
from nlp.text.language import identify_language
from nlp.text.segment import Segmenter

# Weeks of a window: the last one is tested against the others.
WINDOW_WEEKS = 9
# The first day of the last week.
LAST_WEEK_START = 7 * (WINDOW_WEEKS - 1)
# Chosen so that Mid-Autumn is a week after the last week.
STREAM_START = datetime.combine(
    (Week(2026, 38) - (WINDOW_WEEKS - 1)).monday, datetime.min.time(), UTC
)
OWN_BRAND = "own"
RIVAL_BRAND = "rival"
# Posts by day of the week, relative to a weekday.
WEEKDAY_WEIGHTS = (1.0, 1.0, 1.0, 1.0, 1.0, 1.5, 1.5)
# Sources of posts, in proportion to their number.
_SOURCES = "aaabbc"
# Characters of the real post to which a clause is added.
_HOST_LENGTH = 60

PHRASES = tomllib.loads(
    files("benchmarks.emergence").joinpath("texts.toml").read_text(encoding="utf-8")
)
CONCEPTS = PHRASES["concepts"]

_STRINGS = pa.list_(pa.string())
POST_SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "author": pa.string(),
        "source": pa.string(),
        "published_at": pa.timestamp("us", tz="UTC"),
        "week": pa.int32(),
        "language": pa.string(),
        "words": _STRINGS,
        "hashtags": _STRINGS,
        "cluster": pa.string(),
        "brands": _STRINGS,
        "body": pa.string(),
    }
)


@dataclass(frozen=True)
class PlantedTerm:
    """How a term enters the stream."""

    # Number of posts.
    posts: int
    # First day.
    onset: int = LAST_WEEK_START
    # Number of days over which its posts are drawn.
    days: int = 7
    # Day k has 1 + slope x k times the posts of the first day.
    slope: float = 0.0
    # Number of authors; None draws them as for any post, so nearly as many as posts.
    authors: int | None = None
    # Number of clauses and of names that are used; None uses all.
    wordings: int | None = None
    # Languages of its posts; empty draws one, as often as the stream has it.
    languages: tuple[str, ...] = ()


@dataclass
class PlantedStream:
    """A stream and what was planted into it."""

    # Rows of `POST_SCHEMA`, with `day` in place of `week` and without `cluster`.
    posts: list[dict[str, Any]] = field(default_factory=list)
    # Planted concept -> day of each of its posts, by id.
    planted: dict[str, dict[str, int]] = field(default_factory=dict)
    # Planted concept -> its languages, joined by "+".
    languages: dict[str, str] = field(default_factory=dict)
    # Decoy -> ids of its posts.
    decoys: dict[str, set[str]] = field(default_factory=dict)

    def table(self) -> pa.Table:
        """Return all posts in the columns of `POST_SCHEMA` and `day`.

        Near-duplicates are clustered as in Folate's pipeline.
        """
        clusters = cluster_duplicates(
            [post["id"] for post in self.posts],
            [post["body"] for post in self.posts],
            [post["published_at"] for post in self.posts],
        )
        cluster_by_id = {post_id: cluster for post_id, cluster, _ in clusters}
        rows = [
            post | {"week": post["day"] // 7, "cluster": cluster_by_id.get(post["id"], post["id"])}
            for post in self.posts
        ]
        return pa.Table.from_pylist(rows, schema=POST_SCHEMA.append(pa.field("day", pa.int32())))


class Planter:
    """Builder of a `PlantedStream`. All random choices come from one seeded generator."""

    def __init__(self, seed: int, segmenter: Segmenter, hosts: list[StreamPost]) -> None:
        """Begin an empty stream.

        `hosts` are real posts that are not in the stream, to which clauses are added: a post of the
        stream would become a copy of itself.
        """
        self.random = Random(seed)
        self.hosts = hosts
        self.segmenter = segmenter
        # Clauses about the own brand, by week.
        self.clauses = Counter[int]()
        self.stream = PlantedStream()

    def add_base_posts(self, weeks: list[list[StreamPost]]) -> None:
        """Add real posts, given by week, with made-up authors, sources and brands."""
        for week, posts in enumerate(weeks):
            for raw in posts:
                self._append_post(self._draw_day(week), raw.text, raw)

    def add_controls(self, weeks: int, clauses_per_week: int) -> None:
        """Add clauses about ordinary things until every week has the same number of clauses.

        `clauses_per_week` counts all clauses about the own brand: call this last.
        """
        for week in range(weeks):
            for _ in range(clauses_per_week - self.clauses[week]):
                language = self._draw_language()
                self._append_clause(
                    self._draw_day(week),
                    self.random.choice(PHRASES[language]["ordinary"]),
                    language,
                    brand=OWN_BRAND,
                )

    def plant_term(self, concept: int, term: PlantedTerm) -> None:
        """Add the posts of one of `CONCEPTS`, all about the own brand."""
        random = self.random
        names = CONCEPTS[concept]
        languages = term.languages or (self._draw_language(),)
        authors = [
            (source, self._draw_author(source))
            for source in random.choices(_SOURCES, k=term.authors or 0)
        ]
        day_weights = [1 + term.slope * day for day in range(term.days)]
        days = sorted(random.choices(range(term.days), day_weights, k=term.posts))
        day_by_id = {}
        for number, day in enumerate(days):
            language = languages[number % len(languages)]
            source, author = authors[number % len(authors)] if authors else (None, None)
            name = random.choice(names[language][: term.wordings])
            clause = random.choice(PHRASES[language]["clauses"][: term.wordings])
            post_id = self._append_clause(
                term.onset + day,
                name,
                language,
                clause=clause,
                brand=OWN_BRAND,
                source=source,
                author=author,
            )
            day_by_id[post_id] = term.onset + day
        concept_name = names["zh"][0]
        self.stream.planted[concept_name] = day_by_id
        self.stream.languages[concept_name] = "+".join(languages)

    def add_advertisement(self, accounts: int = 30) -> None:
        """Add the decoy of one text by many accounts, each with a small edit."""
        text = PHRASES[self._draw_language()]["advertisement"]
        edited_texts = [
            f"{text} {self.random.choice('!~.✨🔥')}{self.random.randrange(100)}"
            for _ in range(accounts)
        ]
        self.stream.decoys["advertisement"] = {
            self._append_post(self._draw_day(WINDOW_WEEKS - 1), edited_text, brand=OWN_BRAND)
            for edited_text in edited_texts
        }

    def add_seasonal_term(self, authors: int = 25) -> None:
        """Add the decoy of a word that is frequent near a holiday."""
        self.stream.decoys["season"] = {
            self._append_decoy_clause(self._draw_day(WINDOW_WEEKS - 1), "season")
            for _ in range(authors)
        }

    def add_weekend_term(self, authors: int = 12) -> None:
        """Add the decoy of a word that is used on the weekends of all weeks."""
        days = []
        for week in range(WINDOW_WEEKS):
            days += [7 * week + 5 + self.random.randrange(2) for _ in range(authors)]
        self.stream.decoys["weekend"] = {self._append_decoy_clause(day, "weekend") for day in days}

    def add_loud_author(self, count: int = 40) -> None:
        """Add the decoy of one author with many posts and a word of their own."""
        self.stream.decoys["loud author"] = {
            self._append_decoy_clause(self._draw_day(WINDOW_WEEKS - 1), "loud", author="loud")
            for _ in range(count)
        }

    def add_new_source(self, size: int = 150) -> None:
        """Add the decoy of a source without earlier posts that uses a jargon of its own."""
        post_ids = set()
        for raw in self.random.sample(self.hosts, size):
            text = raw.text
            if self.random.random() < 0.4:
                text += f" {PHRASES[post_language(raw)]['jargon']}"
            day = self._draw_day(WINDOW_WEEKS - 1)
            post_ids.add(self._append_post(day, text, source="d"))
        self.stream.decoys["new source"] = post_ids

    def _append_decoy_clause(self, day: int, key: str, author: str | None = None) -> str:
        """Append a clause with a word that `texts.toml` has under `key`, and return its id."""
        language = self._draw_language()
        words: Sequence[str] = PHRASES[language][key]
        name = words if isinstance(words, str) else self.random.choice(words)
        return self._append_clause(day, name, language, author=author)

    def _append_clause(
        self,
        day: int,
        name: str,
        language: str,
        *,
        clause: str | None = None,
        brand: str | None = None,
        author: str | None = None,
        source: str | None = None,
    ) -> str:
        """Append a post with a clause about `name`, and return its id.

        Seven times in ten the clause is put before or after the beginning of a real post of the
        same language.
        """
        text = (clause or self.random.choice(PHRASES[language]["clauses"])).format(x=name)
        hosts = self.random.sample(self.hosts, 20)
        host_texts = (raw.text[:_HOST_LENGTH] for raw in hosts if post_language(raw) == language)
        host_text = next(host_texts, "")
        clauses = [host_text if self.random.random() < 0.7 else "", text]
        self.random.shuffle(clauses)
        separator = "，" if language == "zh" else ". "
        body = separator.join(filter(None, clauses))
        post_id = self._append_post(day, body, brand=brand, author=author, source=source)
        if self.stream.posts[-1]["brands"] == [OWN_BRAND]:
            self.clauses[day // 7] += 1
        return post_id

    def _append_post(
        self,
        day: int,
        body: str,
        raw: StreamPost | None = None,
        *,
        brand: str | None = None,
        author: str | None = None,
        source: str | None = None,
    ) -> str:
        """Append a post and return its id.

        The annotations are those of `raw` if given; brand, author and source are drawn if missing.
        """
        random = self.random
        source = source or random.choice(_SOURCES)
        post_id = f"{source}:{len(self.stream.posts)}"
        brands = [brand] if brand else self._draw_brands()
        author = author or self._draw_author(source)
        seconds = random.randrange(86400)
        self.stream.posts.append(
            {
                "id": post_id,
                "source": source,
                "author": author,
                "day": day,
                "published_at": STREAM_START + timedelta(days=day, seconds=seconds),
                "body": body,
                "brands": brands,
                "language": raw.language if raw else identify_language(body),
                "words": list(raw.words if raw else self.segmenter.words(body)),
                "hashtags": list(raw.hashtags if raw else ()),
            }
        )
        return post_id

    def _draw_brands(self) -> list[str]:
        return self.random.choices(([OWN_BRAND], [RIVAL_BRAND], []), (25, 15, 60))[0]

    def _draw_author(self, source: str) -> str:
        """Draw an author: three in ten posts are by regulars, the others by one-time authors."""
        is_regular = self.random.random() < 0.3
        author = int(self.random.paretovariate(0.8)) if is_regular else self.random.random()
        return f"{source}{author}"

    def _draw_day(self, week: int) -> int:
        return 7 * week + self.random.choices(range(7), WEEKDAY_WEIGHTS)[0]

    def _draw_language(self) -> str:
        """Draw a language, as often as the stream has it."""
        return post_language(self.random.choice(self.hosts))


def post_language(raw: StreamPost) -> str:
    """Return "en" for English posts and "zh" for all others."""
    return "en" if raw.language == "en" else "zh"
