"""Annotations of texts that need no model: language, words, brands, comparisons and segments."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp.extract.brands import BrandLinker, Mention
from nlp.extract.comparisons import Comparison, find_comparisons
from nlp.extract.segments import SegmentDetector
from nlp.text.duplicates import exact_digest, stripped_digest
from nlp.text.language import LanguageCode, identify_language, identify_languages
from nlp.text.normalize import fold_once
from nlp.text.segment import Segmenter, WordColumns, topics_of_hashtags

ANNOTATION_VERSION = "5"
"""Raised whenever the annotation of a text would change, other than by the project's words, brands
and segments: texts with an older version are annotated again."""

MIN_COMPILED_TEXTS = 1_000
"""Fewer texts are annotated without compiled code, which takes some seconds to load."""


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


@dataclass(frozen=True, slots=True)
class TextAnnotations:
    """What is known of many texts without a model: each list has one element a text."""

    languages: list[LanguageCode]
    words: WordColumns
    hashtags: list[list[str]]
    exact: list[str]
    mentions: list[list[Mention]]
    comparisons: list[list[Comparison]]
    segments: list[list[str]]


def annotate_texts(
    bodies: Sequence[str], segmenter: Segmenter, linker: BrandLinker, detector: SegmentDetector
) -> list[TextAnnotation]:
    """Annotate texts and return one annotation each, in order; equal texts are annotated once."""
    distinct = list(dict.fromkeys(bodies))
    columns = annotate_columns(distinct, segmenter, linker, detector)
    annotations = {body: _annotation(columns, index) for index, body in enumerate(distinct)}
    return [annotations[body] for body in bodies]


def annotate_columns(
    bodies: Sequence[str], segmenter: Segmenter, linker: BrandLinker, detector: SegmentDetector
) -> TextAnnotations:
    """Annotate texts, and return the annotations by column."""
    if len(bodies) < MIN_COMPILED_TEXTS:
        texts = list(map(fold_once, bodies))
        words = segmenter.locate_words_of_few(texts)
        digests = list(map(exact_digest, texts))
        languages = list(map(identify_language, texts))
        mentions = list(map(linker.find_mentions, texts))
    else:
        from nlp.text.batches import fold_texts

        batch = fold_texts(bodies)
        texts = batch.texts
        words = segmenter.locate_words_of_batch(batch)
        digests = list(map(stripped_digest, batch.stripped))
        languages = identify_languages(batch)
        mentions = linker.find_mentions_of_batch(batch)
    return TextAnnotations(
        languages=languages,
        words=words,
        hashtags=_hashtags(words),
        exact=digests,
        mentions=mentions,
        comparisons=list(map(find_comparisons, texts, mentions)),
        segments=list(map(detector.find_segments, texts)),
    )


def _annotation(columns: TextAnnotations, index: int) -> TextAnnotation:
    words = columns.words
    stretch = slice(*words.offsets[index : index + 2])
    return TextAnnotation(
        language=columns.languages[index],
        words=[words.vocabulary[number] for number in words.numbers[stretch].tolist()],
        starts=words.starts[stretch].tolist(),
        lengths=words.lengths[stretch].tolist(),
        hashtags=columns.hashtags[index],
        exact=columns.exact[index],
        mentions=columns.mentions[index],
        comparisons=columns.comparisons[index],
        segments=columns.segments[index],
    )


def _hashtags(words: WordColumns) -> list[list[str]]:
    """Return the topics of the hashtags of each text."""
    positions = np.flatnonzero(np.isin(words.numbers, words.hashtags))
    texts = np.searchsorted(words.offsets, positions, "right") - 1
    hashtags: list[list[str]] = [[] for _ in words.offsets[1:]]
    for text, number in zip(texts.tolist(), words.numbers[positions].tolist(), strict=True):
        hashtags[text].append(words.vocabulary[number])
    return [topics_of_hashtags(found) if found else found for found in hashtags]
