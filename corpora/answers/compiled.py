"""Loops over all words of many posts, compiled. Import it in functions: numba takes a while."""

import numpy as np
import numpy.typing as npt
from numba import njit

Words = npt.NDArray[np.uint32]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
State = npt.NDArray[np.int32]

# Columns of the state of a word, which are side by side in memory: authors in the focus and in the
# reference, posts in the focus; authors of both groups with the word in the focus, in the
# reference and in both; numbers of the last posts with the word in the focus and in the reference.
(
    FOCUS,
    REFERENCE,
    FOCUS_POSTS,
    PAIR_FOCUS,
    PAIR_REFERENCE,
    WHOLE_PAIRS,
    LAST_FOCUS,
    LAST_REFERENCE,
) = range(8)
STATE_COLUMNS = 8


@njit(cache=True)  # type: ignore[untyped-decorator]
def copy_stretches(words: Words, starts: Ints, ends: Ints, places: Ints, target: Words) -> None:
    """Copy stretches of `words` to the places of `target` where they are to begin."""
    for stretch in range(len(starts)):
        place = places[stretch]
        for position in range(starts[stretch], ends[stretch]):
            target[place] = words[position]
            place += 1


@njit(cache=True)  # type: ignore[untyped-decorator]
def count_authors(
    words: Words,
    ends: Ints,
    authors: Ints,
    in_focus: Flags,
    is_pair: Flags,
    number: int,
    state: State,
) -> None:
    """Add to `state` (words, STATE_COLUMNS) how many authors and posts have each word.

    `words` are those of posts that end at `ends`, by author, and of one author those of the focus
    first. `is_pair` says that the author of a post has posts in both groups. `number` is that of
    the first post, from 1, higher than those of calls before.
    """
    start = 0
    author = np.int64(-1)
    first = number
    for post in range(len(ends)):
        if authors[post] != author:
            author = authors[post]
            first = number + post
        for position in range(start, ends[post]):
            word = words[position]
            if in_focus[post]:
                if state[word, LAST_FOCUS] < first:
                    state[word, FOCUS] += 1
                    state[word, PAIR_FOCUS] += is_pair[post]
                if state[word, LAST_FOCUS] < number + post:
                    state[word, FOCUS_POSTS] += 1
                    state[word, LAST_FOCUS] = number + post
            elif state[word, LAST_REFERENCE] < first:
                state[word, REFERENCE] += 1
                state[word, PAIR_REFERENCE] += is_pair[post]
                if state[word, LAST_FOCUS] >= first:
                    state[word, WHOLE_PAIRS] += 1
                state[word, LAST_REFERENCE] = number + post
        start = ends[post]


@njit(cache=True)  # type: ignore[untyped-decorator]
def count_pairs(
    words: Words,
    ends: Ints,
    authors: Ints,
    place_of_word: Ints,
    post_counts: State,
    author_counts: State,
    last_authors: State,
) -> None:
    """Count the posts and authors of pairs of words: [lower place, higher place] of square arrays.

    `words` are those of posts that end at `ends`, by author. `place_of_word` is -1 for words that
    are not asked for. Numbers of authors are positive; `last_authors` begins as 0.
    """
    count = len(post_counts)
    last_post = np.full(count, -1, np.int64)
    present = np.empty(count, np.int64)
    start = 0
    for post in range(len(ends)):
        found = 0
        for position in range(start, ends[post]):
            place = place_of_word[words[position]]
            if place >= 0 and last_post[place] != post:
                last_post[place] = post
                present[found] = place
                found += 1
        for one in range(found):
            for two in range(one):
                low = min(present[one], present[two])
                high = max(present[one], present[two])
                post_counts[low, high] += 1
                if last_authors[low, high] != authors[post]:
                    last_authors[low, high] = authors[post]
                    author_counts[low, high] += 1
        start = ends[post]
