"""Everything that can be said of a text without a model, in one pass over a batch."""

from collections.abc import Sequence
from dataclasses import dataclass

from nlp.extract.brands import BrandLinker, Mention
from nlp.extract.comparisons import Comparison
from nlp.extract.comparisons import find_comparisons as compare
from nlp.text.duplicates import exact_digest
from nlp.text.language import LanguageCode, identify_language
from nlp.text.segment import Segmenter

ANNOTATION_VERSION = "4"
"""Raised whenever the same text would be read differently; words and brands of the project are not part of it."""


@dataclass(frozen=True, slots=True)
class TextAnnotation:
    """What a text is written in, its normalised words and topics, its digest (see `exact_digest`), the brands it names and how it
    compares them.
    """

    language: LanguageCode
    words: list[str]
    hashtags: list[str]
    exact: str
    mentions: list[Mention]
    comparisons: list[Comparison]


def annotate_texts(
    bodies: Sequence[str], segmenter: Segmenter, linker: BrandLinker
) -> list[TextAnnotation]:
    """One reading a body, in order; a body that stands several times is read once."""
    readings = {body: annotate_text(body, segmenter, linker) for body in dict.fromkeys(bodies)}
    return [readings[body] for body in bodies]


def annotate_text(body: str, segmenter: Segmenter, linker: BrandLinker) -> TextAnnotation:
    """The reading of one body."""
    mentions = linker.find_mentions(body)
    words, hashtags = segmenter.words(body), segmenter.hashtags(body)
    return TextAnnotation(
        identify_language(body),
        words,
        hashtags,
        exact_digest(body),
        mentions,
        compare(body, mentions),
    )
