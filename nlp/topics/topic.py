"""Topic and Discovery: the results of topic discovery."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

State = Literal["new", "weak", "strong", "fading", "gone"]
"""How a topic changed since the period before (see `nlp.topics.tracking`)."""

FLAG_COPIED_TEXT = "copied text"
FLAG_LOUD_AUTHORS = "three loud authors"
FLAG_NEW_SOURCE = "new source"
FLAG_ONE_SOURCE = "one source"
FLAG_SEASONAL = "seasonal"
FLAG_SHORT_BASELINE = "short baseline"
FLAG_TEMPLATE = "template"
FLAGS = (
    FLAG_COPIED_TEXT,
    FLAG_TEMPLATE,
    FLAG_NEW_SOURCE,
    FLAG_ONE_SOURCE,
    FLAG_LOUD_AUTHORS,
    FLAG_SEASONAL,
    FLAG_SHORT_BASELINE,
)
"""Reasons why a rise may be an artefact. Flagged topics are ranked last, never dropped."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """A group of terms used by more authors than expected in one period.

    The fields are the columns of the table `topics`.
    """

    # The period, as `str(Week)` or `str(SevenDays)`.
    week: str
    # Stays the same from period to period.
    id: str
    state: State
    label_zh: str
    label_en: str
    # Best first.
    terms: tuple[str, ...]
    # -log10 of the upper tail probability of the leading term.
    score: float
    # Benjamini-Hochberg q-value over the tested scopes; None when not tested in this period.
    q: float | None
    # All posts, copies included.
    posts: int
    # Distinct authors of the posts that are no copies.
    authors: int
    # Time of the earliest post of the window with the leading term.
    first_seen: datetime | None
    sources: tuple[str, ...]
    languages: tuple[str, ...]
    # Whether a term matches the watch list.
    watched: bool
    # Values of FLAGS.
    flags: tuple[str, ...]
    # Audience segments over-represented among the authors.
    segments: tuple[str, ...]
    # Ids of the brands in whose posts a term of the topic passed the threshold.
    brands: tuple[str, ...]
    # Post ids, the representative ones first.
    evidence: tuple[str, ...]
    # Further figures by name, ready for JSON (docs/topics.md lists them).
    detail: Mapping[str, Any] = field(default_factory=dict)

    def to_row(self) -> dict[str, Any]:
        """Return a row of the table `topics`, with lists for tuples and `detail` as sorted JSON."""
        row = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }
        return row | {"detail": json.dumps(self.detail, ensure_ascii=False, sort_keys=True)}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Topic":
        """Build a topic from a row of the table `topics`, ignoring columns that are no fields."""
        values = {f.name: row[f.name] for f in fields(cls)}
        values = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        return cls(**values | {"detail": json.loads(row["detail"] or "{}")})


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """The topics of one period, with the thresholds of the tests that found them."""

    # Best first: unflagged before flagged.
    topics: tuple[Topic, ...]
    # Scope ("" for all posts, else a brand's id) -> score that a term had to pass.
    thresholds: Mapping[str, float]
    # Scope -> number of candidate terms with enough authors and gain to be tested.
    tested_terms: Mapping[str, int]
    # Sentences that say what could not be determined, and why.
    notes: tuple[str, ...]
    # Topic id -> ids of its posts of the period.
    topic_posts: Mapping[str, tuple[str, ...]]
