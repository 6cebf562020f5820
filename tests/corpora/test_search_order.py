"""Words around hits, the order of posts and hits, and counts by day, week and author."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.index.build import author_key
from corpora.index.lexicon import Lexicon
from corpora.index.segment import Segment
from corpora.query.syntax import Filter, Node, Term, Wildcard
from corpora.search.engine import search_segments
from corpora.search.hits import SearchResult
from corpora.search.order import (
    counts_by_author,
    counts_by_day,
    counts_by_week,
    hit_order,
    hits_of_posts,
    mondays,
    post_order,
)
from corpora.search.windows import words_around
from tests.corpora.naive_search import NaivePost, NaiveResult, naive_search
from tests.corpora.test_search import QUIET, VOCABULARIES, Corpus, build_segments, corpora

QUERIES: list[Node] = [
    Wildcard("*"),
    Term("叶"),
    Term("acid"),
    Term("，"),
    Filter("brand", "=", "a"),
]
CORPORA = st.one_of(*[corpora(vocabulary) for vocabulary in VOCABULARIES])


class Case:
    """A corpus, what a query finds in it, and what it must find."""

    def __init__(self, corpus: Corpus, query: Node, folder: str) -> None:
        self.rows = {row["id"]: row for row, _, is_live in corpus if is_live}
        self.segments: list[Segment]
        self.lexicon: Lexicon
        self.segments, self.lexicon = build_segments(corpus, Path(folder))
        self.result: SearchResult = search_segments(self.segments, self.lexicon, query)
        self.expected: NaiveResult = naive_search(list(self.rows.values()), query)

    def moment_and_id(self, post: str) -> tuple[object, str]:
        return self.rows[post]["published_at"], post


@given(CORPORA, st.sampled_from(QUERIES))
@settings(max_examples=40, **QUIET)
def test_posts_and_hits_are_ordered_across_segments(corpus: Corpus, query: Node) -> None:
    with TemporaryDirectory() as folder:
        case = Case(corpus, query, folder)
        segments = case.result.segments
        posts = post_order(case.result)
        ids = []
        for number, index in zip(posts.segments, posts.indexes, strict=True):
            hits = segments[number]
            ids += hits.segment.ids(hits.documents[index : index + 1])
        assert ids == sorted(case.expected.posts, key=case.moment_and_id)
        order = hit_order(case.result)
        found = []
        for number, index in zip(order.segments, order.indexes, strict=True):
            hits = segments[number].chosen(np.array([index]))
            start = hits.segment.array("char_offsets")[hits.hit_documents]
            span = (int((hits.starts - start)[0]), int((hits.ends - start)[0]))
            found.append((*hits.segment.ids(hits.hit_documents), *span))
        wanted = sorted(hit[:3] for hit in case.expected.hits)
        assert found == sorted(wanted, key=lambda hit: case.moment_and_id(hit[0]))


@given(CORPORA, st.sampled_from(QUERIES))
@settings(max_examples=40, **QUIET)
def test_counts_by_day_week_and_author_equal_naive_ones(corpus: Corpus, query: Node) -> None:
    with TemporaryDirectory() as folder:
        case = Case(corpus, query, folder)
        rows = case.rows
        keys = {
            counts_by_day: lambda post: rows[post]["day"],
            counts_by_week: lambda post: int(mondays(np.array([rows[post]["day"]]))[0]),
            counts_by_author: lambda post: author_key(rows[post]["author"], post),
        }
        for count, key_of in keys.items():
            posts = Counter(key_of(post) for post in case.expected.posts)
            hits = Counter(key_of(hit[0]) for hit in case.expected.hits)
            groups = count(case.result)
            assert groups.keys.tolist() == sorted(posts)
            assert groups.posts.tolist() == [posts[key] for key in sorted(posts)]
            assert groups.hits.tolist() == [hits[key] for key in sorted(posts)]
        total = sum(int(hits_of_posts(hits).sum()) for hits in case.result.segments)
        assert total == len(case.expected.hits)


@given(CORPORA, st.sampled_from(QUERIES), st.integers(0, 3), st.integers(0, 3))
@settings(max_examples=40, **QUIET)
def test_words_around_hits_equal_naive_ones(
    corpus: Corpus, query: Node, left: int, right: int
) -> None:
    with TemporaryDirectory() as folder:
        case = Case(corpus, query, folder)
        found = []
        for hits in case.result.segments:
            windows = words_around(hits, left, right)
            ids = hits.segment.ids(hits.hit_documents)
            for index, post in enumerate(ids):
                inside = windows.inside[index]
                words = case.lexicon.strings(windows.words[index][inside])
                found.append((post, words, windows.offsets[inside].tolist()))
        expected = []
        for post, _, _, first, last in case.expected.hits:
            words = NaivePost(case.rows[post]).words
            places = [*range(first - left, first), *range(last, last + right)]
            offsets = [*range(-left, 0), *range(1, right + 1)]
            # no word is around a hit that touches none
            inside = [first < last and 0 <= place < len(words) for place in places]
            pairs = list(zip(places, offsets, inside, strict=True))
            near = [words[place] for place, _, is_inside in pairs if is_inside]
            expected.append((post, near, [offset for _, offset, ok in pairs if ok]))
        assert sorted(found) == sorted(expected)


def test_monday_of_a_week_is_its_first_day() -> None:
    # 1970-01-01 was a Thursday, 1970-01-05 a Monday
    assert mondays(np.array([0, 3, 4, 10, 11, -3])).tolist() == [-3, -3, 4, 4, 11, -3]
