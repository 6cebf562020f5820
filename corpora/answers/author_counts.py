"""In how many authors' posts each word is, in two groups of posts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpora.answers.words import NO_LEMMA, SegmentPosts, WordForm, word_ids
from nlp.stats.keyness import GroupCounts

MAX_BUFFERED_WORDS = 1 << 25
"""Words that are brought into the order of their authors at once: 128 MB."""

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class AuthorCounts:
    """Authors by word and group, and the posts of the focus by word; of all words of a lexicon."""

    groups: GroupCounts
    focus_posts: Ints
    # words of the posts of each group
    focus_words: int
    reference_words: int


@dataclass(frozen=True)
class _Posts:
    """Posts of both groups, by author, and of one author those of the focus first."""

    # number of the segment of each post, and its words there
    segments: Ints
    starts: Ints
    ends: Ints
    # numbers of authors, rising
    authors: Ints
    in_focus: Flags
    # whether the author has posts in both groups
    is_pair: Flags


def count_group_authors(
    focus: Sequence[SegmentPosts],
    reference: Sequence[SegmentPosts],
    form: WordForm,
    size: int,
) -> AuthorCounts:
    """Count in how many authors' posts of two groups each word of a lexicon of `size` words is.

    Both groups have the same segments in the same order.
    """
    from corpora.answers import compiled

    posts = _posts_by_author(focus, reference)
    ids = [word_ids(part.segment, form) for part in focus]
    state = np.zeros((size, compiled.STATE_COLUMNS), np.int32)
    for low, high in _author_runs(posts):
        run = slice(low, high)
        lengths = posts.ends[run] - posts.starts[run]
        ends = np.cumsum(lengths)
        words = _words_in_order(posts, run, ends - lengths, ids)
        compiled.count_authors(
            words,
            ends,
            posts.authors[run],
            posts.in_focus[run],
            posts.is_pair[run],
            low + 1,
            state,
        )
    if form == "lemma":
        state[NO_LEMMA] = 0
    columns = state.T.astype(np.int64)
    lengths = posts.ends - posts.starts
    return AuthorCounts(
        _group_counts(posts, columns),
        columns[compiled.FOCUS_POSTS],
        int(lengths[posts.in_focus].sum()),
        int(lengths[~posts.in_focus].sum()),
    )


def _posts_by_author(focus: Sequence[SegmentPosts], reference: Sequence[SegmentPosts]) -> _Posts:
    parts = [*focus, *reference]
    counts = [len(part.documents) for part in parts]
    keys = np.concatenate([part.segment.array("authors")[part.documents] for part in parts])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    is_new = np.ones(len(keys), bool)
    is_new[1:] = keys[1:] != keys[:-1]
    authors = np.cumsum(is_new)
    numbers = [*range(len(focus)), *range(len(reference))]
    in_focus = np.arange(len(keys)) < sum(counts[: len(focus)])
    in_focus = in_focus[order]
    bounds = [part.segment.array("word_offsets") for part in parts]
    pairs = list(zip(bounds, parts, strict=True))
    starts = np.concatenate([bound[part.documents] for bound, part in pairs])
    ends = np.concatenate([bound[part.documents + 1] for bound, part in pairs])
    has_focus = np.bincount(authors, in_focus) > 0
    has_reference = np.bincount(authors, ~in_focus) > 0
    return _Posts(
        np.repeat(numbers, counts)[order],
        starts[order],
        ends[order],
        authors,
        in_focus,
        (has_focus & has_reference)[authors],
    )


def _author_runs(posts: _Posts) -> Iterator[tuple[int, int]]:
    """Yield runs of posts, [low, high), that hold all posts of their authors and fit the buffer.

    A run that has one author only may be larger.
    """
    totals = np.concatenate([[0], np.cumsum(posts.ends - posts.starts)])
    changes = np.flatnonzero(posts.authors[1:] != posts.authors[:-1]) + 1
    bounds = np.append(changes, len(posts.authors))
    low = 0
    while low < len(posts.authors):
        fitting = np.searchsorted(totals[bounds], totals[low] + MAX_BUFFERED_WORDS, "right") - 1
        next_bound = np.searchsorted(bounds, low, "right")
        high = int(bounds[max(fitting, next_bound)])
        yield low, high
        low = high


def _words_in_order(
    posts: _Posts, run: slice, places: Ints, ids: Sequence[npt.NDArray[np.uint32]]
) -> npt.NDArray[np.uint32]:
    """Return the words of a run of posts, one post after the other."""
    from corpora.answers.compiled import copy_stretches

    starts, ends = posts.starts[run], posts.ends[run]
    target = np.empty(int((ends - starts).sum()), np.uint32)
    for number, words in enumerate(ids):
        own = np.flatnonzero(posts.segments[run] == number)
        copy_stretches(words, starts[own], ends[own], places[own], target)
    return target


def _group_counts(posts: _Posts, columns: Ints) -> GroupCounts:
    from corpora.answers import compiled

    whole = columns[compiled.WHOLE_PAIRS]
    return GroupCounts(
        columns[compiled.FOCUS],
        columns[compiled.REFERENCE],
        _author_total(posts.authors, posts.in_focus),
        _author_total(posts.authors, ~posts.in_focus),
        _author_total(posts.authors, posts.is_pair),
        columns[compiled.PAIR_FOCUS] - whole,
        columns[compiled.PAIR_REFERENCE] - whole,
        whole,
    )


def _author_total(authors: Ints, chosen: Flags) -> int:
    """Return how many authors have a chosen post."""
    return int(np.count_nonzero(np.bincount(authors[chosen])))
