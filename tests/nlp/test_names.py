"""Names of brands are hidden from the model, and the spans of its predictions mapped back."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from folate.core.config import Brand
from nlp.extract.brands import BrandLinker
from nlp.model import (
    AspectPrediction,
    Reader,
    SentimentProbabilities,
    TargetSpans,
    TextPrediction,
    load_reader,
)
from nlp.model.name_hiding import (
    Passage,
    hide_names,
    is_addressed_to,
    is_proper_name,
    read_without_names,
)

GOLDEN = Path(__file__).parents[1] / "golden"
NAMES = {
    "zh": (
        "晨谷",
        "甲乙丙",
        "好利来",
        "美好",
        "清新多",
        "好又多",
        "坏小子",
        "苦瓜",
        "幸福家",
        "三只松鼠",
        "蒙牛",
        "老干妈",
        "真功夫",
        "7天",
        "361度",
        "Zorbex",
        "Best Western",
        "Innocent",
        "@晨谷官方 ",
        "@KFC_cn ",
    ),
    "en": (
        "Morngrain",
        "Zorbex",
        "Best Western",
        "Lovely Air",
        "Innocent",
        "United",
        "Delta",
        "Target",
        "Terrible Co",
        "Happy Meals",
        "Fresh & Good",
        "Joy",
        "Kraft",
        "7up",
        "3M",
        "BrandX99",
        "好利来",
        "L'Oréal",
        "@united",
        "@Lovely_Air",
    ),
}


def sentences(language: str) -> list[tuple[str, str]]:
    lines = (GOLDEN / f"names.{language}.tsv").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if not line.startswith("#"))
    return [(label, sentence) for label, sentence in pairs]


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    threads = torch.get_num_threads()
    yield load_reader(threads=1)
    torch.set_num_threads(threads)


def passage(sentence: str, name: str) -> Passage:
    """The sentence under a name, with its mention as the linker finds it."""
    text = sentence.replace("@{brand}", name if name.startswith("@") else f"@{name}").replace(
        "{brand}", name
    )
    linker = BrandLinker(
        [
            Brand(
                id="b",
                names=(name, f"@{name.strip().lstrip('@')}" if " " not in name.strip() else name),
            )
        ]
    )
    spans = [(mention.start, mention.end) for mention in linker.find_mentions(text)]
    return Passage(text, {"b": spans} if spans else {})


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_label_of_a_brand_is_the_same_under_every_name(reader: Reader, language: str) -> None:
    rows = sentences(language)
    assert len(rows) == 120
    differing = asked = right = 0
    for label, sentence in rows:
        passages = [passage(sentence, name) for name in NAMES[language]]
        labels = [
            reading.targets[0].label
            for reading in read_without_names(reader, passages)
            if reading.targets
        ]
        commonest, count = Counter(labels).most_common(1)[0]
        asked += len(labels)
        differing += len(labels) - count
        right += commonest == label
    assert asked >= 0.95 * len(rows) * len(NAMES[language])  # a name of two words is no handle
    assert differing <= 0.02 * asked, (
        f"{differing} of {asked} labels differ from the commonest of their sentence"
    )
    assert right >= 0.8 * len(rows)


def test_names_become_placeholders_in_the_order_of_their_first_mention() -> None:
    text = "Kraft is better than Morngrain, says @kraft: Kraft!"
    hidden = hide_names(text, {"m": [(21, 30)], "k": [(0, 5), (37, 43), (45, 50)]})
    assert hidden.text == "Acme is better than Zorbex, says Acme: Acme!"
    assert [hidden.text[slice(*span)] for span in hidden.placeholder_spans["k"]] == [
        "Acme",
        "Acme",
        "Acme",
    ]
    assert [hidden.text[slice(*span)] for span in hidden.placeholder_spans["m"]] == ["Zorbex"]


def test_the_language_of_a_placeholder_is_that_of_the_text_without_the_name() -> None:
    assert hide_names("好利来 lost my order", {"b": [(0, 3)]}).text == "Acme lost my order"
    assert hide_names("Zorbex很难吃", {"b": [(0, 6)]}).text == "甲公司很难吃"


def test_mentions_that_overlap_are_one_placeholder_of_both_brands() -> None:
    hidden = hide_names("红牛饮料好喝", {"a": [(0, 2)], "b": [(0, 4)]})
    assert hidden.text == "甲公司好喝"
    assert hidden.placeholder_spans == {"a": [(0, 3)], "b": [(0, 3)]}


@st.composite
def _mentioned(draw: st.DrawFn) -> tuple[str, dict[str, list[tuple[int, int]]]]:
    text = draw(st.text("ab 好吃，A@。", min_size=1, max_size=40))
    edges = st.integers(0, len(text))
    spans = draw(st.lists(st.tuples(edges, edges).map(sorted).map(tuple), max_size=5))
    owners = draw(st.lists(st.sampled_from("xyz"), min_size=len(spans), max_size=len(spans)))
    mentions: dict[str, list[tuple[int, int]]] = {}
    for owner, span in zip(owners, spans, strict=True):
        mentions.setdefault(owner, []).append(span)
    return text, mentions


@given(_mentioned())
def test_what_is_not_a_name_stays_and_spans_map_there_and_back(
    example: tuple[str, dict[str, list[tuple[int, int]]]],
) -> None:
    text, mentions = example
    hidden = hide_names(text, mentions)
    covered = {
        at for spans in mentions.values() for start, end in spans for at in range(start, end)
    }
    rest = [at for at in range(len(text)) if at not in covered]
    for at in rest:
        start, end = hidden.hidden_span((at, at + 1))
        assert hidden.text[start:end] == text[at]
        assert (hidden.original_start(start), hidden.original_end(end)) == (at, at + 1)
    for (start, end), (name_start, name_end) in hidden.replacements:
        assert (hidden.original_start(start), hidden.original_end(end)) == (name_start, name_end)
        assert hidden.hidden_span((name_start, name_end)) == (start, end)


class _StubReader:
    """A model for which every post is negative, every target positive, with one aspect a text."""

    name, version = "stub", "1"

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.targets: TargetSpans = []

    def read(self, texts: list[str], targets: TargetSpans | None = None) -> list[TextPrediction]:
        self.texts, self.targets = list(texts), targets or []
        negative, positive = (
            SentimentProbabilities(1.0, 0.0, 0.0),
            SentimentProbabilities(0.0, 0.0, 1.0),
        )
        return [
            TextPrediction(
                negative,
                (positive,) * len(asked),
                (AspectPrediction("price", negative, 1.0, 0, len(text)),),
            )
            for text, asked in zip(texts, self.targets, strict=True)
        ]

    def embed(self, texts: list[str]) -> None:
        raise NotImplementedError


def test_the_only_brand_of_a_post_is_judged_by_post_and_target_together() -> None:
    stub = _StubReader()
    readings = read_without_names(
        stub,
        [  # type: ignore[arg-type]
            Passage("Kraft is late", {"k": [(0, 5)]}),
            Passage("@kraft is late", {"k": [(0, 6)]}),
            Passage("Kraft, not Heinz", {"k": [(0, 5)], "h": [(11, 16)]}),
            Passage("Kraft is late", {"k": [(0, 5)]}, mentions_complete=False),
            Passage("the price of Kraft", {"k": [(13, 18)]}, target_spans=[(4, 9)]),
        ],
    )
    negative = [[round(target.negative, 3) for target in reading.targets] for reading in readings]
    assert negative == [[0.2], [1.0], [0.0, 0.0], [0.0], [0.0, 0.0]]
    assert stub.texts[4][slice(*stub.targets[4][1][0])] == "price"
    assert (readings[4].aspects[0].start, readings[4].aspects[0].end) == (
        0,
        len("the price of Kraft"),
    )


def test_the_target_head_is_not_asked_about_a_brand_that_the_post_addresses() -> None:
    stub = _StubReader()
    addressed, about, nothing = read_without_names(
        stub,
        [  # type: ignore[arg-type]
            Passage("@kraft my order is late", {"k": [(0, 6)]}),
            Passage("Kraft is late", {"k": [(0, 5)]}),
            Passage("my order is late", {}),
        ],
    )
    assert list(map(len, stub.targets)) == [0, 1, 0]
    assert addressed.targets == (addressed.post,)
    assert len(about.targets) == 1
    assert nothing.targets == ()


def test_no_name_reaches_the_model() -> None:
    stub = _StubReader()
    passages = [
        Passage(text, {"b": [m.span() for m in re.finditer("好利来|Lovely Air", text)]})
        for text in ("好利来很好", "I love Lovely Air and Lovely Air", "#好利来# 来了")
    ]
    read_without_names(stub, passages)  # type: ignore[arg-type]
    assert not any("好利来" in text or "Lovely" in text for text in stub.texts)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("@united my order is late", "@united", True),
        ("@someone @united my order is late", "@united", True),
        ("United: where is it", "United", True),
        ("United, where is it", "United", True),
        ("晨谷，你们的饼干碎了", "晨谷", True),
        ("United is late", "United", False),
        ("I flew with @united", "@united", False),
        ("晨谷的饼干碎了，差", "晨谷", False),
    ],
)
def test_a_form_of_address_is_told(text: str, name: str, expected: bool) -> None:
    start = text.index(name)
    assert is_addressed_to(text, [(start, start + len(name))]) is expected


@pytest.mark.parametrize(
    "target",
    [
        "Lovely Air",
        "好利来",
        "清新多",
        "美好",
        "三只松鼠",
        "@united",
        "7天",
        "A&W",
        "iPhone",
        "幸福家",
    ],
)
def test_names_are_told(target: str) -> None:
    assert is_proper_name(target)


@pytest.mark.parametrize(
    "target", ["battery life", "service", "服务态度", "价格", "屏幕", "味道", "快递", "the staff"]
)
def test_common_nouns_are_no_names(target: str) -> None:
    assert not is_proper_name(target)
