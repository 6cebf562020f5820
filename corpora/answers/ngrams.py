"""Word n-grams: stretches of a few words, the most frequent or those of most authors."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from corpora.answers.answer import Answer
from corpora.answers.ngram_counts import NgramTable, count_ngrams
from corpora.answers.ranking import best_first, most_authors, rounded
from corpora.answers.row_queries import both_nodes, words_node
from corpora.answers.word_pictures import draw_bars
from corpora.answers.words import (
    SegmentPosts,
    WordCounts,
    all_posts,
    annotated_posts,
    posts_by_segment,
    word_total,
)
from corpora.query.canonical import canonical
from corpora.query.syntax import Node
from corpora.search.view import CorpusView
from folate.core.errors import InputError
from folate.core.text import printable_text, quote_name
from nlp.text.normalize import normalize_text
from nlp.text.stopwords import stopwords

NgramSort = Literal["frequency", "authors"]

MAX_LENGTH = 6
"""Words of the longest n-grams that are counted."""

DEFINITIONS = {
    "ngram": "words that follow one another in a post, punctuation left out",
    "n": "how many words",
    "frequency": "how often it occurs; occurrences may overlap",
    "per_million": "frequency per million words of the posts",
    "posts": "posts with it",
    "authors": "authors of these posts",
    "query": "selects these posts",
    "version": "of the corpus",
}


class _Ngram(NamedTuple):
    """One n-gram with its counts."""

    words: tuple[str, ...]
    occurrences: int
    posts: int
    authors: int


def ngrams(
    view: CorpusView,
    query: str | None = None,
    *,
    lengths: tuple[int, int] = (2, 2),
    containing: str | None = None,
    min_frequency: int = 3,
    by: NgramSort = "frequency",
    terms_only: bool = False,
    limit: int = 50,
) -> Answer:
    """Return the n-grams of the posts of a query, of all posts without one.

    `lengths` is the least and the most number of words. With `containing`, only n-grams with this
    word are counted. With `terms_only`, those that begin or end with a function word are left out.
    `limit` is the number of rows, 0 for all. Raises InputError.
    """
    if not 1 <= lengths[0] <= lengths[1] <= MAX_LENGTH:
        raise InputError(
            f"wanted lengths of 1 to {MAX_LENGTH} words, the least first, "
            f"got {lengths[0]}-{lengths[1]}."
        )
    parsed = None if query is None else view.parse(query)
    result = None if parsed is None else view.search(parsed)
    found = all_posts(view) if result is None else posts_by_segment(view, result)
    posts, missing = annotated_posts(found, "word")
    word = None if containing is None else _known_word(view, containing)
    best: list[_Ngram] = []
    kept = 0
    for length in range(lengths[0], lengths[1] + 1):
        table = count_ngrams(
            posts, view.lexicon, length, word=word, min_frequency=max(min_frequency, 1)
        )
        if terms_only:
            table = _terms(table)
        kept += len(table.words)
        best += _best_of(table, by, limit)
    key = "occurrences" if by == "frequency" else "authors"
    best.sort(key=lambda ngram: (-getattr(ngram, key), ngram.words))
    best = best[:limit] if limit else best
    notes = (*(() if result is None else result.notes), *missing)
    if len(best) < kept:
        notes = (*notes, f"{len(best):,} of {kept:,} n-grams are shown.")
    tree = None if parsed is None else parsed.tree
    return Answer(
        "ngrams",
        query or "",
        "" if parsed is None else parsed.canonical,
        view.version,
        _rows(view, tree, posts, best),
        DEFINITIONS,
        notes,
        draw=lambda answer: draw_bars(answer, "ngram", by, f"{by}: {DEFINITIONS[by]}"),
    )


def _known_word(view: CorpusView, word: str) -> int:
    """Return the number of a word in the lexicon. Raises InputError."""
    number = max(view.lexicon.id(word), view.lexicon.id(normalize_text(word)))
    if number < 0:
        raise InputError(
            f"wanted a word of the corpus, got {quote_name(word)}, which no text was cut to; "
            "'folate segment' shows how a text is cut."
        )
    return number


def _terms(table: NgramTable) -> NgramTable:
    """Return the n-grams that neither begin nor end with a function word."""
    edges = np.unique(table.words[:, [0, -1]])
    function_words = stopwords()
    is_function_word = np.zeros(len(table.lexicon), bool)
    is_function_word[edges] = [word in function_words for word in table.lexicon.strings(edges)]
    firsts, lasts = table.words[:, 0], table.words[:, -1]
    return table.chosen(~is_function_word[firsts] & ~is_function_word[lasts])


def _best_of(table: NgramTable, by: NgramSort, limit: int) -> list[_Ngram]:
    """Return the best n-grams of one length, the best first."""

    def texts(indexes: npt.NDArray[np.int64]) -> list[tuple[str, ...]]:
        return table.chosen(indexes).texts()

    if by == "authors":
        order, counts = most_authors(
            table.frequencies, limit, lambda indexes: table.chosen(indexes).count(), texts
        )
        return _with_counts(table.chosen(order), counts)
    chosen = table.chosen(best_first(table.frequencies, limit, texts))
    return _with_counts(chosen, chosen.count())


def _with_counts(table: NgramTable, counts: WordCounts) -> list[_Ngram]:
    columns = [values.tolist() for values in counts]
    return [_Ngram(*values) for values in zip(table.texts(), *columns, strict=True)]


def _rows(
    view: CorpusView, tree: Node | None, posts: Sequence[SegmentPosts], best: Sequence[_Ngram]
) -> list[dict[str, Any]]:
    words = sum(map(word_total, posts))
    return [
        {
            "ngram": printable_text(" ".join(ngram.words)),
            "n": len(ngram.words),
            "frequency": ngram.occurrences,
            "per_million": rounded(ngram.occurrences / words * 1_000_000),
            "posts": ngram.posts,
            "authors": ngram.authors,
            "query": canonical(both_nodes(tree, words_node(ngram.words))),
            "version": view.version,
        }
        for ngram in best
    ]
