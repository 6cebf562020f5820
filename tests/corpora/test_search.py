"""Every construct and every count of the search equals a naive scan, over random corpora."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora.index.build import DOCUMENT_SCHEMA, build_segment
from corpora.index.lexicon import Lexicon
from corpora.index.segment import Segment
from corpora.query.syntax import (
    Alternatives,
    And,
    Both,
    Capture,
    CaptureAll,
    CaptureAny,
    CaptureComparison,
    CaptureEdge,
    CaptureLiteral,
    CaptureNot,
    CaptureValue,
    Constrained,
    Element,
    Filter,
    Look,
    Near,
    Node,
    Not,
    Or,
    Position,
    Repeat,
    Sequence,
    Term,
    Wildcard,
    Word,
    WordAll,
    WordAny,
    WordMatch,
    WordNot,
)
from corpora.search import engine, terms
from corpora.search.engine import search_segments
from corpora.search.hits import SearchResult
from nlp.text.normalize import normalize_text
from tests.corpora.naive_search import NaiveResult, Row, naive_search

# Few words in one corpus, so that random queries find something.
VOCABULARIES = [
    ["叶酸", "葉酸", "叶", "酸", "片", "孕妇"],
    ["哈", "哈哈", "蘋果", "苹果", "乾隆", "干"],
    ["folic", "Folic", "ＦＯＬＩＣ", "acid", "叶酸"],
    ["oat", "boat", "iphone", "iPhone15", "15", "维生素C", "c"],
    ["café", "cafe", "cafe\u0301", "naïve", "don't", "don’t", "ﬁsh"],
    ["йод", "Йод", "ＡＤ", "ad", "x", "一"],
    ["a", "b"],
]
SEPARATORS = [
    *[
        "",
        "",
        "",
        " ",
        " ",
        "-",
        "，",
        "。",
        "! ",
        "\n",
        "  ",
        "...",
        "～",
        "😀",
        "👨‍👩‍👧",
        "❤️",
        "　",
    ],
    *["<br/>", "&hellip;", "<b>", "</b>", "&amp;", "_", "@", "#", "’", "\t", "\u0301", "3", "５"],
]
Corpus = list[tuple[Row, int, bool]]

FIELDS = [
    *["brand:a", "brand:b", "source:weibo", "kind:post", "tag:food", "tag:food / dairy"],
    *["tag:foods", "place:广东 广州", "place:北京", "is:duplicate"],
]
PARTS = ["NOUN", "NUM", "VERB", "", "X"]
LEMMAS = ["叶酸", "acid", "café", "be", ""]
FLAGS = st.frozensets(st.sampled_from(["case", "no_diacritics", "width", "script"]), max_size=2)
MAYBE_FLAGS = st.one_of(st.just(frozenset()), st.just(frozenset()), FLAGS)


@st.composite
def rows(draw: st.DrawFn, name: str, vocabulary: list[str]) -> Row:
    body = ""
    words: list[str] = []
    starts: list[int] = []
    lengths: list[int] = []
    pieces = draw(
        st.lists(
            st.tuples(
                st.sampled_from(SEPARATORS), st.sampled_from(vocabulary), st.sampled_from("wwwwws-")
            ),
            max_size=12,
        )
    )
    for separator, piece, cut in pieces:
        body += separator
        # words of the segmentation are not always those that a query asks for
        parts = list(piece) if cut == "s" and "\u0301" not in piece else [piece]
        for part in parts:
            word = normalize_text(part)
            if cut != "-" and word:
                words.append(word)
                starts.append(len(body))
                lengths.append(len(part))
            body += part
    body += draw(st.sampled_from(SEPARATORS))
    is_annotated = draw(st.integers(0, 5)) > 0
    is_tagged = is_annotated and draw(st.integers(0, 3)) > 0
    tags = st.lists(
        st.tuples(st.sampled_from(LEMMAS), st.sampled_from(PARTS)),
        min_size=len(words),
        max_size=len(words),
    )
    tagged = draw(tags) if is_tagged else []
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=draw(st.integers(0, 20)))
    rating = draw(st.sampled_from([None, 0.0, 0.2, 0.4, 0.5, 0.6, 1.0]))
    return {
        "id": name,
        "author": draw(st.sampled_from([None, "ann", "bob"])),
        "published_at": moment,
        "day": (moment - datetime(1970, 1, 1, tzinfo=UTC)).days,
        "rating": rating,
        "body": body,
        "words": words if is_annotated else None,
        "starts": starts if is_annotated else None,
        "lengths": lengths if is_annotated else None,
        "lemmas": [lemma for lemma, _ in tagged] if is_tagged else None,
        "parts": [part for _, part in tagged] if is_tagged else None,
        "fields": draw(st.lists(st.sampled_from(FIELDS), max_size=3, unique=True)),
    }


@st.composite
def corpora(draw: st.DrawFn, vocabulary: list[str]) -> Corpus:
    """Return rows, each with the number of its segment and whether it is live."""
    count = draw(st.integers(0, 7))
    return [
        (draw(rows(f"p{number}", vocabulary)), draw(st.integers(0, 1)), draw(st.integers(0, 6)) > 0)
        for number in range(count)
    ]


MAX_LIST = 3
SPECIAL_TERMS = st.sampled_from(
    ["！", "。", "❤", "", " ", "-", "5", "叶酸 片", "....", "😀", "_", "&"]
)
SPECIAL_PATTERNS = [
    "f.*",
    "F.*C",
    ".*",
    "叶.*",
    "葉.",
    "[a-c]+",
    "caf.",
    "(oat|acid)s?",
    "é|ï.*",
    "",
]
WILDCARDS = ["f*", "*", "?", "叶*", "葉?", "*c*", "ﬁ*", "Ca??", "*"]
ELEMENTS = st.sampled_from([Element("sentence"), Element("post")])
LEMMA_MATCHES = st.builds(
    WordMatch,
    st.just("lemma"),
    st.sampled_from([*LEMMAS, "a.*", "cafe", "葉酸"]),
    st.booleans(),
    st.booleans(),
    MAYBE_FLAGS,
)
PART_MATCHES = st.builds(
    WordMatch,
    st.just("pos"),
    st.sampled_from(["N.*", "noun", "VERB|X", "NUM", ""]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([frozenset(), frozenset(["case"])]),
)
NAMES = st.sampled_from("AB")
LIMITS = st.tuples(st.integers(0, 2), st.integers(0, 2)).map(lambda pair: (pair[0], sum(pair)))
TEXT_VALUES = st.one_of(
    st.builds(CaptureValue, NAMES, st.sampled_from(["word", "word", "lemma", "pos"])),
    st.builds(CaptureLiteral, st.sampled_from(["叶酸", "葉酸", "NOUN", "zzz", "", "acid"])),
)
EDGES = st.builds(CaptureEdge, NAMES, st.sampled_from(["start", "end"]))
EDGE_OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
COMPARISONS = st.one_of(
    st.builds(CaptureComparison, TEXT_VALUES, st.sampled_from(["=", "!="]), TEXT_VALUES),
    st.builds(CaptureComparison, EDGES, EDGE_OPERATORS, EDGES),
)


def some(items: st.SearchStrategy[Any], least: int = 1) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, min_size=least, max_size=MAX_LIST).map(tuple)


def nested(items: st.SearchStrategy[Any], *kinds: Any, leaves: int) -> st.SearchStrategy[Any]:
    """Return items joined by two kinds of nodes, and negated by a third."""
    every, one, negation = kinds
    return st.recursive(
        items,
        lambda inner: st.one_of(
            st.builds(every, some(inner)), st.builds(one, some(inner)), st.builds(negation, inner)
        ),
        max_leaves=leaves,
    )


CONSTRAINTS = nested(COMPARISONS, CaptureAll, CaptureAny, CaptureNot, leaves=2)


def terms_of(vocabulary: list[str]) -> st.SearchStrategy[Term]:
    words = st.sampled_from(vocabulary)
    texts = st.one_of(
        words,
        words.map(lambda word: word[: max(1, len(word) - 1)]),
        st.builds("".join, some(st.sampled_from([*vocabulary, " ", "-", "，", "😀"]))),
        st.builds(" ".join, some(words)),
        SPECIAL_TERMS,
    )
    return st.builds(Term, texts, MAYBE_FLAGS)


def words_of(vocabulary: list[str]) -> st.SearchStrategy[Node]:
    patterns = st.sampled_from([*vocabulary, *vocabulary, *SPECIAL_PATTERNS])
    normal = st.sampled_from([normalize_text(word) for word in vocabulary])
    matches = st.one_of(
        st.builds(WordMatch, st.just("word"), patterns, st.booleans(), st.booleans(), MAYBE_FLAGS),
        LEMMA_MATCHES,
        PART_MATCHES,
    )
    conditions = nested(matches, WordAll, WordAny, WordNot, leaves=3)
    simple = st.builds(Word, st.builds(WordMatch, st.just("word"), normal))
    return st.one_of(
        simple,
        simple,
        st.just(Word()),
        st.builds(Word, conditions),
        st.builds(Wildcard, st.sampled_from(WILDCARDS), MAYBE_FLAGS),
        terms_of(vocabulary),
        ELEMENTS,
        st.builds(Capture, NAMES, st.one_of(st.just(Word()), simple)),
    )


def composed(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    relations = st.sampled_from(["within", "containing", "overlap"])
    return st.one_of(
        st.builds(Sequence, some(inner)),
        st.builds(Sequence, some(inner, least=2)),
        st.builds(lambda item, limits: Repeat(item, *limits), inner, LIMITS),
        st.builds(lambda limits: Repeat(Word(), *limits), LIMITS),
        st.builds(Alternatives, some(inner)),
        st.builds(Both, some(inner)),
        st.builds(Near, inner, inner, st.integers(0, 3), st.integers(0, 3)),
        st.builds(Position, inner, relations, st.one_of(inner, ELEMENTS), st.booleans()),
        st.builds(Look, inner, st.sampled_from(["ahead", "behind"]), st.booleans()),
        st.builds(Capture, NAMES, inner),
        st.builds(Constrained, inner, CONSTRAINTS),
        st.builds(Or, some(inner)),
    )


def filters_of(field: str, *values: str) -> st.SearchStrategy[Filter]:
    return st.builds(Filter, st.just(field), st.just("="), st.sampled_from(values))


def ranges_of(field: str, first: str, last: str) -> st.SearchStrategy[Filter]:
    return st.builds(
        Filter,
        st.just(field),
        st.just(".."),
        st.sampled_from(["", first]),
        st.sampled_from(["", last]),
    )


FILTERS = st.one_of(
    filters_of("brand", "a", "b", "c"),
    filters_of("tag", "food", "food / dairy"),
    filters_of("place", "广东", "廣州", "上海"),
    filters_of("day", "2026-01-01", "2026-01-09"),
    filters_of("week", "2026-W01", "2026-W03"),
    filters_of("author", "ann", "eve"),
    filters_of("id", "p0", "p3", "q1"),
    ranges_of("day", "2026-01-05", "2026-01-15"),
    ranges_of("week", "2026-W02", "2026-W03"),
    ranges_of("rating", "1", "3"),
    st.builds(
        Filter,
        st.just("rating"),
        st.sampled_from(["=", "<", "<=", ">", ">="]),
        st.sampled_from(["0", "1", "2", "2.5", "5"]),
    ),
)


def trees_of(vocabulary: list[str]) -> st.SearchStrategy[Node]:
    spans = st.recursive(words_of(vocabulary), composed, max_leaves=6)
    posts = nested(st.one_of(terms_of(vocabulary), spans, FILTERS, FILTERS), And, Or, Not, leaves=4)
    return st.one_of(spans, posts)


TREES_OF_A_CASE = 4


def cases_of(vocabulary: list[str]) -> st.SearchStrategy[tuple[Corpus, list[Node]]]:
    trees = st.lists(trees_of(vocabulary), min_size=1, max_size=TREES_OF_A_CASE)
    return st.tuples(corpora(vocabulary), trees)


CASES = st.one_of(*map(cases_of, VOCABULARIES))


def build_segments(corpus: Corpus, folder: Path) -> tuple[list[Segment], Lexicon]:
    # as the index begins it: number 0 is the lemma of a word that is not tagged
    lexicon = Lexicon([""])
    segments = []
    for number in range(2):
        members = [(row, live) for row, segment, live in corpus if segment == number]
        path = folder / str(number)
        path.mkdir()
        documents = pa.Table.from_pylist([row for row, _ in members], schema=DOCUMENT_SCHEMA)
        build_segment(path, documents, lexicon)
        members.sort(key=lambda member: (member[0]["published_at"], member[0]["id"]))
        live = np.array([is_live for _, is_live in members], np.bool_)
        segments.append(Segment(path, None if live.all() else live))
    return segments, lexicon


def found_hits(result: SearchResult) -> list[tuple[str, int, int, int, int]]:
    found = []
    for hits in result.segments:
        chars = hits.segment.array("char_offsets")[hits.hit_documents]
        words = hits.segment.array("word_offsets")[hits.hit_documents]
        columns = [
            hits.segment.ids(hits.hit_documents),
            (hits.starts - chars).tolist(),
            (hits.ends - chars).tolist(),
            (hits.first_words - words).tolist(),
            (hits.last_words - words).tolist(),
        ]
        assert (np.diff(hits.starts) >= 0).all()
        found += list(zip(*columns, strict=True))
    return found


def check(corpus: Corpus, trees: list[Node], block_size: int) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(engine, "BLOCK_MATCHES", block_size),
        patch.object(terms, "BLOCK_LENGTH", 40 * block_size),
    ):
        segments, lexicon = build_segments(corpus, Path(folder))
        rows = [row for row, _, is_live in corpus if is_live]
        for tree in trees:
            compare(search_segments(segments, lexicon, tree), naive_search(rows, tree))


def compare(result: SearchResult, expected: NaiveResult) -> None:
    posts = [post for hits in result.segments for post in hits.segment.ids(hits.documents)]
    assert sorted(posts) == sorted(expected.posts)
    assert sorted(found_hits(result)) == sorted(expected.hits)
    assert result.hit_count == len(expected.hits)
    assert result.post_count == len(expected.posts)
    assert result.unit == expected.unit
    assert result.size == expected.size
    assert result.searched_posts == expected.searched_posts
    assert result.posts_without_words == expected.posts_without_words


QUIET: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}


@given(CASES, st.sampled_from([1, 5, 1_000_000]))
@settings(max_examples=120, **QUIET)
def test_search_equals_naive_scan(case: tuple[Corpus, list[Node]], block_size: int) -> None:
    check(*case, block_size)
