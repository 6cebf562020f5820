"""Strategies of hypothesis for trees of queries, in their normal form, and for texts like them."""

from typing import get_args

from hypothesis import strategies as st

from corpora.query.build import (
    all_conditions,
    all_constraints,
    all_of,
    alternatives,
    any_condition,
    any_constraint,
    any_of,
    both,
    sequence,
)
from corpora.query.scan import has_something_to_match
from corpora.query.syntax import (
    Capture,
    CaptureComparison,
    CaptureEdge,
    CaptureLiteral,
    CaptureNot,
    CaptureValue,
    Constrained,
    Element,
    Filter,
    Flag,
    Look,
    Near,
    Not,
    Position,
    Repeat,
    Term,
    Wildcard,
    Word,
    WordMatch,
    WordNot,
)

FLAGS = st.frozensets(st.sampled_from(get_args(Flag)), max_size=4)
# Characters that mean something in some place of a query, and some that do not.
CHARACTERS = st.sampled_from(list("叶酸葉Ａaéb1 '\"\\-*?+%c@:/#.&|!()[]{}<>=,;^~_😀（）“”：，。OR"))
WORDS = ("叶酸", "葉酸", "folic", "it's", "H&M", "AND", "NEAR", "within", "a:b", "50%", "-a", "l")
FILTERS = (
    Filter("brand", "=", "kraft"),
    Filter("place", "=", "新 疆"),
    Filter("week", "..", "2026-W01", "2026-W10"),
    Filter("day", "..", "", "2026-03-01"),
    Filter("rating", "<=", "2.5"),
    Filter("rating", "..", "2", "4"),
    Filter("tag", "=", "food / milk powder"),
    Filter("tag", "=", "food / dairy"),
    Filter("sentiment", "=", "negative/kraft"),
    Filter("id", "=", 'a:"b)\\'),
    Filter("id", "=", "<=2"),
    Filter("is", "=", "duplicate"),
)


def _normal_text(text: str) -> str:
    return " ".join(text.split())


TEXTS = st.one_of(st.sampled_from(WORDS), st.text(CHARACTERS, max_size=8).map(_normal_text))
TERMS = st.builds(Term, TEXTS.filter(has_something_to_match), FLAGS)
WILDCARDS = st.builds(Wildcard, st.sampled_from(["pregnan*", "孕*", "a?b", "*酸", "a-*"]), FLAGS)
PATTERNS = st.sampled_from(["叶酸", "a.*", r"e\.g\.", 'a"b', "(a|b)+", r"\\", "", "[a-z]", "it's"])
NAMES = st.sampled_from(["A", "B", "verb"])
ATTRIBUTES = st.sampled_from(["word", "lemma", "pos"])


def _lists(items, most=3):
    return st.lists(items, min_size=2, max_size=most)


TEXT_ATTRIBUTES = st.sampled_from(["word", "lemma"])
PARTS = st.sampled_from(["N.*", "VERB|X", "noun", ""])
MATCHES = st.one_of(
    st.builds(WordMatch, TEXT_ATTRIBUTES, PATTERNS, st.just(False), st.booleans(), FLAGS),
    st.builds(WordMatch, TEXT_ATTRIBUTES, TEXTS, st.just(True), st.booleans(), FLAGS),
    st.builds(WordMatch, st.just("pos"), PARTS, st.just(False), st.booleans(), FLAGS),
)
CONDITIONS = st.recursive(
    MATCHES,
    lambda inner: st.one_of(
        _lists(inner).map(all_conditions),
        _lists(inner).map(any_condition),
        st.builds(WordNot, inner),
    ),
    max_leaves=4,
)
VALUES = st.builds(CaptureValue, NAMES, ATTRIBUTES)
EDGES = st.builds(CaptureEdge, NAMES, st.sampled_from(["start", "end"]))
COMPARISONS = st.one_of(
    st.builds(CaptureComparison, VALUES, st.sampled_from(["=", "!="]), VALUES),
    st.builds(
        CaptureComparison, VALUES, st.sampled_from(["=", "!="]), st.builds(CaptureLiteral, TEXTS)
    ),
    st.builds(CaptureComparison, EDGES, st.sampled_from(["=", "<", "<=", ">", ">="]), EDGES),
)
CONSTRAINTS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        _lists(inner).map(all_constraints),
        _lists(inner).map(any_constraint),
        st.builds(CaptureNot, inner),
    ),
    max_leaves=3,
)
WORD_NODES = st.builds(Word, st.one_of(st.none(), CONDITIONS))
ELEMENTS = st.builds(Element, st.sampled_from(["sentence", "post"]))


def _constrained(item, constraint):
    """Return a constrained item that has all captures a constraint may name."""
    captured = sequence([Capture(name, Word()) for name in ("A", "B", "verb")])
    return Constrained(sequence([item, captured]), constraint)


def _repeat(item, bounds):
    return Repeat(item, min(bounds), max(*bounds, 1))


def _larger_stretches(inner):
    counts = st.one_of(st.integers(0, 5), st.just(100))
    return st.one_of(
        _lists(inner).map(sequence),
        _lists(inner).map(alternatives),
        _lists(inner).map(both),
        st.builds(_repeat, inner, st.tuples(counts, counts)),
        st.builds(
            Position,
            inner,
            st.sampled_from(["within", "containing", "overlap"]),
            inner,
            st.booleans(),
        ),
        st.builds(Look, inner, st.sampled_from(["ahead", "behind"]), st.booleans()),
        st.builds(Capture, NAMES, inner),
        st.builds(_constrained, inner, CONSTRAINTS),
    )


STRETCHES = st.recursive(st.one_of(WORD_NODES, ELEMENTS), _larger_stretches, max_leaves=6)
"""Trees of the corpus-query form."""

_NEAR_WORDS = st.integers(0, 100)
_NEAR_ITEMS = st.recursive(
    st.one_of(TERMS, WILDCARDS, STRETCHES),
    lambda inner: st.one_of(
        st.builds(Near, inner, inner, _NEAR_WORDS, st.integers(1, 100)),
        _lists(inner).map(any_of),
    ),
    max_leaves=4,
)
TREES = st.recursive(
    st.one_of(_NEAR_ITEMS, st.sampled_from(FILTERS)),
    lambda inner: st.one_of(
        _lists(inner, 4).map(all_of), _lists(inner, 4).map(any_of), st.builds(Not, inner)
    ),
    max_leaves=8,
)
"""Trees of whole queries."""

_PIECES = (
    "叶酸",
    "folic",
    "a",
    '"b c"',
    '"d"',
    "“e”",
    "pregnan*",
    " ",
    " AND ",
    " OR ",
    " NOT ",
    "-",
    " NEAR/5 ",
    " NEAR/-1,2 ",
    "(",
    ")",
    "brand:kraft",
    "week:2026-W01..2026-W10",
    "rating:<=2",
    "@s",
    "[]",
    '[word="a"]',
    '[lemma!="b" & pos="N.*"%c]',
    " within <s/>",
    " !containing ",
    "<post/>",
    "A:",
    "::",
    " A.word = B.word",
    " start(A) < ",
    "{2}",
    "{0,3}",
    "+",
    "*",
    "?",
    "|",
    "&",
    "!",
    "->",
    "%c",
    "%d",
    "(?=",
    "(?<!",
    'l"x"',
    "_",
    ";",
    "'",
    '"',
    "\\",
)
QUERY_TEXTS = st.lists(st.one_of(st.sampled_from(_PIECES), CHARACTERS), max_size=14).map("".join)
"""Texts of pieces of queries: some are queries."""
