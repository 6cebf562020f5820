"""JSON lines in, one answer each out, in order, whatever the lines are."""

import json

import pytest

from folate.classify import Question, classify_lines
from folate.errors import InputError
from nlp.sentiment import Probabilities, Reading


class EchoReader:
    """Answers with the spans that it was asked about."""

    name, version = "echo", "1"

    def read(self, texts, targets=None):
        sure = Probabilities(negative=0.0, neutral=0.0, positive=1.0)
        return [Reading(sure, tuple(sure for _ in spans)) for spans in targets]

    def embed(self, texts):
        raise NotImplementedError


@pytest.fixture(autouse=True)
def echo(monkeypatch):
    monkeypatch.setattr("folate.classify.load", lambda model, threads: EchoReader())


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
    answers = list(classify_lines([lines[:3], lines[3:]]))
    assert ["error" in answer for answer in answers] == [False, True, False, True, True, True, False]
    assert answers[0].keys() == {"language", "sentiment", "target_sentiment"}
    assert answers[0]["sentiment"] == {"label": "positive", "negative": 0.0, "neutral": 0.0, "positive": 1.0}
    assert (answers[0]["language"], answers[0]["target_sentiment"]) == ("zh", None)
    assert answers[2]["target_sentiment"]["label"] == "positive"
    json.dumps(answers)


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
    assert Question(text, target).spans() == spans


@pytest.mark.parametrize("line", ["[" * 100_000, '{"text": ' + "9" * 5000 + "}", "[]", "null"])
def test_what_json_can_not_hold_is_an_error_and_no_crash(line):
    with pytest.raises(InputError):
        Question.parse(line)


def test_lone_surrogates_are_readable():
    assert Question.parse('{"text": "half \\ud83d"}').text == "half \ufffd"
