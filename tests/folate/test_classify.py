"""JSON lines in, one answer each out, in order, whatever the lines are."""

import json

import numpy as np
import pytest

from folate.core.config import Brand, Config, CustomAspect, NlpConfig
from folate.core.errors import InputError
from folate.pipeline.classify import (
    ClassifyRequest,
    brands_by_alias,
    classify_lines,
    flatten_answer,
    summarize_answer,
)
from nlp.extract.taxonomy import TaxonomyTag
from nlp.model import AspectPrediction, SentimentProbabilities, TextPrediction

SURE = SentimentProbabilities(negative=0.0, neutral=0.0, positive=1.0)


class EchoReader:
    """Is sure of everything; has an embedding for texts with a letter in them."""

    name, version = "echo", "1"

    def read(self, texts, targets=None):
        aspects = (AspectPrediction("taste", SURE, 0.87654, 0, 2),)
        return [
            TextPrediction(
                SURE,
                tuple(SURE for _ in spans),
                aspects,
                {"happy": 1.0},
                {"buy": 0.71},
                np.ones(2) if text else None,
            )
            for text, spans in zip(texts, targets, strict=True)
        ]

    def embed(self, texts):
        raise NotImplementedError


class NamingTagger:
    """Tags each text with itself."""

    def __init__(self, taxonomy, embed):
        pass

    def assign_tags(self, texts, embeddings):
        assert embeddings.shape == (len(texts), 2)
        return [[TaxonomyTag(text, 0.5)] for text in texts]


@pytest.fixture(autouse=True)
def echo(monkeypatch):
    monkeypatch.setattr("folate.pipeline.classify.load_reader", lambda *_, **__: EchoReader())
    monkeypatch.setattr("nlp.extract.taxonomy.TaxonomyTagger", NamingTagger)


def test_every_line_gets_one_answer_in_order():
    lines = [
        '{"text": "晨谷很好吃"}',
        "not json",
        '{"text": "晨谷好，暖禾差", "target": "暖禾"}',
        '{"text": 3}',
        "",
        '{"text": "x", "target": 1}',
        '{"text": ""}',
    ]
    answers = list(classify_lines([lines[:3], lines[3:]], Config(name="")))
    assert ["error" in answer for answer in answers] == [
        False,
        True,
        False,
        True,
        True,
        True,
        False,
    ]
    assert [*answers[0]] == [
        "language",
        "sentiment",
        "target_sentiment",
        "aspects",
        "emotion",
        "intent",
        "tags",
    ]
    assert answers[0]["sentiment"] == {
        "label": "positive",
        "negative": 0.0,
        "neutral": 0.0,
        "positive": 1.0,
    }
    assert (answers[0]["language"], answers[0]["target_sentiment"]) == ("zh", None)
    assert answers[2]["target_sentiment"]["label"] == "positive"
    aspect = {"name": "taste", "polarity": "positive", "confidence": 0.8765, "start": 0, "end": 2}
    assert answers[0]["aspects"] == [aspect | {"negative": 0.0, "neutral": 0.0, "positive": 1.0}]
    assert (answers[0]["emotion"], answers[0]["intent"]) == ({"happy": 1.0}, {"buy": 0.71})
    assert [answers[index]["tags"] for index in (0, 2, 6)] == [
        [{"tag": "晨谷很好吃", "score": 0.5}],
        [{"tag": "晨谷好，暖禾差", "score": 0.5}],
        [],
    ]
    json.dumps(answers)


def test_the_reader_is_the_one_of_the_project(monkeypatch):
    loaded_models = []

    def load(*arguments, **named):
        loaded_models.append((arguments, named))
        return EchoReader()

    monkeypatch.setattr("folate.pipeline.classify.load_reader", load)
    aspects = (
        CustomAspect(
            id="refill",
            names=("补充装", "refill"),
            examples=("补充装很好换", "the refill pouch is easy to pour"),
        ),
    )
    config = Config(
        name="", nlp=NlpConfig(model="some/classifier", threads=3, depth="all"), aspects=aspects
    )
    assert len(list(classify_lines([['{"text": "好"}'], ['{"text": "坏"}']], config))) == 2
    assert loaded_models == [(("some/classifier", 3, aspects), {"depth": "all"})]


