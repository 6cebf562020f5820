"""Aspects, emotions and intents of the model that ships, on a sample of our own sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from folate.core.labels import EMOTIONS
from nlp.model import TextPrediction, load_reader

SENTENCES = Path(__file__).parents[1] / "eval" / "sentences.jsonl"
Asked = list[tuple[dict[str, Any], TextPrediction]]


@pytest.fixture(scope="module")
def everything() -> Iterator[Asked]:
    """Each sentence with its reading."""
    threads = torch.get_num_threads()
    rows = [json.loads(line) for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
    yield list(zip(rows, load_reader(threads=1).read([row["text"] for row in rows]), strict=True))
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def read(everything: Asked) -> Asked:
    """Those that are not marked hard (which are known failures that the model card names)."""
    return [(row, reading) for row, reading in everything if "hard" not in row]


def polarities(read: Asked) -> list[tuple[str, str, str, str | None]]:
    """Text, aspect, right polarity, and the one given; None where the aspect was not found."""
    found = [
        (
            row["text"],
            name,
            right,
            {aspect.name: aspect.polarity.label for aspect in reading.aspects}.get(name),
        )
        for row, reading in read
        for name, right in row.get("aspects", {}).items()
    ]
    return [answer for answer in found if answer[2]]


def test_aspects_are_found(read: Asked) -> None:
    missed = [answer for answer in polarities(read) if answer[3] is None]
    assert len(missed) <= len(polarities(read)) * 0.25, missed


def test_found_aspects_have_their_polarity(read: Asked) -> None:
    given = [answer for answer in polarities(read) if answer[3] is not None]
    wrong = [answer for answer in given if answer[2] != answer[3]]
    assert len(wrong) <= len(given) * 0.1, wrong


def test_two_aspects_of_opposite_polarity_come_out_opposite(read: Asked) -> None:
    opposite = [
        (row, reading)
        for row, reading in read
        if {"positive", "negative"} <= set(row.get("aspects", {}).values())
    ]
    assert len(opposite) >= 8
    wrong = [
        row["text"]
        for row, reading in opposite
        if any(answer[2] != answer[3] for answer in polarities([(row, reading)]))
    ]
    assert len(wrong) <= len(opposite) * 0.25, wrong


def test_the_clause_is_the_one_that_speaks_of_the_aspect(read: Asked) -> None:
    text = "安康味道很好，就是太贵了"
    [reading] = [reading for row, reading in read if row["text"] == text]
    assert {aspect.name: text[aspect.start : aspect.end] for aspect in reading.aspects} == {
        "taste": "安康味道很好",
        "price": "就是太贵了",
    }


def test_posts_about_nothing_of_the_kind_have_no_aspect(read: Asked) -> None:
    plain = [
        (row["text"], [aspect.name for aspect in reading.aspects])
        for row, reading in read
        if row.get("aspects") == {}
    ]
    assert len(plain) >= 8
    found = [answer for answer in plain if answer[1]]
    assert len(found) <= len(plain) // 8, found


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_emotions(everything: Asked, emotion: str) -> None:
    """Of all sentences, the hard ones too."""
    asked = [
        (row["text"], max(reading.emotion, key=reading.emotion.__getitem__))
        for row, reading in everything
        if row.get("emotion") == emotion
    ]
    assert len(asked) >= 6
    wrong = [answer for answer in asked if answer[1] != emotion]
    assert len(wrong) <= len(asked) / 3, wrong


def test_intents(read: Asked) -> None:
    asked = [
        (
            row["text"],
            set(row["intent"]),
            {name for name, chance in reading.intent.items() if chance >= 0.5},
        )
        for row, reading in read
        if "intent" in row
    ]
    wrong = [answer for answer in asked if answer[1] != answer[2]]
    assert len(wrong) <= len(asked) * 0.2, wrong
