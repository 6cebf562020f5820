"""Everything that can be said of a text without a model, in one pass over a batch."""

from collections.abc import Sequence
from dataclasses import dataclass

from nlp.brands import Linker, Mention
from nlp.duplicates import exact_digest
from nlp.language import Language, identify
from nlp.segment import Segmenter

VERSION = "1"
"""Raised whenever the same text would be read differently; words and brands of the project are not part of it."""


@dataclass(frozen=True, slots=True)
class TextReading:
    """What a text is written in, its normalised words and topics, its digest (see `exact_digest`) and the brands it names."""

    language: Language
    words: list[str]
    hashtags: list[str]
    exact: str
    mentions: list[Mention]


def annotate(bodies: Sequence[str], segmenter: Segmenter, linker: Linker) -> list[TextReading]:
    """One reading a body, in order; a body that stands several times is read once."""
    readings = {body: read(body, segmenter, linker) for body in dict.fromkeys(bodies)}
    return [readings[body] for body in bodies]


def read(body: str, segmenter: Segmenter, linker: Linker) -> TextReading:
    """The reading of one body."""
    return TextReading(identify(body), segmenter.words(body), segmenter.hashtags(body), exact_digest(body), linker.find(body))
