"""Which texts contain a term, in Python and in SQL, by golden pairs in both languages."""

from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nlp.text.plurals import singularize
from nlp.text.term_matcher import TermMatch, TermMatcher, re2_pattern

GOLDEN = Path(__file__).parents[1] / "golden" / "terms.tsv"
LETTERS = st.sampled_from("oats15 -_#,.好叶葉酸片甜é\n'’")
TERMS = st.text(LETTERS, min_size=1, max_size=5)
TEXTS = st.text(LETTERS, max_size=14)


def golden_rows() -> list[tuple[bool, str, str, list[tuple[int, int]]]]:
    rows = []
    for line in GOLDEN.read_text(encoding="utf-8").splitlines()[1:]:
        options, term, text, written_spans = line.split("\t")
        spans = []
        for span in written_spans.split() if written_spans != "-" else []:
            start, end = span.split("-")
            spans.append((int(start), int(end)))
        rows.append((options == "plurals", term, text, spans))
    return rows


def found_in_sql(text: str, pattern: str) -> bool:
    [row] = duckdb.execute("SELECT regexp_matches(?, ?)", [text, pattern]).fetchall()
    return bool(row[0])


@pytest.mark.parametrize(("plurals", "term", "text", "spans"), golden_rows())
def test_golden_terms(plurals: bool, term: str, text: str, spans: list[tuple[int, int]]) -> None:
    matcher = TermMatcher([term], plurals=plurals)
    assert [(match.start, match.end) for match in matcher.find(text)] == spans
    assert matcher.matches(text) is bool(spans)
    if "&" not in text:  # SQL does not see through markup
        assert found_in_sql(text, matcher.re2_pattern()) is bool(spans)


def test_overlapping_terms_are_all_found_as_they_were_given() -> None:
    matcher = TermMatcher(["葉酸片", "叶酸", "Folic Acid", "acid", "甜"])
    text = "叶酸片 is folic acid"
    assert matcher.find(text) == [
        TermMatch("叶酸", 0, 2),
        TermMatch("葉酸片", 0, 3),
        TermMatch("Folic Acid", 7, 17),
        TermMatch("acid", 13, 17),
    ]
    assert matcher.contained_terms(text) == ["葉酸片", "叶酸", "Folic Acid", "acid"]
    assert found_in_sql(text, matcher.re2_pattern())


def test_no_term_is_in_no_text() -> None:
    assert TermMatcher([]).find("any text") == []
    assert not found_in_sql("any text", re2_pattern([]))
    assert not found_in_sql("any text", re2_pattern([" "]))


def test_a_term_that_folds_to_another_is_reported_as_the_first_of_them() -> None:
    assert TermMatcher(["Oat", "OAT"]).contained_terms("oat") == ["Oat"]


@pytest.mark.parametrize(
    ("word", "singular"), [("oats", "oat"), ("news", "news"), ("bus", "bus"), ("好s", "好s")]
)
def test_singulars(word: str, singular: str) -> None:
    assert singularize(word) == singular


@settings(deadline=None, derandomize=True)
@given(terms=st.lists(TERMS, max_size=3), text=TEXTS, plurals=st.booleans())
@example(terms=["é’"], text="é’", plurals=False)
def test_sql_and_python_agree(terms: list[str], text: str, plurals: bool) -> None:
    matcher = TermMatcher(terms, plurals=plurals)
    assert matcher.matches(text) is found_in_sql(text, matcher.re2_pattern())


@settings(deadline=None, derandomize=True)
@given(terms=st.lists(TERMS, max_size=4), text=TEXTS)
def test_many_terms_are_found_as_each_alone(terms: list[str], text: str) -> None:
    together = {(match.start, match.end) for match in TermMatcher(terms).find(text)}
    alone = {(match.start, match.end) for term in terms for match in TermMatcher([term]).find(text)}
    assert together == alone
