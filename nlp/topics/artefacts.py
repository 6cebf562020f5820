"""Flags of a topic whose rise may be an artefact, and the factors of a rise."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from folate.core.config import Topics
from folate.core.weeks import Period, last_day
from nlp.topics import first_story, holidays
from nlp.topics.alarms import Alarm
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

# Share of a topic's posts or authors from which a flag is set.
MIN_SHARE = 0.5
# The number of most active authors that are looked at.
LOUD_AUTHORS = 3
# Mean posts of these authors: one who writes twice is not loud.
MIN_POSTS_PER_LOUD_AUTHOR = 3.0
# Probability that authors drawn from those of the week are all on the source of the topic.
MAX_ONE_SOURCE_PROBABILITY = 0.05


def artefact_flags(
    stream: PostStream,
    posts: Ints,
    alarm: Alarm,
    *,
    terms: Sequence[str],
    span: Period,
    min_template_authors: int,
) -> list[str]:
    """Return the flags of a topic (see `nlp.topics.topic.FLAGS`).

    `posts` are its posts of the current week, `alarm` its leading alarm and `min_template_authors`
    the authors that a text template needs.
    """
    flags = []
    if not alarm.is_clean or _share_true(~stream.is_original[posts]) >= MIN_SHARE:
        flags += _copy_and_source_flags(stream, posts)
    template_share = first_story.template_author_share(stream, posts.tolist(), min_template_authors)
    if template_share >= MIN_SHARE:
        flags.append(FLAG_TEMPLATE)
    if _is_one_source(stream, posts):
        flags.append(FLAG_ONE_SOURCE)
    if _has_loud_authors(stream, posts):
        flags.append(FLAG_LOUD_AUTHORS)
    last = last_day(span)
    if holidays.nearby_holiday(terms, last - timedelta(days=6), last):
        flags.append(FLAG_SEASONAL)
    return flags


def _copy_and_source_flags(stream: PostStream, posts: Ints) -> list[str]:
    """Return which of the two exclusions causes the rise, copies or new sources: at least one."""
    baseline_sources = stream.source_codes[stream.week_index < stream.n_weeks - 1]
    is_new_source = ~np.isin(stream.source_codes[posts], baseline_sources)
    copied_share = _share_true(~stream.is_original[posts])
    new_source_share = _share_true(is_new_source)
    flags = []
    if copied_share >= MIN_SHARE:
        flags.append(FLAG_COPIED_TEXT)
    if new_source_share >= MIN_SHARE:
        flags.append(FLAG_NEW_SOURCE)
    return flags or [FLAG_COPIED_TEXT if copied_share > new_source_share else FLAG_NEW_SOURCE]


def _share_true(mask: np.ndarray) -> float:
    return float(mask.mean()) if len(mask) else 0.0


def _is_one_source(stream: PostStream, posts: Ints) -> bool:
    """Return whether all authors are on one source, which chance would rarely bring about."""
    topic_sources = np.unique(stream.source_codes[posts])
    n_authors = len(np.unique(stream.author_codes[posts]))
    week_posts = np.flatnonzero(stream.week_index == stream.n_weeks - 1)
    _, first_by_author = np.unique(stream.author_codes[week_posts], return_index=True)
    author_sources = stream.source_codes[week_posts[first_by_author]]
    if len(topic_sources) != 1:
        return False
    source_share = _share_true(author_sources == topic_sources[0])
    return source_share**n_authors < MAX_ONE_SOURCE_PROBABILITY


def _has_loud_authors(stream: PostStream, posts: Ints) -> bool:
    """Return whether the three most active authors wrote half of the posts, and several each."""
    _, posts_by_author = np.unique(stream.author_codes[posts], return_counts=True)
    loudest = np.sort(posts_by_author)[::-1][:LOUD_AUTHORS]
    loudest_posts = loudest.sum()
    return bool(
        loudest_posts >= MIN_SHARE * len(posts)
        and loudest_posts >= MIN_POSTS_PER_LOUD_AUTHOR * len(loudest)
    )


def survives_without_top_authors(alarm: Alarm, settings: Topics) -> bool:
    """Return whether gain and authors of the leading term suffice with `LOUD_AUTHORS` fewer."""
    remaining = int(alarm.term_scores.observed[alarm.term_index]) - LOUD_AUTHORS
    expected = float(alarm.term_scores.expected[alarm.term_index])
    return remaining >= settings.min_authors and remaining >= settings.min_gain * expected


def decompose_rise(counts: AuthorCounts, term: int) -> dict[str, float | None]:
    """Return the rise of a term over its weekly mean, as coverage x volume x share.

    coverage: authors that this week's sources have in an average week, over those that the sources
              of the baseline weeks have
    volume:   authors of this week over what the coverage predicts
    share:    share of the authors who used the term, this week over the baseline; None when the
              baseline has no author of the term
    """
    baseline_totals = counts.totals[:-1]
    week_totals = counts.totals[-1]
    active_weeks = baseline_totals[baseline_totals.sum(axis=1) > 0]
    weeks_by_source = np.maximum((active_weeks > 0).sum(axis=0), 1)
    typical = active_weeks.sum(axis=0) / weeks_by_source
    capacity = np.where(typical > 0, typical, week_totals)
    baseline_capacity = ((active_weeks > 0) @ typical).mean()
    coverage = capacity[week_totals > 0].sum() / baseline_capacity
    size_ratio = week_totals.sum() / active_weeks.sum(axis=1).mean()
    term_authors = counts.for_term(term).sum(axis=1)
    baseline_share = term_authors[:-1].sum() / active_weeks.sum()
    share = None
    if baseline_share:
        share = float(term_authors[-1] / week_totals.sum() / baseline_share)
    return {"coverage": float(coverage), "volume": float(size_ratio / coverage), "share": share}