def test_tokens_have_places_parts_of_speech_and_lemmas_unless_the_language_is_another():
    config = Config(name="", brands=(Brand(id="morn", names=("晨谷燕麦",)),))
    lines = [
        json.dumps({"text": text})
        for text in ("晨谷燕麦很好吃", "I bought two boxes", "خدمة سيئة", "")
    ]
    zh, en, other, empty = (
        answer["tokens"] for answer in classify_lines([lines], config, with_tokens=True)
    )
    assert zh[0] == {"text": "晨谷燕麦", "start": 0, "end": 4, "pos": "PROPN", "lemma": "晨谷燕麦"}
    assert en[-1] == {"text": "boxes", "start": 13, "end": 18, "pos": "NOUN", "lemma": "box"}
    assert [(token["text"], token["pos"], token["lemma"]) for token in other] == [
        ("خدمة", None, None),
        ("سيئة", None, None),
    ]
    assert empty == []


def test_an_answer_as_a_row_has_the_same_columns_whatever_it_says():
    good, bad = classify_lines([['{"text": "晨谷很好吃"}', "x"]], Config(name=""))
    rows = [flatten_answer(1, good), flatten_answer(2, bad)]
    assert [*rows[0]] == [*rows[1]]
    assert (
        rows[0]["label"],
        rows[0]["emotion"],
        rows[0]["emotion_happy"],
        rows[0]["intent_buy"],
    ) == ("positive", "happy", 1.0, 0.71)
    assert rows[0]["error"] is None
    assert rows[0]["target_label"] is None
    assert [name for name, value in rows[1].items() if value is not None] == ["line", "error"]
    assert summarize_answer(1, good) == {
        "line": 1,
        "language": "zh",
        "label": "positive",
        "target_label": None,
        "aspects": ["taste positive"],
        "emotion": "happy",
        "intent": ["buy"],
        "tags": ["晨谷很好吃"],
        "error": None,
    }


@pytest.mark.parametrize(
    ("text", "target", "spans"),
    [
        ("晨谷好，暖禾差，暖禾！", "暖禾", [(4, 6), (8, 10)]),
        ("Morngrain is not MORNGRAINS", "morngrain", [(0, 9)]),
        ("MORNGRAINS", "morngrain", [(0, 9)]),  # no such word, but the letters are there
        ("nothing here", "暖禾", []),
        ("x", "  ", []),
    ],
)
def test_the_target_is_found_as_a_brand_or_else_as_plain_text(text, target, spans):
    assert ClassifyRequest(text, target).target_spans(None) == spans


def test_a_brand_of_the_project_is_found_under_all_its_names():
    brands = brands_by_alias([Brand(id="warm", names=("暖禾", "Warmgrain"), products=("暖禾杯",))])
    for target in ("warm", "暖禾", "WARMGRAIN"):
        assert ClassifyRequest("Warmgrain 的暖禾杯", target).target_spans(
            brands[target.lower()]
        ) == [
            (0, 9),
            (11, 14),
        ]
    assert ClassifyRequest("Warmgrain 的暖禾杯", "杯").target_spans(brands.get("杯")) == [(13, 14)]


@pytest.mark.parametrize("line", ["[" * 100_000, '{"text": ' + "9" * 5000 + "}", "[]", "null"])
def test_what_json_can_not_hold_is_an_error_and_no_crash(line):
    with pytest.raises(InputError):
        ClassifyRequest.parse(line)


def test_lone_surrogates_are_readable():
    assert ClassifyRequest.parse('{"text": "half \\ud83d"}').text == "half \ufffd"


def test_a_target_after_an_at_sign_is_a_name(monkeypatch):
    texts = []

    class Recorder(EchoReader):
        def read(self, arguments, targets=None):
            texts.extend(arguments)
            return super().read(arguments, targets)

    monkeypatch.setattr("folate.pipeline.classify.load_reader", lambda *_, **__: Recorder())
    lines = [
        '{"text": "@united lost my bag, united!", "target": "united"}',
        '{"text": "stay united", "target": "united"}',
    ]
    list(classify_lines([lines], Config(name="")))
    assert texts == ["Acme lost my bag, Acme!", "stay united"]
