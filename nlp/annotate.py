"""Annotations of texts that need no model: language, words, hashtags, brands and comparisons."""

from collections.abc import Sequence
from dataclasses import dataclass

from nlp.extract.brands import BrandLinker, Mention
from nlp.extract.comparisons import Comparison, find_comparisons
from nlp.text.duplicates import exact_digest
from nlp.text.language import LanguageCode, identify_language
from nlp.text.normalize import fold_once
from nlp.text.segment import Segmenter

ANNOTATION_VERSION = "4"
"""Raised whenever the annotation of a text would change, other than by the project's words and
brands: texts with an older version are annotated again."""


@dataclass(frozen=True, slots=True)
class TextAnnotation:
    """What is known of one text without a model."""

    language: LanguageCode
    words: list[str]
    """Normalised words in order (`Segmenter.words`)."""
    hashtags: list[str]
    exact: str
    """The digest that exact copies share (`exact_digest`)."""
    mentions: list[Mention]
    comparisons: list[Comparison]


def annotate_texts(
    bodies: Sequence[str], segmenter: Segmenter, linker: BrandLinker
) -> list[TextAnnotation]:
    """Annotate texts and return one annotation each, in order; equal texts are annotated once."""
    annotations = {body: annotate_text(body, segmenter, linker) for body in dict.fromkeys(bodies)}
    return [annotations[body] for body in bodies]


def annotate_text(body: str, segmenter: Segmenter, linker: BrandLinker) -> TextAnnotation:
    """Annotate one text."""
    text = fold_once(body)
    mentions = linker.find_mentions(text)
    return TextAnnotation(
        language=identify_language(text),
        words=segmenter.words(text),
        hashtags=segmenter.hashtags(text),
        exact=exact_digest(text),
        mentions=mentions,
        comparisons=find_comparisons(text, mentions),
    )
