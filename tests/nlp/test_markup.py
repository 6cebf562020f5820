"""Markup and labels: what a reader sees, where it stands, and what survives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folate.core.config import Brand
from nlp.extract.brands import BrandLinker
from nlp.text.language import identify_language
from nlp.text.markup import blank_markup, strip_markup, strip_markup_aligned
from nlp.text.segment import Segmenter

PIECES = [
    "&hellip;",
    "&amp;",
    "&#39;",
    "&nbsp",
    "<br/>",
    '<a href="x">',
    "</p>",
    "_x000D_",
    "\ufeff",
    "\u200b",
    "收起全文d",
    "好吃",
    "a",
    " ",
    "\n",
    "&",
    "<",
    ";",
]
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("很香&hellip;&hellip;下次", "很香……下次"),
        ("&amp;amp;hellip; &#x4f60;&#22909;", "… 你好"),
        ("&unknown; a&b; ?a=1&lt=2&copy=3", "&unknown; a&b; ?a=1&lt=2&copy=3"),
        ("一<br/>二<BR>三</p>四", "一\n二\n三\n四"),
        ("<a href='x' target=_blank>链接</a><!-- note -->", "链接"),
        ('好吃<img src="a.png', "好吃"),
        ("&lt;br&gt;好", "\n好"),
        ("a <b and c> d, 1 <2, <3, <a lot", "a <b and c> d, 1 <2, <3, <a lot"),
        ("a_x000D_b _x0041_ _xbeef_", "a b _x0041_ _xbeef_"),
        ("\ufeff叶\u200b酸", "叶酸"),
    ],
)
def test_what_a_reader_sees(text: str, expected: str) -> None:
    assert strip_markup(text).strip() == expected.strip()


@given(TEXTS)
def test_offsets_and_lengths_hold(text: str) -> None:
    plain = strip_markup_aligned(text)
    assert plain.text == strip_markup(text)
    assert len(blank_markup(text)) == len(text)
    spans = [plain.original_span(at, at + 1) for at in range(len(plain.text))]
    assert spans == sorted(spans)
    assert all(0 <= start < end <= len(text) for start, end in spans)


@settings(deadline=None)
@given(TEXTS)
def test_tokens_cover_texts_with_markup(text: str) -> None:
    done = 0
    for token in Segmenter(["好吃"]).tokens(text):
        assert text[token.start : token.end] == token.text
        assert not text[done : token.start].strip()
        done = token.end
    assert not text[done:].strip()


def test_tokens_stand_where_they_were_published() -> None:
    text = "好吃&hellip;don&#39;t<br/>叶\u200b酸"
    spans = [(token.text, token.start) for token in Segmenter(["叶酸"]).tokens(text)]
    assert spans == [
        ("好吃", 0),
        ("&hellip;", 2),
        ("do", 10),
        ("n&#39;t", 12),
        ("<br/>", 19),
        ("叶\u200b酸", 24),
    ]


def test_brands_are_found_through_markup_and_not_in_it() -> None:
    linker = BrandLinker([Brand(id="at", names=("AT&T",)), Brand(id="amp", names=("amp", "br"))])
    text = "AT&amp;T<br/>is &amp; was \u200bA\ufeffT&T; the amp"
    assert [
        (found.brand, text[found.start : found.end]) for found in linker.find_mentions(text)
    ] == [
        ("at", "AT&amp;T"),
        ("at", "A\ufeffT&T"),
        ("amp", "amp"),
    ]


def test_markup_is_of_no_language() -> None:
    assert (
        identify_language('<a href="https://example.com" target="_blank"><br/>&nbsp;</a>')
        == "other"
    )
    assert identify_language("好吃&nbsp;&nbsp;&hellip;<br/><br/>推荐") == "zh"
