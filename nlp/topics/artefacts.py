"""Trend or artefact: what a rise is made of, and why it may be no news about the brand."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from folate.core.config import Topics
from folate.core.weeks import Period, last_day
from nlp.topics import first_story, holidays
from nlp.topics.detect import Alarm
from nlp.topics.stream import Ints, Stream
from nlp.topics.surprise import Counts
from nlp.topics.topic import COPIED, LOUD, NEW_SOURCE, ONE_SOURCE, SEASONAL, TEMPLATE

HALF = 0.5  # of the posts or authors
LOUD_AUTHORS = 3
LOUD_POSTS = 3.0  # posts a head among the loudest: an author who writes twice is not loud
CHANCE = 0.05  # that the authors of a topic are all of one source, were they drawn from the week's


def flags(
    stream: Stream, posts: Ints, alarm: Alarm, terms: Sequence[str], span: Period, least: int
) -> list[str]:
    """The names of what speaks against a topic; `posts` are those of its week, `least` the fewest authors of a template."""
    found = []
    if not alarm.clean or _share(~stream.first[posts]) >= HALF:
        found += _unclean(stream, posts)
    if first_story.templated(stream, posts.tolist(), least) >= HALF:
        found.append(TEMPLATE)
    if _one_source(stream, posts):
        found.append(ONE_SOURCE)
    if _loud(stream, posts):
        found.append(LOUD)
    if holidays.near(terms, last_day(span) - timedelta(days=6), last_day(span)):
        found.append(SEASONAL)
    return found


def _unclean(stream: Stream, posts: Ints) -> list[str]:
    """Which of the two things set aside carries the rise: copies, or sources that have no baseline. At least one."""
    copies, fresh = (
        _share(~stream.first[posts]),
        _share(~np.isin(stream.source[posts], stream.source[stream.week < stream.weeks - 1])),
    )
    found = [name for name, share in ((COPIED, copies), (NEW_SOURCE, fresh)) if share >= HALF]
    return found or [COPIED if copies > fresh else NEW_SOURCE]


def _share(mask: np.ndarray) -> float:
    return float(mask.mean()) if len(mask) else 0.0


def _one_source(stream: Stream, posts: Ints) -> bool:
    """All authors on one source, though the week's other sources were large enough to expect some of them there."""
    voices = np.unique(stream.voice[posts], return_index=True)[1]
    used = np.unique(stream.source[posts])
    now = np.flatnonzero(stream.week == stream.weeks - 1)
    everyone = now[np.unique(stream.voice[now], return_index=True)[1]]
    return len(used) == 1 and _share(stream.source[everyone] == used[0]) ** len(voices) < CHANCE


def _loud(stream: Stream, posts: Ints) -> bool:
    """Three authors wrote at least half of the posts, and each of them several."""
    by_voice = np.sort(np.unique(stream.voice[posts], return_counts=True)[1])[::-1]
    top = by_voice[:LOUD_AUTHORS].sum()
    return bool(top >= HALF * len(posts) and top >= LOUD_POSTS * min(LOUD_AUTHORS, len(by_voice)))


def survives(alarm: Alarm, settings: Topics) -> bool:
    """Whether the leading term keeps its gain and its authors when the three who wrote most of it are left out."""
    left = int(alarm.surprise.observed[alarm.term]) - LOUD_AUTHORS
    return left >= settings.min_authors and left >= settings.min_gain * float(
        alarm.surprise.expected[alarm.term]
    )


def decomposition(counts: Counts, term: int) -> dict[str, float | None]:
    """A term's rise over its weekly mean, as the product coverage x volume x share. Missing when the baseline has none of it.

    coverage: what the sources read this week bring in an average week, over what those of the baseline weeks brought;
    volume: how many more authors than that there were; share: how many more of the authors wrote of it.
    """
    past, now = counts.base[:-1], counts.base[-1]
    active = past[past.sum(axis=1) > 0]
    typical = active.sum(axis=0) / np.maximum((active > 0).sum(axis=0), 1)
    capacity = np.where(typical > 0, typical, now)
    covered = capacity[now > 0].sum() / ((active > 0) @ typical).mean()
    size = now.sum() / active.sum(axis=1).mean()
    weekly = counts.of(term).sum(axis=1)
    before = weekly[:-1].sum() / active.sum()
    share = weekly[-1] / now.sum() / before if before else None
    return {
        "coverage": float(covered),
        "volume": float(size / covered),
        "share": None if share is None else float(share),
    }
