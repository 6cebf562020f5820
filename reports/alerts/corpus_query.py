"""Queries of the corpus: how many authors wrote matching posts, and how many were expected to."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from corpora.search.view import CorpusView
from folate.core.config import QueryRule
from folate.core.weeks import Period, preceding_periods
from nlp.stats.estimation import Ints
from nlp.stats.surges import estimate_surge
from reports.alerts.saved_query import BASELINE_WEEKS, SHORT_BASELINE_FLAG, QueryVolume
from reports.figures import MAX_SAMPLE_POSTS, Figure, versions_json
from reports.measures.query_posts import Flags, QueryPosts, read_query_posts


def read_rule_posts(view: CorpusView, rule: QueryRule, period: Period) -> QueryPosts:
    """Search the posts of a period and of the BASELINE_WEEKS before it.

    Raises InputError for a query that can't be answered.
    """
    weeks = [*preceding_periods(period, BASELINE_WEEKS), period]
    return read_query_posts(view, view.parse(rule.query), weeks)


def measure_corpus_query_volume(
    posts: QueryPosts, rule: QueryRule, versions: Mapping[str, int]
) -> QueryVolume | None:
    """Compare what a query finds in the last of the weeks with those before it.

    Copies of other posts are left out. Returns None if too few of the weeks have posts.
    """
    weeks = posts.weeks
    is_counted = ~posts.is_copy
    if posts.unit == "word":
        is_counted &= posts.has_words
    authors = _count_authors(posts, is_counted & posts.matches)
    all_authors = _count_authors(posts, is_counted)
    surge = estimate_surge(authors, all_authors)
    if surge is None:
        return None
    is_in_baseline = all_authors[:-1].sum(axis=0) > 0
    found = (
        is_counted & posts.matches & (posts.week == len(weeks) - 1) & is_in_baseline[posts.source]
    )
    post_ids = tuple(_first_post_by_author(posts, found))
    common_fields: dict[str, Any] = {
        "week": str(weeks[-1]),
        "versions": versions_json(versions),
        "subject": rule.query,
        "posts": post_ids,
        "flags": (SHORT_BASELINE_FLAG,) if surge.baseline_weeks < BASELINE_WEEKS else (),
    }
    return QueryVolume(
        authors=Figure(
            measure="corpus_query_authors",
            value=surge.observed,
            n=int(found.sum()),
            query=posts.in_weeks(weeks[-1:], without_copies=True),
            **common_fields,
        ),
        expected=Figure(
            measure="corpus_query_expected",
            value=surge.expected,
            low=surge.low,
            high=surge.high,
            n=surge.baseline_weeks,
            query=posts.in_weeks(weeks, without_copies=True),
            **common_fields,
        ),
        surge=surge,
        post_ids=post_ids,
    )


def _count_authors(posts: QueryPosts, chosen: Flags) -> Ints:
    """Return the distinct authors of the chosen posts by week and source."""
    shape = len(posts.weeks), max(1, len(posts.sources))
    cells = (posts.week * shape[1] + posts.source)[chosen]
    authors = posts.author[chosen]
    order = np.lexsort((authors, cells))
    cells, authors = cells[order], authors[order]
    is_first = np.ones(len(cells), bool)
    is_first[1:] = (cells[1:] != cells[:-1]) | (authors[1:] != authors[:-1])
    return np.bincount(cells[is_first], minlength=shape[0] * shape[1]).reshape(shape)


def _first_post_by_author(posts: QueryPosts, found: Flags) -> list[str]:
    """Return the ids of one post of each author, earliest first, at most MAX_SAMPLE_POSTS."""
    chosen = np.zeros(len(found), bool)
    places = np.flatnonzero(found)
    _, first = np.unique(posts.author[places], return_index=True)
    chosen[places[first]] = True
    return posts.post_ids(chosen, MAX_SAMPLE_POSTS)
