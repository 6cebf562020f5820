"""Keyness: the words that more authors use in one group of posts than in another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from corpora.answers.answer import Answer
from corpora.answers.author_counts import AuthorCounts, count_group_authors, order_by_author
from corpora.answers.ranking import best_first, rounded
from corpora.answers.row_queries import both_nodes, word_node
from corpora.answers.word_pictures import draw_intervals
from corpora.answers.words import (
    SegmentPosts,
    WordForm,
    annotated_posts,
    is_among,
    posts_by_segment,
)
from corpora.query.canonical import canonical
from corpora.query.syntax import Node, Not, Query
from corpora.search.view import CorpusView
from folate.core.errors import InputError
from folate.core.text import printable_text
from nlp.stats.keyness import (
    GroupCounts,
    conservative_log_ratio,
    keyness_log_likelihood,
    log_ratio,
    log_ratio_interval,
    may_differ,
    permutation_p_values,
    simple_maths,
)

KeynessSort = Literal["conservative", "log_ratio", "log_likelihood", "simple_maths"]

UNEQUAL_LENGTH = 2
"""How many times as many words an author has in one group as in the other before a note says so."""

_PICTURE_UNIT = "log2 of the ratio of shares of authors, with intervals: 95 % for all tested words"

DEFINITIONS = {
    "word": "a word, or a lemma, that more authors use in the focus",
    "focus": "authors who use it in the focus",
    "reference": "authors who use it in the reference",
    "log_ratio": "log2 of the ratio of their shares of authors; half an author is added to each",
    "low": "lower bound of log2 of the ratio, 95 % for all tested words together (Bonferroni)",
    "high": "upper bound; none where nobody in the reference uses the word",
    "conservative": "the bound nearer to 0; 0 where the interval contains 0 (Evert 2022)",
    "log_likelihood": "G2 of the 2 x 2 table of authors",
    "simple_maths": "(authors per million in the focus + 1) / (the same in the reference + 1)",
    "p": "of the permutation test over authors, two-sided, for this word alone",
    "focus_authors": "authors of the focus",
    "reference_authors": "authors of the reference",
    "posts": "posts of the focus with the word",
    "query": "selects these posts",
    "version": "of the corpus",
}


@dataclass(frozen=True)
class _Groups:
    """The posts of the focus and of the reference, those that are in both left out."""

    focus: Sequence[SegmentPosts]
    reference: Sequence[SegmentPosts]
    # selects the posts of the focus
    focus_tree: Node
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Keywords:
    """Words by their numbers in the lexicon, and their scores, by the name of the column."""

    ids: npt.NDArray[np.int64]
    scores: Mapping[str, npt.NDArray[np.float64]]

    def chosen(self, indexes: npt.NDArray[np.int64]) -> "_Keywords":
        """Return some of the words, in the order of `indexes`."""
        scores = {name: values[indexes] for name, values in self.scores.items()}
        return _Keywords(self.ids[indexes], scores)


def keyness(
    view: CorpusView,
    focus: str,
    reference: str | None = None,
    *,
    min_authors: int = 5,
    form: WordForm = "word",
    sort: KeynessSort = "conservative",
    limit: int = 50,
) -> Answer:
    """Return the words that more authors use in the posts of `focus` than in those of `reference`.

    Without a reference it is all other posts. Posts that both select are in neither group. Words
    that less than `min_authors` authors use in both groups together are not tested. `limit` is the
    number of rows, 0 for all. Raises InputError.
    """
    focus_query = view.parse(focus)
    reference_query = None if reference is None else view.parse(reference)
    groups = _find_groups(view, focus_query, reference_query, form)
    ordered = order_by_author(groups.focus, groups.reference, form)
    counts = count_group_authors(ordered, form, len(view.lexicon))
    _require_authors(counts.groups)
    authors = counts.groups.focus + counts.groups.reference
    tested = np.flatnonzero(authors >= max(min_authors, 1))
    keywords = _find_keywords(counts.groups, tested)
    best = best_first(
        keywords.scores[sort], limit, lambda indexes: view.lexicon.strings(keywords.ids[indexes])
    )
    rows = _rows(view, groups.focus_tree, counts, keywords.chosen(best), form)
    notes = _count_notes(counts, len(tested), len(keywords.ids), len(best))
    texts = [query for query in (focus, reference) if query is not None]
    queries = [query.canonical for query in (focus_query, reference_query) if query is not None]
    heading = " | ".join(queries if reference_query else [*queries, "all other posts"])
    return Answer(
        "keyness",
        " | ".join(texts),
        " | ".join(queries),
        view.version,
        rows,
        DEFINITIONS,
        (*groups.notes, *notes),
        draw=lambda answer: draw_intervals(
            answer, "word", ("log_ratio", "low", "high"), _PICTURE_UNIT, heading
        ),
        shared=("focus_authors", "reference_authors"),
    )


def _find_groups(
    view: CorpusView, focus: Query, reference: Query | None, form: WordForm
) -> _Groups:
    other = Query("", Not(focus.tree), "") if reference is None else reference
    focus_posts = posts_by_segment(view, view.search(focus))
    reference_posts = posts_by_segment(view, view.search(other))
    groups: tuple[list[SegmentPosts], list[SegmentPosts]] = ([], [])
    shared = 0
    for pair in zip(focus_posts, reference_posts, strict=True):
        in_both = is_among(pair[0]) & is_among(pair[1])
        shared += int(in_both.sum())
        for group, posts in zip(groups, pair, strict=True):
            own = posts.documents[~in_both[posts.documents]]
            group.append(SegmentPosts(posts.segment, own))
    notes = []
    if shared:
        notes.append(f"posts that are in both groups, left out of both: {shared:,}.")
    known, missing = annotated_posts([*groups[0], *groups[1]], form)
    count = len(focus_posts)
    tree = both_nodes(focus.tree, Not(other.tree)) if shared else focus.tree
    return _Groups(known[:count], known[count:], tree, (*notes, *missing))


def _require_authors(groups: GroupCounts) -> None:
    if not groups.focus_size or not groups.reference_size:
        raise InputError(
            "wanted posts with words in both groups, got "
            f"{groups.focus_size:,} authors in the focus and {groups.reference_size:,} in the "
            "reference."
        )


def _find_keywords(groups: GroupCounts, tested: npt.NDArray[np.int64]) -> _Keywords:
    """Return the words, of those tested, that surely more authors use in the focus."""
    counts = _counts(groups, tested)
    tests = max(len(tested), 1)
    possible = tested[may_differ(*counts, tests=tests) & (log_ratio(*counts) > 0)]
    counts = _counts(groups, possible)
    ratio = log_ratio(*counts)
    interval = log_ratio_interval(*counts, tests=tests)
    scores = {
        "log_ratio": ratio,
        "low": interval.low,
        "high": interval.high,
        "conservative": conservative_log_ratio(ratio, interval),
        "log_likelihood": keyness_log_likelihood(*counts),
        "simple_maths": simple_maths(*counts),
    }
    return _Keywords(possible, scores).chosen(np.flatnonzero(scores["conservative"] > 0))


def _counts(
    groups: GroupCounts, words: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int, int]:
    return groups.focus[words], groups.reference[words], groups.focus_size, groups.reference_size


def _take_words(groups: GroupCounts, words: npt.NDArray[np.int64]) -> GroupCounts:
    """Return the counts of some words."""
    return groups._replace(
        focus=groups.focus[words],
        reference=groups.reference[words],
        only_focus_pairs=groups.only_focus_pairs[words],
        only_reference_pairs=groups.only_reference_pairs[words],
        whole_pairs=groups.whole_pairs[words],
    )


def _rows(
    view: CorpusView, focus_tree: Node, counts: AuthorCounts, keywords: _Keywords, form: WordForm
) -> list[dict[str, Any]]:
    groups = _take_words(counts.groups, keywords.ids)
    p_values = permutation_p_values(groups)
    rows = []
    for place, word in enumerate(view.lexicon.strings(keywords.ids)):
        rows.append(
            {
                "word": printable_text(word),
                "focus": int(groups.focus[place]),
                "reference": int(groups.reference[place]),
                **{name: rounded(values[place]) for name, values in keywords.scores.items()},
                "p": float(f"{p_values[place]:.6g}"),
                "focus_authors": groups.focus_size,
                "reference_authors": groups.reference_size,
                "posts": int(counts.focus_posts[keywords.ids[place]]),
                "query": canonical(both_nodes(focus_tree, word_node(word, form))),
                "version": view.version,
            }
        )
    return rows


def _count_notes(counts: AuthorCounts, tested: int, sure: int, shown: int) -> list[str]:
    groups = counts.groups
    notes = [
        f"{sure:,} of {tested:,} tested words are surely used by a larger share of the "
        f"{groups.focus_size:,} authors of the focus than of the {groups.reference_size:,} of the "
        f"reference; {shown:,} are shown."
    ]
    if groups.pairs:
        notes.append(f"authors with posts in both groups, who count in each: {groups.pairs:,}.")
    focus_length = counts.focus_words / groups.focus_size
    reference_length = counts.reference_words / groups.reference_size
    if not 1 / UNEQUAL_LENGTH <= focus_length / reference_length <= UNEQUAL_LENGTH:
        notes.append(
            f"an author has {focus_length:,.0f} words in the focus and {reference_length:,.0f} in "
            "the reference: more words give each word more authors."
        )
    return notes
