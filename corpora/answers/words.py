"""Words of posts, counted: their positions, frequencies, posts and authors."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from corpora.index.segment import Positions, Segment
from corpora.search.hits import SearchResult, SegmentHits
from corpora.search.view import CorpusView

WordForm = Literal["word", "lemma"]
"""What of a word is counted: the word itself, or its lemma where it is tagged."""

NO_LEMMA = 0
"""Number that a word without a lemma has; in the lexicon it is the empty word."""

WordIds = npt.NDArray[np.uint32]


class SegmentPosts(NamedTuple):
    """Some posts of a segment: numbers of documents, rising."""

    segment: Segment
    documents: Positions


class WordCounts(NamedTuple):
    """How often some words occur, in how many posts and of how many authors."""

    occurrences: npt.NDArray[np.int64]
    posts: npt.NDArray[np.int64]
    authors: npt.NDArray[np.int64]


class Occurrences(NamedTuple):
    """Occurrences of things with numbers, in one segment: number and document of each."""

    segment: Segment
    numbers: npt.NDArray[np.int64]
    documents: Positions


def all_posts(view: CorpusView) -> list[SegmentPosts]:
    """Return all posts of every segment."""
    return [SegmentPosts(segment, segment.live_documents) for segment in view.segments]


def posts_by_segment(view: CorpusView, result: SearchResult) -> list[SegmentPosts]:
    """Return the matching posts of every segment of a corpus, in the order of its segments."""
    found = {id(hits.segment): hits.documents for hits in result.segments}
    none = np.empty(0, np.int64)
    return [SegmentPosts(segment, found.get(id(segment), none)) for segment in view.segments]


def is_among(posts: SegmentPosts) -> npt.NDArray[np.bool_]:
    """Return for each document of the segment whether it is one of the posts."""
    flags = np.zeros(posts.segment.document_count, bool)
    flags[posts.documents] = True
    return flags


def word_ids(segment: Segment, form: WordForm) -> WordIds:
    """Return the number in the lexicon of each word, or of its lemma."""
    ids: WordIds = segment.array("words" if form == "word" else "lemmas")
    return ids


def joined(parts: Iterable[npt.NDArray[Any]], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return arrays one after the other; of none an empty one of this type."""
    return np.concatenate([np.empty(0, dtype), *parts])


def split_by(values: npt.NDArray[Any], lengths: Sequence[int]) -> list[npt.NDArray[Any]]:
    """Return the stretches of `values` of these lengths: what `joined` put together."""
    bounds = np.cumsum([0, *lengths])
    return [values[low:high] for low, high in itertools.pairwise(bounds)]


def annotated_posts(
    parts: Sequence[SegmentPosts], form: WordForm
) -> tuple[list[SegmentPosts], tuple[str, ...]]:
    """Return the posts whose words, or lemmas, are known, and a note that counts the others."""
    known = [_annotated(part, form) for part in parts]
    counts = [
        len(own.documents) - len(part.documents) for own, part in zip(parts, known, strict=True)
    ]
    if not sum(counts):
        return known, ()
    command = "folate annotate" if form == "word" else "folate annotate --tags"
    return known, (f"posts without {form}s yet, left out: {sum(counts):,}; run '{command}'.",)


def _annotated(posts: SegmentPosts, form: WordForm) -> SegmentPosts:
    known = posts.segment.has_words if form == "word" else posts.segment.has_tags
    if known.all():
        return posts
    return SegmentPosts(posts.segment, posts.documents[known[posts.documents]])


def word_positions(posts: SegmentPosts) -> Positions:
    """Return the positions of all words of the posts."""
    bounds = posts.segment.array("word_offsets")
    return spread(bounds[posts.documents], bounds[posts.documents + 1])


def word_total(posts: SegmentPosts) -> int:
    """Return how many words the posts have."""
    bounds = posts.segment.array("word_offsets")
    if len(posts.documents) == posts.segment.document_count:
        return int(bounds[-1])
    return int((bounds[posts.documents + 1] - bounds[posts.documents]).sum())


def window_positions(hits: SegmentHits, left: int, right: int) -> Positions:
    """Return the positions of the words that are near some hit, in rising order.

    A word is near a hit if it is one of the `left` words before it or of the `right` words after
    it, in the same post. It is returned once, however many hits it is near; words of a hit are near
    another hit at most. No word is near a hit without words, such as one in a URL: as with NEAR.
    """
    bounds = hits.segment.array("word_offsets")
    has_words = hits.first_words < hits.last_words
    documents = hits.hit_documents[has_words]
    firsts, lasts = hits.first_words[has_words], hits.last_words[has_words]
    starts = np.concatenate([np.maximum(firsts - left, bounds[documents]), lasts])
    ends = np.concatenate([firsts, np.minimum(lasts + right, bounds[documents + 1])])
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], ends[order]
    if len(ends):
        # begin where all stretches before have ended
        starts[1:] = np.maximum(starts[1:], np.maximum.accumulate(ends)[:-1])
    return spread(starts, ends)


