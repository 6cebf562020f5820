"""Compiled code gives what plain Python gives: words, places, languages, brands, copies."""

import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from folate.core.config import Brand
from nlp.extract.brands import BrandLinker
from nlp.text.batches import fold_texts
from nlp.text.language import identify_language, identify_languages
from nlp.text.normalize import fold_once, strip_for_duplicates
from nlp.text.segment import LocatedWords, Segmenter, WordColumns

GOLDEN = Path(__file__).parents[1] / "golden"
PROJECT_WORDS = ["叶酸", "iPhone", "Red Bull", "booking.com", "C#", "#1", "3D打印", "好吃"]
PIECES = [
    *(
        "叶酸",
        "快递员",
        "螺蛳粉",
        "吃货们",
        "買蘋果",
        "乾隆",
        "乾杯",
        "〇",
        "㐀",
        "𠮷",
        "𨱍头",
        "哈哈哈哈",
        "好好好",
    ),
    *(
        "3.5kg",
        "50%",
        "2016年",
        "12345年",
        "1,000",
        "12:30",
        "3万亿",
        "5abc",
        "5abcd",
        "5ab1",
        "٣٤",
        "1～2",
    ),
    *(
        "don't",
        "well-made",
        "u.s.a.",
        "a_b",
        "x+y",
        "é",
        "e\u0301",
        "ß",
        "İ",
        "हि",
        "한",
        "あ",
        "ж",
    ),
    *(
        "@name",
        "@a-b",
        "#话题#",
        "#a#b",
        "#ff0000",
        "#1",
        "a@b.cn",
        "www.a.cn/b",
        "http://x",
        "booking.com",
    ),
    *(
        "😀",
        "👨\u200d👩\u200d👧",
        "#\ufe0f\u20e3",
        "🇨🇳",
        "[怒]",
        "[doge]",
        ":)",
        "^_^",
        "t_t",
        "-_-",
        "<3",
        ">_<",
    ),
    *(
        "。。",
        "……",
        "——",
        "//",
        "~~",
        "--",
        "，",
        "\n",
        "\u3000",
        "\t",
        "\x1f",
        "\x00",
        "\ud83d",
        "\ufeff",
    ),
    *(
        "<br/>",
        "&amp;",
        "&fjlig;",
        "_x000D_",
        "网页链接",
        "收起全文d",
        "Read more",
        "㎏",
        "①",
        "𝐨𝐚𝐭",
        "ＡＢ",
    ),
    *(
        " ",
        "a",
        "w",
        "h",
        "t",
        ".",
        "-",
        "+",
        "#",
        "@",
        "[",
        ":",
        "3",
        "年",
        "C#",
        "Red  Bull",
        "//@a:",
    ),
    *(
        "转发微博",
        "查看更多",
        "ſhow more",
        "VİEW Less",
        "Translate",
        "Continue reading",
        "See original",
    ),
    *(
        "L某人的微博视频",
        "的秒拍视频",
        "回复@a:",
        "顯示更多",
        "翻译推文",
        "点击展开",
        "展开c",
        "…全文",
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=14).map("".join)


@cache
def segmenter() -> Segmenter:
    return Segmenter(PROJECT_WORDS)


@cache
def linker() -> BrandLinker:
    names = ("苹果", "iPhone", "Red Bull", "booking.com", "@a", "3D打印", "ж", "#1")
    return BrandLinker([Brand(id="a", names=names), Brand(id="b", names=("好吃", "a.cn", "é"))])


def rows(columns: WordColumns) -> list[LocatedWords]:
    bounds = zip(columns.offsets[:-1], columns.offsets[1:], strict=True)
    return [
        LocatedWords(
            [columns.vocabulary[number] for number in columns.numbers[start:end]],
            columns.starts[start:end].tolist(),
            columns.lengths[start:end].tolist(),
        )
        for start, end in bounds
    ]


def check_batch(texts: Sequence[str]) -> None:
    batch = fold_texts(texts)
    expected = list(map(fold_once, texts))
    assert batch.texts == expected
    assert batch.stripped == list(map(strip_for_duplicates, texts))
    assert identify_languages(batch) == list(map(identify_language, texts))
    assert linker().find_mentions_of_batch(batch) == list(map(linker().find_mentions, texts))
    words = list(map(segmenter().locate_words, expected))
    assert rows(segmenter().locate_words_of_batch(batch)) == words
    assert rows(segmenter().locate_words_of_few(expected)) == words


@settings(deadline=None)  # the first one compiles
@given(st.lists(TEXTS, max_size=6))
@example([])
@example([""])
@example(["", "a", "", "好"])
def test_batches_have_the_words_of_their_texts(texts: list[str]) -> None:
    check_batch(texts)


def test_golden_lines_as_one_batch() -> None:
    lines: list[str] = []
    for name in ("segment.txt", "normalize.txt", "markup.tsv", "brands.txt", "terms.tsv"):
        lines += (GOLDEN / name).read_text(encoding="utf-8").splitlines()
    check_batch(lines)


def test_random_mixtures_in_large_batches() -> None:
    rnd = random.Random(3)
    check_batch(["".join(rnd.choices(PIECES, k=rnd.randrange(30))) for _ in range(3_000)])


def test_long_hostile_texts() -> None:
    units = (
        "a",
        "a-",
        "a.",
        "@",
        "#a",
        "http://",
        "[",
        "1.",
        "😀\u200d",
        "x@y.",
        "哈",
        "好-",
        "。",
    )
    check_batch([unit * 3_000 for unit in units])


def test_a_full_table_of_pieces_begins_anew(monkeypatch) -> None:
    monkeypatch.setattr("nlp.text.batch_segment._MAX_PIECES", 10)
    other = Segmenter(PROJECT_WORDS)
    for number in range(3):
        texts = [f"a{number}x{index} 好吃 #t{index}#" for index in range(20)]
        columns = other.locate_words_of_batch(fold_texts(texts))
        assert rows(columns) == [other.locate_words(text) for text in texts]
        assert {columns.vocabulary[number] for number in columns.hashtags} == {
            f"#t{index}" for index in range(20)
        }
