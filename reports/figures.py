"""Figures: numbers of a report with the query, the versions and the posts behind them."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from folate.core.errors import FolateError
from folate.core.measures import CHANGE_UNITS, MEASURE_UNITS, Unit

CHANGE_SUFFIX = ".change"
"""Ends the measure of a difference to the week before."""
DETECTABLE_SUFFIX = ".detectable"
"""Ends that of the smallest such difference that would have been detected."""
TRAILING_SUFFIX = ".trailing"
"""Ends the measure of a difference to the mean of the trailing weeks."""
TRAILING_DETECTABLE_SUFFIX = ".trailing_detectable"
"""Ends that of the smallest such difference that would have been detected."""
EFFECT_SUFFIX = ".effect"
"""Ends the measure of the effect of a campaign."""

CORPUS_MEASURE_PREFIXES = ("saved_", "corpus_query_")
"""Begin the measures whose query is one of the corpus, not SQL."""

_SUFFIXES = (
    CHANGE_SUFFIX,
    DETECTABLE_SUFFIX,
    TRAILING_SUFFIX,
    TRAILING_DETECTABLE_SUFFIX,
    EFFECT_SUFFIX,
)

UNMEASURABLE_FLAG = "unmeasurable"
"""Flag of a figure without a value that labels of people could give."""

SENTENCE_MEASURE = "sentence"
"""Takes the place of the measure in the evidence of a sentence."""

MAX_SAMPLE_POSTS = 100
"""Most posts kept as evidence of one figure."""

_DECIMALS = 6
"""Decimals of a value: further ones depend on the order that a processor sums in."""


class NoEvidence(FolateError):
    """A number or a sentence has no evidence."""


def unit_of(measure: str) -> Unit:
    """Return the unit of a measure or of its change. Raises NoEvidence for an undefined one."""
    name, separator, suffix = measure.partition(".")
    is_change = separator + suffix in _SUFFIXES
    if name not in MEASURE_UNITS or (separator and not is_change):
        raise NoEvidence(f"wanted a measure that docs/measures.md defines, got {measure!r}.")
    return CHANGE_UNITS[MEASURE_UNITS[name]] if is_change else MEASURE_UNITS[name]


def is_corpus_measure(measure: str) -> bool:
    """Return whether the query of such a figure is one of the corpus, in its canonical form."""
    return measure.startswith(CORPUS_MEASURE_PREFIXES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A value of a measure with its interval, the observations behind it and their query.

    Shares, ratings and net sentiment are proportions (0 to 1, -1 to 1). Raises NoEvidence without a
    query or versions.
    """

    measure: str
    week: str
    value: float | None
    """None where it can't be measured."""
    n: int
    """Observations behind the value."""
    query: str
    """SQL with its parameters bound, or a query of the corpus (`is_corpus_measure`)."""
    versions: str
    """JSON {table: version}."""
    brand: str | None = None
    subject: str | None = None
    """What the value is about besides the brand: an aspect, a word, another brand."""
    low: float | None = None
    high: float | None = None
    posts: tuple[str, ...] = ()
    """Ids of posts, at most MAX_SAMPLE_POSTS."""
    flags: tuple[str, ...] = ()
    """Caveats: keys of [flag] in the messages."""

    def __post_init__(self) -> None:
        unit_of(self.measure)
        for name in ("query", "versions"):
            if not getattr(self, name).strip():
                subject = f"{self.measure} of {self.brand or 'the week'}"
                raise NoEvidence(f"wanted the {name} behind {subject}, got nothing.")
        for name in ("value", "low", "high"):
            object.__setattr__(self, name, _round_value(getattr(self, name)))
        object.__setattr__(self, "posts", self.posts[:MAX_SAMPLE_POSTS])

    @property
    def id(self) -> str:
        """Digest of measure, brand, subject, week, query and versions, but not of the value."""
        fields = (
            self.measure,
            self.brand or "",
            self.subject or "",
            self.week,
            self.query,
            self.versions,
        )
        return _digest("\0".join(fields))

    @property
    def unit(self) -> Unit:
        """The unit of the value."""
        return unit_of(self.measure)

    def evidence_row(self, definition: str) -> dict[str, Any]:
        """Return the row of the table `evidence`; `definition` is that of the measure."""
        return {
            "id": self.id,
            "week": self.week,
            "measure": self.measure,
            "brand": self.brand,
            "subject": self.subject,
            "value": self.value,
            "n": self.n,
            "low": self.low,
            "high": self.high,
            "definition": definition,
            "query": self.query,
            "versions": self.versions,
            "posts": list(self.posts),
        }


def versions_json(versions: Mapping[str, int]) -> str:
    """Return table versions as JSON without `evidence`, which a report writes itself."""
    return json.dumps(
        {name: version for name, version in sorted(versions.items()) if name != "evidence"}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change to the week before or to the mean of the trailing weeks."""

    figure: Figure
    detectable: Figure
    """The smallest change that would have been detected."""
    significant: bool
    """Whether its interval excludes 0, it is at least 2 points, and Benjamini-Hochberg keeps it."""

    @property
    def direction(self) -> Literal["up", "down", "none"]:
        """The direction of a significant change; none for any other."""
        if not self.significant or not self.figure.value:
            return "none"
        return "up" if self.figure.value > 0 else "down"


@dataclass(frozen=True, slots=True)
class FigureText:
    """The words of a figure, or of its interval, within a sentence."""

    text: str
    figure: Figure


@dataclass(frozen=True, slots=True)
class ExternalText:
    """Text from outside (a brand, a topic, a source), isolated from the direction of a sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class FigureSentence:
    """A sentence composed by rule from figures. Raises NoEvidence when it has none."""

    key: str
    """Its key in [sentence] of the messages."""
    parts: tuple[str | ExternalText | FigureText, ...]

    def __post_init__(self) -> None:
        if not self.figures:
            raise NoEvidence(
                f"wanted at least one figure behind the sentence {self.key!r}, got none."
            )

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Its figures in the order of the words."""
        return tuple(part.figure for part in self.parts if isinstance(part, FigureText))

    @property
    def text(self) -> str:
        """The sentence as plain text."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    @property
    def id(self) -> str:
        """Digest of the key and of the ids of the figures, the same in every language."""
        return _digest("\0".join((self.key, *self._figures_by_id)))

    @property
    def evidence_row(self) -> dict[str, Any]:
        """The row of the table `evidence`; its query gives the rows of the figures."""
        figures = self._figures_by_id
        first_figure = self.figures[0]
        posts: dict[str, None] = {}
        for figure in figures.values():
            posts.update(dict.fromkeys(figure.posts[: MAX_SAMPLE_POSTS // len(figures)]))
        ids = ", ".join(repr(figure_id) for figure_id in figures)
        return {
            "id": self.id,
            "week": first_figure.week,
            "measure": SENTENCE_MEASURE,
            "brand": None,
            "subject": self.key,
            "value": None,
            "n": len(figures),
            "low": None,
            "high": None,
            "definition": (
                "Composed from the numbers that the query gives, by a rule of docs/report.md."
            ),
            "query": f"SELECT * FROM evidence WHERE id IN ({ids}) ORDER BY id",
            "versions": first_figure.versions,
            "posts": list(posts),
        }

    @property
    def _figures_by_id(self) -> dict[str, Figure]:
        """Its distinct figures, sorted by id."""
        return {figure.id: figure for figure in sorted(self.figures, key=lambda figure: figure.id)}


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _round_value(value: float | None) -> float | None:
    """Round a value; infinite ones and NaN become None, -0.0 becomes 0.0."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), _DECIMALS) + 0.0
