"""Collocates: the words that occur near the hits of a query, and how much more than by chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from corpora.answers.answer import Answer
from corpora.answers.ranking import best_first, rounded
from corpora.answers.row_queries import near_node, word_node
from corpora.answers.searched import searched_posts
from corpora.answers.word_pictures import draw_values
from corpora.answers.words import (
    NO_LEMMA,
    Occurrences,
    SegmentPosts,
    WordCounts,
    WordForm,
    annotated_posts,
    count_occurrences,
    numbered,
    window_positions,
    word_frequencies,
    word_ids,
    word_total,
)
from corpora.index.segment import Positions, Segment
from corpora.query.canonical import canonical
from corpora.query.syntax import Query
from corpora.search.hits import SearchResult
from corpora.search.view import CorpusView
from folate.core.errors import InputError
from folate.core.text import printable_text
from nlp.stats.association import (
    cubic_mutual_information,
    expected_counts,
    log_dice,
    log_likelihood,
)

CollocateSort = Literal["log_dice", "log_likelihood", "mi3", "observed"]

DEFINITIONS = {
    "word": "a word, or a lemma, near the hits",
    "observed": "its occurrences near the hits; one that is near several hits counts once (O11)",
    "expected": "the same, if words were in random order: window_words * frequency / words (E11)",
    "log_likelihood": "G2 of the 2 x 2 table, negative where less is observed than expected",
    "log_dice": "14 + log2(2 * observed / (hits + frequency))",
    "mi3": "log2(observed ** 3 / expected)",
    "frequency": "its occurrences in the posts that were searched (C1)",
    "window_words": "words near the hits (R1)",
    "hits": "hits of the query; of lemmas those in tagged posts",
    "words": "words of the posts that were searched (N)",
    "posts": "posts with the word near a hit",
    "authors": "authors of these posts",
    "query": "selects these posts",
    "version": "of the corpus",
}


@dataclass(frozen=True)
class _Window:
    """The words near the hits of a query in one segment: their positions and numbers."""

    segment: Segment
    hit_count: int
    positions: Positions
    ids: npt.NDArray[np.uint32]


@dataclass(frozen=True)
class _Measures:
    """The measures of each word that is near enough hits."""

    ids: npt.NDArray[np.int64]
    window_words: int
    hits: int
    words: int
    frequency: npt.NDArray[np.int64]
    # columns of the answer, by name
    scores: Mapping[str, npt.NDArray[np.float64]]


def collocates(
    view: CorpusView,
    query: str,
    *,
    window: tuple[int, int] = (5, 5),
    min_observed: int = 3,
    form: WordForm = "word",
    sort: CollocateSort = "log_dice",
    limit: int = 50,
) -> Answer:
    """Return the words that are near the hits of a query, the most typical first.

    `window` is the number of words before a hit and after it. Words that occur less than
    `min_observed` times near hits are left out. `limit` is the number of rows, 0 for all. Raises
    InputError.
    """
    parsed = view.parse(query)
    result = view.search(parsed)
    if result.unit == "post":
        raise InputError(
            "wanted a query with words, near which others are counted, got only conditions on "
            f"posts: {parsed.canonical}; 'folate keyness' has the words of such posts."
        )
    windows = _find_windows(result, window, form)
    searched, missing = annotated_posts(searched_posts(view, parsed), form)
    measures = _measure(searched, windows, len(view.lexicon), min_observed, form)
    best = best_first(
        measures.scores[sort], limit, lambda indexes: view.lexicon.strings(measures.ids[indexes])
    )
    rows = _rows(view, parsed, windows, measures, best, window, form)
    # a search for words has told of posts without words
    is_told = result.unit == "word" and form == "word"
    notes = [*result.notes, *(() if is_told else missing)]
    if len(best) < len(measures.ids):
        notes.append(f"{len(best):,} of {len(measures.ids):,} words are shown.")
    return Answer(
        "collocates",
        query,
        parsed.canonical,
        view.version,
        rows,
        DEFINITIONS,
        tuple(notes),
        draw=lambda answer: draw_values(answer, "word", sort, f"{sort} = {DEFINITIONS[sort]}"),
        shared=("window_words", "hits", "words"),
    )


def _find_windows(result: SearchResult, window: tuple[int, int], form: WordForm) -> list[_Window]:
    windows = []
    for found in result.segments:
        hits = found
        if form == "lemma":
            is_tagged = found.segment.has_tags[found.hit_documents]
            hits = found.chosen(np.flatnonzero(is_tagged))
        positions = window_positions(hits, *window)
        ids = word_ids(hits.segment, form)[positions]
        if form == "lemma":
            positions, ids = positions[ids != NO_LEMMA], ids[ids != NO_LEMMA]
        windows.append(_Window(hits.segment, hits.hit_count, positions, ids))
    return windows


def _measure(
    posts: Sequence[SegmentPosts],
    windows: Sequence[_Window],
    size: int,
    min_observed: int,
    form: WordForm,
) -> _Measures:
    near = np.zeros(size, np.int64)
    for window in windows:
        near += np.bincount(window.ids, minlength=size)
    ids = np.flatnonzero(near >= max(min_observed, 1))
    frequency, words = _word_frequencies(posts, ids, size, form)
    window_words = int(near.sum())
    observed = near[ids]
    hits = sum(window.hit_count for window in windows)
    expected = expected_counts(window_words, frequency, words)
    scores = {
        "observed": observed.astype(np.float64),
        "expected": expected,
        "log_likelihood": log_likelihood(observed, window_words, frequency, words),
        "log_dice": log_dice(observed, hits, frequency),
        "mi3": cubic_mutual_information(observed, expected),
    }
    return _Measures(ids, window_words, hits, words, frequency, scores)


def _word_frequencies(
    posts: Sequence[SegmentPosts], ids: npt.NDArray[np.int64], size: int, form: WordForm
) -> tuple[npt.NDArray[np.int64], int]:
    """Return how often each word occurs in posts, and how many words they have."""
    frequencies = np.zeros(size, np.int64)
    for part in posts:
        frequencies += word_frequencies(part, form, size)
    return frequencies[ids], sum(map(word_total, posts))


def _rows(
    view: CorpusView,
    query: Query,
    windows: Sequence[_Window],
    measures: _Measures,
    best: npt.NDArray[np.int64],
    window: tuple[int, int],
    form: WordForm,
) -> list[dict[str, Any]]:
    ids = measures.ids[best]
    counts = _count_posts(windows, ids, len(view.lexicon))
    rows = []
    for place, word in enumerate(view.lexicon.strings(ids)):
        index = best[place]
        scores = {name: rounded(values[index]) for name, values in measures.scores.items()}
        tree = near_node(query.tree, word_node(word, form), *window)
        assert tree is not None  # noqa: S101 - a query with hits has something to be near
        rows.append(
            {
                "word": printable_text(word),
                **scores,
                "observed": int(counts.occurrences[place]),
                "frequency": int(measures.frequency[index]),
                "window_words": measures.window_words,
                "hits": measures.hits,
                "words": measures.words,
                "posts": int(counts.posts[place]),
                "authors": int(counts.authors[place]),
                "query": canonical(tree),
                "version": view.version,
            }
        )
    return rows


def _count_posts(windows: Sequence[_Window], ids: npt.NDArray[np.int64], size: int) -> WordCounts:
    """Count the posts and authors of words near hits."""
    parts = []
    for window in windows:
        numbers = numbered(window.ids, ids, size)
        is_shown = numbers >= 0
        documents = window.segment.documents_of_words(window.positions[is_shown])
        parts.append(Occurrences(window.segment, numbers[is_shown], documents))
    return count_occurrences(parts, len(ids))
