"""The language of short texts: golden pairs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.text.language import identify_language

GOLDEN = Path(__file__).parents[1] / "golden" / "language.txt"


def _golden() -> list[list[str]]:
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    return [line.split(" => ") for line in lines if line and not line.startswith("# ")]


@pytest.mark.parametrize(("text", "language"), _golden())
def test_golden(text: str, language: str) -> None:
    assert identify_language(text) == language


@given(st.text(max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    assert identify_language(text) in {"zh", "en", "mixed", "other"}


@pytest.mark.parametrize("text", ["", " ", "\ud83d", "\u200b"])
def test_nothing_to_read_is_other(text: str) -> None:
    assert identify_language(text) == "other"