def word_frequencies(posts: SegmentPosts, form: WordForm, size: int) -> npt.NDArray[np.int64]:
    """Return how often each word of a lexicon of `size` words occurs in the posts."""
    document_count = posts.segment.document_count
    if 2 * len(posts.documents) <= document_count:
        return _counted_frequencies(posts, form, size)
    postings = posts.segment.words if form == "word" else posts.segment.lemmas
    totals = np.zeros(size, np.int64)
    totals[postings.keys] = np.diff(postings.offsets)
    if len(posts.documents) < document_count:
        others = SegmentPosts(posts.segment, np.flatnonzero(~is_among(posts)))
        totals -= _counted_frequencies(others, form, size)
    return totals


def count_occurrences(parts: Sequence[Occurrences], size: int) -> WordCounts:
    """Count occurrences of things with the numbers 0 to `size` - 1, their posts and authors."""
    occurrences = np.zeros(size, np.int64)
    posts = np.zeros(size, np.int64)
    author_pairs = [np.empty(0, np.uint64)]
    for part, author_numbers in zip(parts, _number_authors(parts), strict=True):
        occurrences += np.bincount(part.numbers, minlength=size)
        distinct = distinct_values(pair_keys(part.numbers, part.documents))
        numbers = first_of_pair(distinct)
        posts += np.bincount(numbers, minlength=size)
        author_pairs.append(pair_keys(numbers, author_numbers[second_of_pair(distinct)]))
    of_authors = first_of_pair(distinct_values(np.concatenate(author_pairs)))
    return WordCounts(occurrences, posts, np.bincount(of_authors, minlength=size))


def _number_authors(parts: Sequence[Occurrences]) -> list[Positions]:
    """Return for each part the number of the author of each document that has an occurrence."""
    documents = []
    keys = [np.empty(0, np.uint64)]
    for part in parts:
        is_present = np.zeros(part.segment.document_count, bool)
        is_present[part.documents] = True
        documents.append(np.flatnonzero(is_present))
        keys.append(part.segment.array("authors")[documents[-1]])
    authors = distinct_values(np.concatenate(keys))
    tables = []
    for part, own, own_keys in zip(parts, documents, keys[1:], strict=True):
        table = np.zeros(part.segment.document_count, np.int64)
        table[own] = np.searchsorted(authors, own_keys)
        tables.append(table)
    return tables


def distinct_values(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return the distinct values in rising order; sorting beats the hashing of `numpy.unique`."""
    return count_distinct(values)[0]


def count_distinct(
    values: npt.NDArray[np.uint64],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return the distinct values in rising order, and how often each occurs."""
    ordered = np.sort(values)
    is_new = np.ones(len(ordered), bool)
    is_new[1:] = ordered[1:] != ordered[:-1]
    firsts = np.flatnonzero(is_new)
    return ordered[firsts], np.diff(np.append(firsts, len(ordered)))


def find_words(
    posts: SegmentPosts, ids: npt.NDArray[np.int64], form: WordForm, size: int
) -> Occurrences:
    """Return where words are in the posts; the numbers of occurrences are places in `ids`."""
    positions = word_positions(posts)
    numbers = numbered(word_ids(posts.segment, form)[positions], ids, size)
    is_asked = numbers >= 0
    documents = posts.segment.documents_of_words(positions[is_asked])
    return Occurrences(posts.segment, numbers[is_asked], documents)


def numbered(ids: npt.NDArray[np.integer], chosen: npt.NDArray[np.integer], size: int) -> Positions:
    """Return for each of `ids`, below `size`, its place in `chosen`; -1 if it has none."""
    places = np.full(size, -1, np.int64)
    places[chosen] = np.arange(len(chosen))
    found: Positions = places[ids]
    return found


def _counted_frequencies(posts: SegmentPosts, form: WordForm, size: int) -> npt.NDArray[np.int64]:
    ids = word_ids(posts.segment, form)[word_positions(posts)]
    counts = np.bincount(ids, minlength=size)
    if form == "lemma":
        counts[NO_LEMMA] = 0
    return np.asarray(counts, np.int64)


def spread(starts: Positions, ends: Positions) -> Positions:
    """Return all positions of stretches, one after the other; an end before a start is none."""
    lengths = np.maximum(ends - starts, 0)
    total = int(lengths.sum())
    firsts = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(total) + np.repeat(starts - firsts, lengths), np.int64)


def pair_keys(
    numbers: npt.NDArray[np.integer], others: npt.NDArray[np.integer]
) -> npt.NDArray[np.uint64]:
    """Return one key for each pair of numbers below 2 ** 32; keys are in the order of pairs."""
    return numbers.astype(np.uint64) << np.uint64(32) | others.astype(np.uint64)


def first_of_pair(keys: npt.NDArray[np.uint64]) -> Positions:
    """Return the first number of each pair."""
    numbers: Positions = (keys >> np.uint64(32)).astype(np.int64)
    return numbers


def second_of_pair(keys: npt.NDArray[np.uint64]) -> Positions:
    """Return the second number of each pair."""
    numbers: Positions = (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return numbers
