"""What files and pages share: encodings, markup, reposts."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folate.core.encoding import (
    ENCODINGS,
    UnknownEncodingError,
    canonical_encoding,
    detect_text_encoding,
    detect_utf16_without_bom,
    require_encoding,
)
from folate.core.errors import ConfigError
from folate.core.markup import markup_to_text
from folate.core.reposts import has_weibo_repost_chain, strip_repost_chain

GOLDEN = Path(__file__).parents[1] / "golden"
TEXTS = {
    "zh": [
        "晨谷的燕麦真的很好喝，明天还会再买",
        "孩子也爱吃，推荐给大家",
        "包装破了，客服一直不回复",
        "价格有点贵，不过味道不错",
    ],
    "hant": [
        "晨穀的口感很好，但是價格太貴了",
        "比較甜，我不喜歡這個味道",
        "買了三罐，孩子很愛喝",
        "這次的包裝跟以前不一樣",
    ],
    "en": [
        "Morngrain doesn’t dissolve and I won’t buy it again",
        "The café near us sells it — they said it’s new",
        "It was “fine”…",
    ],
    "ja": ["この商品はとてもおいしいです。", "また買いたいと思います", "子供が毎日食べています"],
    "ru": [
        "Очень вкусная каша, обязательно куплю ещё",
        "Дети едят с удовольствием",
        "Упаковка была порвана",
    ],
    "ko": [
        "정말 맛있어요. 다음에 또 사고 싶습니다.",
        "아이가 아주 좋아합니다",
        "포장이 찢어져 있었습니다",
    ],
    "cs": [
        "Příliš sladké, už to nekoupím",
        "Dětem to chutná, doporučuji",
        "Balení bylo poškozené a zákaznická linka neodpovídá",
    ],
}
WRITTEN = [
    ("zh", "utf-8"),
    ("zh", "gb18030"),
    ("zh", "gbk"),
    ("hant", "utf-8"),
    ("hant", "big5"),
    ("hant", "gb18030"),
    ("en", "utf-8"),
    ("en", "cp1252"),
    ("en", "gb18030"),
    ("ja", "utf-8"),
    ("ja", "shift_jis"),
    ("ja", "euc-jp"),
    ("ja", "iso2022_jp"),
    ("ru", "utf-8"),
    ("ru", "cp1251"),
    ("ru", "koi8-r"),
    ("ko", "cp949"),
    ("ko", "euc-kr"),
]


def golden(name: str) -> list[list[str]]:
    lines = (GOLDEN / name).read_text(encoding="utf-8").splitlines()
    return [line.replace("\\n", "\n").split("\t") for line in lines if not line.startswith("#")]


@pytest.mark.parametrize(("language", "encoding"), WRITTEN)
def test_an_encoding_is_told_from_the_bytes(language, encoding):
    lines = [text.encode(encoding) for text in TEXTS[language]]
    assert [line.decode(detect_text_encoding(lines)) for line in lines] == TEXTS[language]


@pytest.mark.parametrize(
    ("language", "encoding"),
    [*WRITTEN, ("cs", "cp1250"), ("cs", "iso8859-2"), ("en", "mac-roman"), ("ru", "cp866")],
)
def test_a_text_in_doubt_is_refused_and_never_read_as_another(language, encoding):
    for text in TEXTS[language]:
        line = b"1," + text.encode(encoding) + b",2026-03-02"
        with suppress(UnknownEncodingError):
            assert (
                line.decode(detect_text_encoding([b"id,text,published_at", line]))
                == f"1,{text},2026-03-02"
            )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(TEXTS["zh"] + TEXTS["en"][:1] + ["ok", "123"]), min_size=1),
    st.sampled_from(["utf-8", "gb18030"]),
)
def test_what_is_told_decodes_to_what_was_written(texts, encoding):
    lines = [text.encode(encoding) for text in texts]
    try:
        told = detect_text_encoding(lines)
    except UnknownEncodingError:
        return
    assert [line.decode(told) for line in lines] == texts


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.binary(max_size=60)))
def test_any_bytes_have_an_encoding_or_none(lines):
    with suppress(UnknownEncodingError):
        assert canonical_encoding(detect_text_encoding(lines))


def test_a_declared_encoding_decides_where_the_bytes_leave_a_choice():
    lines = ["Žluťoučký kůň".encode("iso8859-2")]
    assert detect_text_encoding(lines, "iso8859-2") == "iso8859-2"
    assert (
        detect_text_encoding([text.encode("gb18030") for text in TEXTS["zh"]], "big5hkscs")
        == "gb18030"
    )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_told_by_what_every_table_has(encoding):
    lines = [f"{n},{text},2026-03-02\n" for n, text in enumerate(TEXTS["zh"])]
    assert (
        detect_utf16_without_bom("".join(["id,text,published_at\n", *lines]).encode(encoding))
        == encoding
    )
    assert detect_utf16_without_bom(b"a,b\nc\0,2026\n") is None
    assert detect_utf16_without_bom("晨谷好喝".encode("gb18030")) is None


def test_a_name_of_an_encoding_is_that_of_its_family_or_told_apart():
    assert [require_encoding(name) for name in ("GBK", "Shift_JIS", "latin-1", "EUC-KR")] == [
        "gb18030",
        "cp932",
        "cp1252",
        "cp949",
    ]
    for name in ("gb1803", "base64", "", "no\0name"):
        with pytest.raises(ConfigError, match="wanted the name of an encoding"):
            require_encoding(name)
    assert all(require_encoding(name) for name in ENCODINGS)


@pytest.mark.parametrize(("cell", "shown"), golden("markup.tsv"))
def test_markup_is_read_as_a_page_shows_it(cell, shown):
    assert markup_to_text(cell) == shown


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(alphabet="ab <>&/;=\"'`#1\n好brpi"))
def test_markup_of_any_text_is_read_once_and_for_all_but_what_was_escaped(text):
    shown = markup_to_text(text)
    assert len(shown) <= len(text)
    if "<" not in text and "&" not in text:
        assert shown == text


@pytest.mark.parametrize(("shown", "own"), golden("reposts.tsv"))
def test_own_words_end_where_those_of_others_begin(shown, own):
    assert strip_repost_chain(shown) == own


def test_a_chain_is_certain_amid_chinese_only():
    assert has_weibo_repost_chain("哈哈//@someone:晨谷")
    assert not has_weibo_repost_chain("x = 1  //@ts-ignore: it works")
    assert not has_weibo_repost_chain("晨谷 https://a.example/@me")
