"""In how many authors' posts each word is, in two groups of posts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpora.answers.words import NO_LEMMA, SegmentPosts, WordForm, joined, word_ids
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
class OrderedPosts:
    """Posts of two groups, by author, and of one author those of the focus first."""

    # of the segments, the numbers of words
    ids: Sequence[npt.NDArray[np.uint32]]
    # number of the segment of each post, and its words there
    segments: Ints
    starts: Ints
    ends: Ints
    # numbers of authors, rising
    authors: Ints
    in_focus: Flags
    # whether the author has posts in both groups
    is_pair: Flags

    def runs(self) -> Iterator["PostRun"]:
        """Yield runs of posts that hold all posts of their authors, with their words.

        So many are in one run as the buffer holds, at least one author's.
        """
        totals = np.concatenate([[0], np.cumsum(self.ends - self.starts)])
        changes = np.flatnonzero(self.authors[1:] != self.authors[:-1]) + 1
        bounds = np.append(changes, len(self.authors))
        low = 0
        while low < len(self.authors):
            most = totals[low] + MAX_BUFFERED_WORDS
            fitting = np.searchsorted(totals[bounds], most, "right") - 1
            high = int(bounds[max(fitting, np.searchsorted(bounds, low, "right"))])
            yield self._run(low, high)
            low = high

    def _run(self, low: int, high: int) -> "PostRun":
        from corpora.answers.compiled import copy_stretches

        run = slice(low, high)
        starts, ends = self.starts[run], self.ends[run]
        bounds = np.cumsum(ends - starts)
        places = bounds - (ends - starts)
        words = np.empty(int((ends - starts).sum()), np.uint32)
        for number, ids in enumerate(self.ids):
            own = np.flatnonzero(self.segments[run] == number)
            copy_stretches(ids, starts[own], ends[own], places[own], words)
        return PostRun(run, words, bounds)


@dataclass(frozen=True)
class PostRun:
    """The words of a run of posts, one post after the other."""

    posts: slice
    words: npt.NDArray[np.uint32]
    # where the words of each post end
    ends: Ints


def order_by_author(
    focus: Sequence[SegmentPosts], reference: Sequence[SegmentPosts], form: WordForm
) -> OrderedPosts:
    """Bring the posts of two groups, which have the same segments, into the order of authors."""
    parts = [*focus, *reference]
    counts = [len(part.documents) for part in parts]
    keys = joined([part.segment.array("authors")[part.documents] for part in parts], np.uint64)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    is_new = np.ones(len(keys), bool)
    is_new[1:] = keys[1:] != keys[:-1]
    authors = np.cumsum(is_new)
    numbers = np.array([*range(len(focus)), *range(len(reference))], np.int64)
    in_focus = (np.arange(len(keys)) < sum(counts[: len(focus)]))[order]
    bounds = [part.segment.array("word_offsets") for part in parts]
    pairs = list(zip(bounds, parts, strict=True))
    starts = joined([bound[part.documents] for bound, part in pairs], np.int64)
    ends = joined([bound[part.documents + 1] for bound, part in pairs], np.int64)
    has_focus = np.bincount(authors, in_focus) > 0
    has_reference = np.bincount(authors, ~in_focus) > 0
    return OrderedPosts(
        [word_ids(part.segment, form) for part in focus],
        np.repeat(numbers, counts)[order],
        starts[order],
        ends[order],
        authors,
        in_focus,
        (has_focus & has_reference)[authors],
    )


def count_group_authors(posts: OrderedPosts, form: WordForm, size: int) -> AuthorCounts:
    """Count in how many authors' posts of two groups each word of a lexicon of `size` words is."""
    from corpora.answers import compiled

    state = np.zeros((size, compiled.STATE_COLUMNS), np.int32)
    for run in posts.runs():
        compiled.count_authors(
            run.words,
            run.ends,
            posts.authors[run.posts],
            posts.in_focus[run.posts],
            posts.is_pair[run.posts],
            run.posts.start + 1,
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


def _group_counts(posts: OrderedPosts, columns: Ints) -> GroupCounts:
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
