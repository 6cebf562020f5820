"""The normal form: golden pairs, idempotence, and what two copies share."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.text.normalize import normalize_text, strip_for_duplicates

GOLDEN = Path(__file__).parents[1] / "golden" / "normalize.txt"


def _golden() -> list[list[str]]:
    lines = (
        line
        for line in GOLDEN.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("# ")
    )
    return [
        [
            re.sub(r"\\u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), part)
            for part in line.split(" => ")
        ]
        for line in lines
    ]


@pytest.mark.parametrize(("text", "expected"), _golden())
def test_golden(text: str, expected: str) -> None:
    assert normalize_text(text) == expected


@given(st.text(st.characters(codec=None), max_size=60))
def test_normalizing_twice_changes_nothing(text: str) -> None:
    once = normalize_text(text)
    assert normalize_text(once) == once
    once.encode()  # no surrogate is left


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("好吃！！ 推薦", "好吃推荐"),
        ("@小明 好吃 https://t.cn/abc 推荐", "好吃推荐"),
        ("同意 //@小明: 好吃 //@小红：不好吃", "同意"),
        ("//@小明: 好吃", "好吃"),
        ("回复@小明:好吃", "好吃"),
        ("好吃&hellip;推荐<br/>下次还买_x000D_\n收起全文d", "好吃推荐下次还买"),
        ("好吃😋", "好吃😋"),
        ("https://t.cn/abc", "https://t.cn/abc"),
        ("！！！", "!!!"),
        (" \u200b", ""),
    ],
)
def test_what_copies_share(text: str, expected: str) -> None:
    assert strip_for_duplicates(text) == expected
