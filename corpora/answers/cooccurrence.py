"""Co-occurrence: the network of the words that are in the same posts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.answers.answer import Answer
from corpora.answers.author_counts import (
    OrderedPosts,
    count_group_authors,
    order_by_author,
)
from corpora.answers.ranking import best_first, rounded
from corpora.answers.row_queries import both_nodes, word_node
from corpora.answers.words import (
    SegmentPosts,
    WordForm,
    all_posts,
    annotated_posts,
    posts_by_segment,
)
from corpora.query.canonical import canonical
from corpora.query.syntax import Node
from corpora.search.view import CorpusView
from folate.core.errors import InputError
from folate.core.text import printable_text
from nlp.stats.association import expected_counts, log_dice, log_likelihood
from nlp.text.stopwords import stopwords

_EDGE_ATTRIBUTES = ("posts", "expected", "log_dice", "log_likelihood", "authors", "query")

MAX_WORDS = 2000
"""Words of the largest network."""

DEFINITIONS = {
    "word": "a word, or a lemma, that is in many posts of the query",
    "other": "another one, in the same posts",
    "posts": "posts with both; how often and how near each other they are makes no difference",
    "expected": "the same, if words were in random posts: word_posts * other_posts / all_posts",
    "log_dice": "14 + log2(2 * posts / (word_posts + other_posts))",
    "log_likelihood": "G2 of the 2 x 2 table of posts",
    "word_posts": "posts with the word",
    "other_posts": "posts with the other word",
    "all_posts": "posts of the query that have words",
    "authors": "authors of the posts with both",
    "query": "selects the posts with both",
    "version": "of the corpus",
}


@dataclass(frozen=True)
class _Words:
    """The words of a network: their numbers in the lexicon, and their posts and authors."""

    ids: npt.NDArray[np.int64]
    texts: Sequence[str]
    posts: npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Pairs:
    """Pairs of words, as places in the network, the lower first; their posts and authors."""

    firsts: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.int64]
    posts: npt.NDArray[np.int64]
    authors: npt.NDArray[np.int64]

    def chosen(self, indexes: npt.NDArray[np.int64]) -> "_Pairs":
        """Return some of the pairs, in the order of `indexes`."""
        return _Pairs(
            self.firsts[indexes],
            self.seconds[indexes],
            self.posts[indexes],
            self.authors[indexes],
        )

    def texts(self, words: _Words) -> list[tuple[str, str]]:
        """Return the two words of each pair."""
        places = zip(self.firsts.tolist(), self.seconds.tolist(), strict=True)
        return [(words.texts[first], words.texts[second]) for first, second in places]


def cooccurrence(
    view: CorpusView,
    query: str | None = None,
    *,
    top: int = 100,
    min_posts: int = 3,
    form: WordForm = "word",
    limit: int = 0,
) -> Answer:
    """Return the pairs of words that are in the same posts of a query, or of all posts.

    The words are the `top` words that most authors use in these posts, function words left out. A
    pair is in at least `min_posts` posts, and in more than by chance. The most typical pairs, by
    logDice, come first; `limit` is their number, 0 for all. Raises InputError.
    """
    if not 2 <= top <= MAX_WORDS:
        raise InputError(f"wanted 2 to {MAX_WORDS:,} words for a network, got {top:,}.")
    parsed = None if query is None else view.parse(query)
    result = None if parsed is None else view.search(parsed)
    found = all_posts(view) if result is None else posts_by_segment(view, result)
    posts, missing = annotated_posts(found, form)
    post_count = sum(len(part.documents) for part in posts)
    nothing = [SegmentPosts(part.segment, part.documents[:0]) for part in posts]
    ordered = order_by_author(posts, nothing, form)
    words = _choose_words(view, ordered, top, form)
    counted = _count_pairs(ordered, words, len(view.lexicon))
    pairs = _typical_pairs(counted, words, post_count, min_posts)
    strengths = log_dice(pairs.posts, words.posts[pairs.firsts], words.posts[pairs.seconds])
    order = best_first(strengths, limit, lambda indexes: pairs.chosen(indexes).texts(words))
    tree = None if parsed is None else parsed.tree
    rows = _rows(view, tree, words, pairs.chosen(order), post_count, form)
    notes = (*(() if result is None else result.notes), *missing)
    if len(rows) < len(pairs.posts):
        notes = (*notes, f"{len(rows):,} of {len(pairs.posts):,} pairs are shown.")
    return Answer(
        "cooccurrence",
        query or "",
        "" if parsed is None else parsed.canonical,
        view.version,
        rows,
        DEFINITIONS,
        notes,
        shared=("all_posts",),
    )


def cooccurrence_graphml(answer: Answer) -> str:
    """Return the network of an answer as GraphML: words are nodes, pairs are edges."""
    import networkx as nx

    graph = nx.Graph(query=answer.canonical, version=answer.version)
    for row in answer.rows:
        graph.add_node(row["word"], posts=row["word_posts"])
        graph.add_node(row["other"], posts=row["other_posts"])
        attributes = {name: row[name] for name in _EDGE_ATTRIBUTES}
        # programs that draw networks read the attribute of this name
        graph.add_edge(row["word"], row["other"], weight=row["log_dice"], **attributes)
    return "\n".join(nx.generate_graphml(graph)) + "\n"


def _choose_words(view: CorpusView, ordered: OrderedPosts, top: int, form: WordForm) -> _Words:
    counts = count_group_authors(ordered, form, len(view.lexicon))
    authors = counts.groups.focus.copy()
    function_words = view.lexicon.ids(pa.array(sorted(stopwords())))
    authors[function_words[function_words >= 0]] = 0
    ids = np.flatnonzero(authors)
    best = best_first(authors[ids], top, lambda indexes: view.lexicon.strings(ids[indexes]))
    chosen = ids[best]
    return _Words(chosen, view.lexicon.strings(chosen), counts.focus_posts[chosen])


def _count_pairs(ordered: OrderedPosts, words: _Words, size: int) -> _Pairs:
    from corpora.answers.compiled import count_pairs

    place_of_word = np.full(size, -1, np.int64)
    place_of_word[words.ids] = np.arange(len(words.ids))
    shape = (len(words.ids), len(words.ids))
    posts, authors, last_authors = (np.zeros(shape, np.int32) for _ in range(3))
    for run in ordered.runs():
        run_authors = ordered.authors[run.posts]
        count_pairs(run.words, run.ends, run_authors, place_of_word, posts, authors, last_authors)
    firsts, seconds = np.nonzero(posts)
    return _Pairs(
        firsts,
        seconds,
        posts[firsts, seconds].astype(np.int64),
        authors[firsts, seconds].astype(np.int64),
    )


def _typical_pairs(pairs: _Pairs, words: _Words, all_posts: int, min_posts: int) -> _Pairs:
    """Return the pairs that are in enough posts and in more than by chance."""
    expected = expected_counts(words.posts[pairs.firsts], words.posts[pairs.seconds], all_posts)
    is_typical = (pairs.posts >= min_posts) & (pairs.posts > expected)
    return pairs.chosen(np.flatnonzero(is_typical))


def _rows(
    view: CorpusView,
    tree: Node | None,
    words: _Words,
    pairs: _Pairs,
    all_posts: int,
    form: WordForm,
) -> list[dict[str, Any]]:
    first_posts, second_posts = words.posts[pairs.firsts], words.posts[pairs.seconds]
    expected = expected_counts(first_posts, second_posts, all_posts)
    strengths = log_dice(pairs.posts, first_posts, second_posts)
    evidence = log_likelihood(pairs.posts, first_posts, second_posts, all_posts)
    rows = []
    for place, (first, second) in enumerate(pairs.texts(words)):
        both = both_nodes(tree, word_node(first, form), word_node(second, form))
        rows.append(
            {
                "word": printable_text(first),
                "other": printable_text(second),
                "posts": int(pairs.posts[place]),
                "expected": rounded(expected[place]),
                "log_dice": rounded(strengths[place]),
                "log_likelihood": rounded(evidence[place]),
                "word_posts": int(first_posts[place]),
                "other_posts": int(second_posts[place]),
                "all_posts": all_posts,
                "authors": int(pairs.authors[place]),
                "query": canonical(both),
                "version": view.version,
            }
        )
    return rows
