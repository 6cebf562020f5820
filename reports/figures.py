"""A number that a report prints, and what stands behind it. There is no other kind of number in a report."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from folate.core.errors import FolateError

Unit = Literal[
    "count",
    "rate",
    "share",
    "net",
    "rating",
    "times",
    "score",
    "position",
    "points",
    "net points",
    "rating points",
    "relative",
]

MEASURE_UNITS: dict[str, Unit] = {
    "mentions": "count",
    "authors": "count",
    "share_of_voice": "share",
    "share_of_voice_raw": "share",
    "net_sentiment_polar": "net",
    "net_sentiment_all": "net",
    "negative": "share",
    "neutral": "share",
    "positive": "share",
    "rating": "rating",
    "labels": "count",
    "adapted_labels": "count",
    "copies": "share",
    "posts_per_author": "rate",
    "top_authors": "share",
    "engagement_per_post": "rate",
    "emotion_happy": "share",
    "emotion_angry": "share",
    "emotion_sad": "share",
    "emotion_fear": "share",
    "emotion_surprise": "share",
    "emotion_neutral": "share",
    "intent_buy": "share",
    "intent_switch": "share",
    "intent_ask": "share",
    "intent_complain": "share",
    "topic_authors": "count",
    "topic_posts": "count",
    "topic_gain": "times",
    "topic_score": "score",
    "topic_copies": "share",
    "topic_coverage": "times",
    "topic_volume": "times",
    "topic_share": "times",
    "topic_net": "net points",
    "concern_authors": "count",
    "topic_audience": "share",
    "topic_audience_outside": "share",
    "aspect_share": "share",
    "aspect_net": "net",
    "aspect_gap": "net points",
    "map_across": "position",
    "map_up": "position",
    "map_shown": "share",
    "keyness": "times",
    "switchers": "count",
    "switch_share": "share",
    "preferring": "count",
    "preferred_share": "share",
    "co_mentions": "count",
    "engagement": "count",
    "voice_posts": "count",
    "voice_reach": "count",
    "voice_engagement": "count",
    "voice_opinion": "net",
    "community_people": "count",
    "topic_carried": "count",
    "questions": "count",
    "unanswered": "share",
    "campaign_mentions": "rate",
    "campaign_people": "rate",
    "campaign_share_of_voice": "share",
    "campaign_new_people": "share",
    "campaign_reach": "rate",
    "campaign_engagement": "rate",
    "campaign_replies": "rate",
    "campaign_reposts": "rate",
    "campaign_engaged": "share",
    "campaign_net": "net",
    "campaign_positive": "share",
    "campaign_negative": "share",
    "campaign_pickup": "share",
    "campaign_pickup_net": "net",
    "campaign_buy": "share",
    "campaign_ask": "share",
    "campaign_complain": "share",
    "query_authors": "count",
    "query_expected": "count",
    "week_posts": "count",
    "window_posts": "count",
    "unread_posts": "count",
    "unjudged_posts": "count",
    "topic_baseline": "count",
    "topic_posts_since": "count",
    "topic_baseline_since": "count",
    "source_posts": "count",
    "source_copies": "share",
    "source_queries": "count",
    "source_complete": "count",
}
"""Every measure and its unit. Each has a name and a definition in messages.toml and a section in docs/measures.md."""

CHANGE_UNITS: dict[Unit, Unit] = {
    "count": "relative",
    "rate": "relative",
    "share": "points",
    "net": "net points",
    "rating": "rating points",
}
CHANGE_SUFFIX, DETECTABLE_SUFFIX = (
    ".change",
    ".detectable",
)  # what follows the measure in the name of a difference to the week before
TRAILING_SUFFIX, TRAILING_DETECTABLE_SUFFIX = (
    ".trailing",
    ".trailing_detectable",
)  # and to the mean of the eight weeks before
EFFECT_SUFFIX = ".effect"  # and of a campaign
UNMEASURABLE_FLAG = (
    "unmeasurable"  # flag of a figure without a value: only labels of people could give it
)
SENTENCE_MEASURE = "sentence"  # stands for the measure in the evidence of one
MAX_SAMPLE_POSTS = 100  # most posts kept as evidence of one number
_DECIMALS = 6  # beyond it sums depend on the order that a processor adds in


class NoEvidence(FolateError):
    """A number was to be printed with nothing behind it."""


def unit_of(measure: str) -> Unit:
    """The unit that `measure` is printed in. Raises NoEvidence for a measure that nobody defined."""
    name, _, kind = measure.partition(".")
    if name not in MEASURE_UNITS or f".{kind}" not in (
        CHANGE_SUFFIX,
        DETECTABLE_SUFFIX,
        TRAILING_SUFFIX,
        TRAILING_DETECTABLE_SUFFIX,
        EFFECT_SUFFIX,
        ".",
    ):
        raise NoEvidence(f"wanted a measure that docs/measures.md defines, got {measure!r}.")
    return CHANGE_UNITS[MEASURE_UNITS[name]] if kind else MEASURE_UNITS[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A value with its interval, the observations behind it and the query that finds them. Value is None when not measurable.

    Shares, ratings and net sentiment are stored as proportions (0 to 1, -1 to 1). Raises NoEvidence without query or versions.
    """

    measure: str
    week: str
    value: float | None
    n: int  # observations behind the value
    query: str  # SQL, its parameters bound
    versions: str  # JSON {table: version}
    brand: str | None = None
    subject: str | None = None  # what of the brand: an aspect, a word, another brand
    low: float | None = None
    high: float | None = None
    posts: tuple[str, ...] = ()  # ids, at most SAMPLE
    flags: tuple[str, ...] = ()  # why to be careful: keys of [flag] in messages.toml

    def __post_init__(self) -> None:
        unit_of(self.measure)
        for name in ("query", "versions"):
            if not getattr(self, name).strip():
                raise NoEvidence(
                    f"wanted the {name} behind {self.measure} of {self.brand or 'the week'}, got nothing."
                )
        for name in ("value", "low", "high"):
            object.__setattr__(self, name, _rounded(getattr(self, name)))
        object.__setattr__(self, "posts", self.posts[:MAX_SAMPLE_POSTS])

    @property
    def id(self) -> str:
        """Digest of measure, brand, subject, week, query and versions: the same question to the same corpus has the same id."""
        asked = "\0".join(
            (
                self.measure,
                self.brand or "",
                self.subject or "",
                self.week,
                self.query,
                self.versions,
            )
        )
        return blake2b(asked.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()

    @property
    def unit(self) -> Unit:
        return unit_of(self.measure)

    def evidence_row(self, definition: str) -> dict[str, Any]:
        """The row of the table `evidence`."""
        return {
            "id": self.id, "week": self.week, "measure": self.measure, "brand": self.brand, "subject": self.subject,
            "value": self.value, "n": self.n, "low": self.low, "high": self.high, "definition": definition,
            "query": self.query, "versions": self.versions, "posts": list(self.posts),
        }  # fmt: skip


def versions_json(versions: Mapping[str, int]) -> str:
    """The table versions that a report rests on. `evidence` is left out: writing a report's own rows must not change it."""
    return json.dumps(
        {name: number for name, number in sorted(versions.items()) if name != "evidence"}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """This week against the one before or the mean of eight, and the smallest change that would have been told from none."""

    figure: Figure
    detectable: Figure
    significant: bool  # interval excludes 0, at least 2 points, and it survives Benjamini-Hochberg

    @property
    def direction(self) -> Literal["up", "down", "none"]:
        if not self.significant or not self.figure.value:
            return "none"
        return "up" if self.figure.value > 0 else "down"


@dataclass(frozen=True, slots=True)
class FigureText:
    """A figure, or its interval, as words of a sentence."""

    text: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class ExternalText:
    """Words from outside (a brand, a topic, a source): set apart, whatever direction they are written in."""

    text: str


@dataclass(frozen=True, slots=True)
class FigureSentence:
    """One sentence composed by rule from figures. Raises NoEvidence when it rests on none."""

    key: str
    parts: tuple[str | ExternalText | FigureText, ...]

    def __post_init__(self) -> None:
        if not self.figures:
            raise NoEvidence(
                f"wanted at least one figure behind the sentence {self.key!r}, got none."
            )

    @property
    def figures(self) -> tuple[Figure, ...]:
        return tuple(part.figure for part in self.parts if isinstance(part, FigureText))

    @property
    def text(self) -> str:
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    @property
    def id(self) -> str:
        """Digest of what is said and of the ids of the figures it rests on, whatever order a language has them in."""
        return blake2b("\0".join((self.key, *self._behind)).encode(), digest_size=6).hexdigest()

    @property
    def evidence_row(self) -> dict[str, Any]:
        """The row of the table `evidence`: its query gives the rows of the figures, whatever language the sentence is in."""
        figures, first = self._behind, self.figures[0]
        posts = dict.fromkeys(
            post
            for figure in figures.values()
            for post in figure.posts[: MAX_SAMPLE_POSTS // len(figures)]
        )
        return {
            "id": self.id, "week": first.week, "measure": SENTENCE_MEASURE, "brand": None, "subject": self.key,
            "value": None, "n": len(figures), "low": None, "high": None,
            "definition": "Composed from the numbers that the query gives, by a rule of docs/report.md.",
            "query": f"SELECT * FROM evidence WHERE id IN ({', '.join(f'{id_!r}' for id_ in figures)}) ORDER BY id",
            "versions": first.versions, "posts": list(posts),
        }  # fmt: skip

    @property
    def _behind(self) -> dict[str, Figure]:
        """Its figures, each once, by id."""
        return {figure.id: figure for figure in sorted(self.figures, key=lambda figure: figure.id)}


def _rounded(value: float | None) -> float | None:
    return (
        None if value is None or not math.isfinite(value) else round(float(value), _DECIMALS) + 0.0
    )
