"""Queries: golden pairs of query and canonical form, and what is refused, with its place."""

from pathlib import Path

import pytest

from corpora.query.parse import parse_query
from folate.core.errors import InputError

GOLDEN = Path(__file__).parents[1] / "golden" / "queries.tsv"


def golden_pairs() -> list[tuple[str, str]]:
    pairs = []
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        if not line.startswith("# "):
            query, canonical = line.split("\t")
            pairs.append((query, query if canonical == "=" else canonical))
    return pairs


@pytest.mark.parametrize(("text", "wanted"), golden_pairs())
def test_a_query_has_its_canonical_form(text: str, wanted: str) -> None:
    assert parse_query(text).canonical == wanted


@pytest.mark.parametrize(("text", "wanted"), golden_pairs())
def test_a_canonical_form_parses_to_the_same_tree(text: str, wanted: str) -> None:
    again = parse_query(wanted)
    assert again.tree == parse_query(text).tree
    assert again.canonical == wanted


REFUSED = [
    ("叶酸 OR", 5, "behind OR"),
    ("OR 叶酸", 1, "got OR"),
    ("(叶酸", 1, "closing parenthesis"),
    ("叶酸)", 3, "opening parenthesis"),
    ("()", 2, "got )"),
    ('"叶酸', 1, "closing"),
    ('[word="a"', 1, "closing ]"),
    ('[word="a"]]', 11, "opening bracket"),
    ('[tag="a"]', 2, "no attribute 'tag'; possible: lemma, pos, word"),
    ("brnad:kraft", 1, "did you mean 'brand'"),
    ('brnad:"kraft"', 1, "did you mean 'brand'"),
    ("sentiment:bad", 11, "possible: negative, neutral, positive"),
    ("week:2026-W60", 6, "2026-W60"),
    ("week:2026-W10..2026-W01", 6, "starts before it ends"),
    ("rating:7", 8, "stars from 0 to 5"),
    ('"a" -obj-> "b"', 5, "relations such as"),
    ('^--> "a"', 1, "relations such as"),
    ('"a" ==>nl "b"', 5, "alignments such as"),
    ('meet("a", "b")', 1, "functions such as meet"),
    ('[word("a")]', 2, "functions such as word"),
    ('[] :: f(A) = "x"', 7, "wanted start(…) or end(…)"),
    ("[word=in[1,5]]", 7, "ranges of integers"),
    ('"a"{3,1}', 4, "fewest repetitions before the most"),
    ('"a"{0,100000}', 4, "repetitions from 0 to 100"),
    ('"a"{0}', 4, "repetitions from 0 to 100"),
    ("a NEAR/101 b", 3, "at most 100 words"),
    ("a NEAR b", 3, "number of words"),
    ("a NEAR/5 brand:b", 3, "both sides of NEAR"),
    ('[word="(a)\\1"]', 11, "backreferences"),
    ('[word="a(?=b)"]', 9, "(?="),
    ('[word="a("]', 8, "RE2"),
    ("叶酸 | 孕妇", 4, "OR joins words"),
    ("(a OR b)+", 9, "repeats it"),
    ("(?= 叶酸)", 1, "quotes or brackets"),
    ("<p/>", 2, "no tag 'p'"),
    ('<s id="1"/>', 4, "without attributes"),
    ('A:[] :: B.word = "a"', 9, "no capture 'B'"),
    ('!("a" "b") []', 7, "one word behind !"),
    ('_ -> "a"', 3, "->"),
    ("*", 1, "more than *"),
    ("a\x00b", 2, "U+0000"),
    ("a\u202eb", 2, "RIGHT-TO-LEFT OVERRIDE"),
    ("a\ud800b", 2, "U+D800"),
    ("@none", 1, "no saved query"),
    ("[word='a'%x]", 10, "%c"),
    ("+叶酸", 1, "every word is required"),
]


@pytest.mark.parametrize(("text", "character", "reason"), REFUSED)
def test_a_refusal_names_the_reason_and_the_character(
    text: str, character: int, reason: str
) -> None:
    with pytest.raises(InputError) as caught:
        parse_query(text)
    assert str(caught.value).startswith(f"query, character {character}: ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_caret_stands_under_the_character_also_behind_wide_ones() -> None:
    with pytest.raises(InputError) as caught:
        parse_query("叶酸 lang:fr")
    assert caught.value.__notes__ == ["  叶酸 lang:fr\n            ^"]
