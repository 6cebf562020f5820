"""What discovery hands over: topics, and what it could not know."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Literal

State = Literal["new", "weak", "strong", "fading", "gone"]

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
"""Why a rise may be an artefact. A flagged topic is listed after the others, never dropped."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """Something that more people than expected wrote about in one week. The fields are those of the table `topics`.

    `posts` counts every post of the topic, copies too; `authors` counts distinct authors after copies are set aside.
    """

    week: str
    id: str  # stays the same from week to week
    state: State
    label_zh: str
    label_en: str
    terms: tuple[str, ...]  # best first
    score: float  # -log10 of the upper tail of its leading term
    q: (
        float | None
    )  # Benjamini-Hochberg over the scopes tested; missing when the topic was not tested this week
    posts: int
    authors: int
    first_seen: datetime | None  # earliest post of the window with its leading term
    sources: tuple[str, ...]
    languages: tuple[str, ...]
    watched: bool
    flags: tuple[str, ...]
    segments: tuple[str, ...]
    brands: tuple[str, ...]
    evidence: tuple[str, ...]  # post ids, the central ones first
    detail: Mapping[str, Any] = field(default_factory=dict)

    def to_row(self) -> dict[str, Any]:
        """One row of the table `topics`: lists for tuples, `detail` as JSON with sorted keys."""
        row = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }
        return row | {"detail": json.dumps(self.detail, ensure_ascii=False, sort_keys=True)}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Topic":
        """The inverse of `to_row`; columns that a topic does not have are ignored."""
        values = {f.name: row[f.name] for f in fields(cls)}
        values = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        return cls(**values | {"detail": json.loads(row["detail"] or "{}")})


@dataclass(frozen=True, kw_only=True)
class Discovery:
    """One week's topics, and the terms of the test that found them."""

    topics: tuple[Topic, ...]  # best first: unflagged before flagged
    thresholds: Mapping[
        str, float
    ]  # by scope ("" is all posts, else a brand's id): the score that a term had to pass
    tested_terms: Mapping[str, int]  # by scope: how many candidate terms could have raised an alarm
    notes: tuple[str, ...]  # sentences: what could not be known, and why
    topic_posts: Mapping[str, tuple[str, ...]]  # by id of a topic: its posts of the week
