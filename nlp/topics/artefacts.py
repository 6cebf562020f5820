"""Trend or artefact: what a rise is made of, and why it may be no news about the brand."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from folate.core.config import Topics
from folate.core.weeks import Period, last_day
from nlp.topics import first_story, holidays
from nlp.topics.detect import Alarm
from nlp.topics.stream import Ints, PostStream
from nlp.topics.surprise import AuthorCounts
from nlp.topics.topic import (
    FLAG_COPIED_TEXT,
    FLAG_LOUD_AUTHORS,
    FLAG_NEW_SOURCE,
    FLAG_ONE_SOURCE,
    FLAG_SEASONAL,
    FLAG_TEMPLATE,
)

MIN_SHARE = 0.5  # of the posts or authors
LOUD_AUTHORS = 3
MIN_POSTS_PER_LOUD_AUTHOR = (
    3.0  # posts a head among the loudest: an author who writes twice is not loud
)
MAX_ONE_SOURCE_PROBABILITY = (
    0.05  # that the authors of a topic are all of one source, were they drawn from the week's
)


def artefact_flags(
    stream: PostStream,
    posts: Ints,
    alarm: Alarm,
    terms: Sequence[str],
    span: Period,
    min_template_authors: int,
) -> list[str]:
    """The names of what speaks against a topic; `posts` are those of its week, `least` the fewest authors of a template."""
    found = []
    if not alarm.is_clean or _share(~stream.is_original[posts]) >= MIN_SHARE:
        found += _unclean(stream, posts)
    if first_story.template_author_share(stream, posts.tolist(), min_template_authors) >= MIN_SHARE:
        found.append(FLAG_TEMPLATE)
    if _one_source(stream, posts):
        found.append(FLAG_ONE_SOURCE)
    if _loud(stream, posts):
        found.append(FLAG_LOUD_AUTHORS)
    if holidays.nearby_holiday(terms, last_day(span) - timedelta(days=6), last_day(span)):
        found.append(FLAG_SEASONAL)
    return found


def _unclean(stream: PostStream, posts: Ints) -> list[str]:
    """Which of the two things set aside carries the rise: copies, or sources that have no baseline. At least one."""
    copies, fresh = (
        _share(~stream.is_original[posts]),
        _share(
            ~np.isin(
                stream.source_codes[posts],
                stream.source_codes[stream.week_index < stream.n_weeks - 1],
            )
        ),
    )
    found = [
        name
        for name, share in ((FLAG_COPIED_TEXT, copies), (FLAG_NEW_SOURCE, fresh))
        if share >= MIN_SHARE
    ]
    return found or [FLAG_COPIED_TEXT if copies > fresh else FLAG_NEW_SOURCE]


def _share(mask: np.ndarray) -> float:
    return float(mask.mean()) if len(mask) else 0.0


def _one_source(stream: PostStream, posts: Ints) -> bool:
    """All authors on one source, though the week's other sources were large enough to expect some of them there."""
    voices = np.unique(stream.author_codes[posts], return_index=True)[1]
    used = np.unique(stream.source_codes[posts])
    now = np.flatnonzero(stream.week_index == stream.n_weeks - 1)
    everyone = now[np.unique(stream.author_codes[now], return_index=True)[1]]
    return (
        len(used) == 1
        and _share(stream.source_codes[everyone] == used[0]) ** len(voices)
        < MAX_ONE_SOURCE_PROBABILITY
    )


def _loud(stream: PostStream, posts: Ints) -> bool:
    """Three authors wrote at least half of the posts, and each of them several."""
    by_voice = np.sort(np.unique(stream.author_codes[posts], return_counts=True)[1])[::-1]
    top = by_voice[:LOUD_AUTHORS].sum()
    return bool(
        top >= MIN_SHARE * len(posts)
        and top >= MIN_POSTS_PER_LOUD_AUTHOR * min(LOUD_AUTHORS, len(by_voice))
    )


def survives_without_top_authors(alarm: Alarm, settings: Topics) -> bool:
    """Whether the leading term keeps its gain and its authors when the three who wrote most of it are left out."""
    left = int(alarm.term_scores.observed[alarm.term_index]) - LOUD_AUTHORS
    return left >= settings.min_authors and left >= settings.min_gain * float(
        alarm.term_scores.expected[alarm.term_index]
    )


def decompose_rise(counts: AuthorCounts, term: int) -> dict[str, float | None]:
    """A term's rise over its weekly mean, as the product coverage x volume x share. Missing when the baseline has none of it.

    coverage: what the sources read this week bring in an average week, over what those of the baseline weeks brought;
    volume: how many more authors than that there were; share: how many more of the authors wrote of it.
    """
    past, now = counts.totals[:-1], counts.totals[-1]
    active = past[past.sum(axis=1) > 0]
    typical = active.sum(axis=0) / np.maximum((active > 0).sum(axis=0), 1)
    capacity = np.where(typical > 0, typical, now)
    covered = capacity[now > 0].sum() / ((active > 0) @ typical).mean()
    size = now.sum() / active.sum(axis=1).mean()
    weekly = counts.for_term(term).sum(axis=1)
    before = weekly[:-1].sum() / active.sum()
    share = weekly[-1] / now.sum() / before if before else None
    return {
        "coverage": float(covered),
        "volume": float(size / covered),
        "share": None if share is None else float(share),
    }
