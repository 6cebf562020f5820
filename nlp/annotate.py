"""Annotations of texts that need no model: language, words, brands, comparisons and segments."""

from collections.abc import Sequence
from dataclasses import dataclass

from nlp.extract.brands import BrandLinker, Mention
from nlp.extract.comparisons import Comparison, find_comparisons
from nlp.extract.segments import SegmentDetector
from nlp.text.duplicates import exact_digest
from nlp.text.language import LanguageCode, identify_language
from nlp.text.normalize import fold_once
from nlp.text.segment import Segmenter, topics_of_hashtags

ANNOTATION_VERSION = "5"
"""Raised whenever the annotation of a text would change, other than by the project's words, brands
and segments: texts with an older version are annotated again."""


@dataclass(frozen=True, slots=True)
class TextAnnotation:
    """What is known of one text without a model."""

    language: LanguageCode
    words: list[str]
    """Normalised words in order (`Segmenter.locate_words`)."""
    starts: list[int]
    """Where each word begins, in code points of the body as published."""
    lengths: list[int]
    """How many code points of the body each word spans."""
    hashtags: list[str]
    exact: str
    """The digest that exact copies share (`exact_digest`)."""
    mentions: list[Mention]
    comparisons: list[Comparison]
    segments: list[str]
    """Ids of the audience segments that the author says to belong to (`SegmentDetector`)."""


def annotate_texts(
    bodies: Sequence[str], segmenter: Segmenter, linker: BrandLinker, detector: SegmentDetector
) -> list[TextAnnotation]:
    """Annotate texts and return one annotation each, in order; equal texts are annotated once."""
    annotations = {
        body: annotate_text(body, segmenter, linker, detector) for body in dict.fromkeys(bodies)
    }
    return [annotations[body] for body in bodies]


def annotate_text(
    body: str, segmenter: Segmenter, linker: BrandLinker, detector: SegmentDetector
) -> TextAnnotation:
    """Annotate one text."""
    text = fold_once(body)
    words, starts, lengths = segmenter.locate_words(text)
    mentions = linker.find_mentions(text)
    return TextAnnotation(
        language=identify_language(text),
        words=words,
        starts=starts,
        lengths=lengths,
        hashtags=topics_of_hashtags(words),
        exact=exact_digest(text),
        mentions=mentions,
        comparisons=find_comparisons(text, mentions),
        segments=detector.find_segments(text),
    )
