"""The expression of a word list, against trying every word at every place."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.text.longest_match import longest_match_pattern

HAN = st.text("甲乙丙丁戊", min_size=1, max_size=4)


@given(st.sets(HAN, min_size=1, max_size=12), st.text("甲乙丙丁戊", max_size=20))
def test_leftmost_and_longest(words: set[str], text: str) -> None:
    expected, place = [], 0
    while place < len(text):
        here = max((word for word in words if text.startswith(word, place)), key=len, default="")
        expected += [(here, place)] if here else []
        place += len(here) or 1
    assert [
        (match[0], match.start()) for match in re.finditer(longest_match_pattern(words), text)
    ] == expected


def test_more_first_characters_than_one_group_holds() -> None:
    words = [chr(code) for code in range(0x4E00, 0x4E00 + 200)]
    assert re.findall(longest_match_pattern(words), "".join(words)) == words


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("p40", "p40pro", True),
        ("p40", "p400", False),
        ("p40", "hp40", False),
        ("3m", "13m", False),
        ("café", "cafés", False),
        ("c++", "c++写的", True),
        ("чай", "случай", False),
        ("red bull", "redbull", True),
        ("买", "xbuy买", True),
    ],
)
def test_boundaries(word: str, text: str, found: bool) -> None:
    assert bool(re.search(longest_match_pattern([word]), text)) is found


def test_no_words_no_expression() -> None:
    assert longest_match_pattern([]) == ""
