"""Classification of JSON lines, within a project or without one (`folate classify`)."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from folate.core.config import Brand, Config
from folate.core.errors import InputError
from folate.core.labels import EMOTIONS, INTENTS, SENTIMENT_LABELS
from folate.core.post import repair_surrogates
from nlp.extract.brands import BrandLinker, check_brand_names
from nlp.model import (
    AspectPrediction,
    SentimentProbabilities,
    TextPrediction,
    load_reader,
)
from nlp.model.name_hiding import Passage, is_proper_name, read_without_names
from nlp.text.language import identify_language
from nlp.text.segment import Segmenter
from nlp.text.tagging import TaggedWord, WordTagger

if TYPE_CHECKING:
    from nlp.extract.taxonomy import TaxonomyTag, TaxonomyTagger

TextSpan = tuple[int, int]

MIN_SHOWN_PROBABILITY = 0.5
"""An intent that is at least this probable is shown in a table."""

_TARGET_ID = "\0target"
"""Stands for the target among the brands of a text; no brand can have this id."""
_HANDLE = re.compile(r"\w[\w-]{0,29}", re.ASCII)
_LABEL_COLUMNS = ("label", *SENTIMENT_LABELS)


@dataclass(frozen=True)
class ClassifyRequest:
    """One parsed line of input."""

    text: str
    # words that name a brand, whose sentiment is predicted too
    target: str | None = None

    @classmethod
    def parse(cls, line: str) -> "ClassifyRequest":
        """Parse one line of input. Raises InputError."""
        expected = 'wanted {"text": …} or {"text": …, "target": …}'
        try:
            value = json.loads(line)
        # ValueError is also raised for a number of thousands of digits
        except (ValueError, RecursionError) as error:
            raise InputError(f"{expected}, got {line[:60]!r}.") from error
        if not isinstance(value, dict) or not isinstance(value.get("text"), str):
            raise InputError(f"{expected}, got {line[:60]!r}.")
        target = value.get("target")
        if target is not None and not isinstance(target, str):
            raise InputError(f"wanted target to be a string, got {target!r}.")
        return cls(repair_surrogates(value["text"]) or "", repair_surrogates(target))

    def target_spans(self, brand: Brand | None) -> list[TextSpan]:
        """Return where the text names the target.

        All names of `brand` count, if the target is that brand. Otherwise the target is matched as
        the name of a brand would be, with its @handle, and if that fails as plain text.
        """
        target = (self.target or "").strip()
        if not target:
            return []
        names = (target, f"@{target}") if _HANDLE.fullmatch(target) else (target,)
        linker = BrandLinker([brand or Brand(id="target", names=names)])
        mentions = [(mention.start, mention.end) for mention in linker.find_mentions(self.text)]
        return mentions or _find_occurrences(self.text.lower(), target.lower())


class _TargetPassage(NamedTuple):
    """A text with its brands, and the index of the target among the predicted targets."""

    passage: Passage
    # None where the text does not name the target
    target_index: int | None


def brands_by_alias(brands: Iterable[Brand]) -> dict[str, Brand]:
    """Return the brands by their ids and by all their names, in lower case."""
    return {name.lower(): brand for brand in brands for name in (brand.id, *brand.aliases)}


def make_analyser(config: Config, extra_words: Iterable[str] = ()) -> WordTagger:
    """Return a tagger that never splits brand names, configured words or `extra_words`.

    Brand names are tagged as proper nouns.
    """
    segmenter = Segmenter([*config.vocabulary, *extra_words])
    return WordTagger(segmenter, (alias for brand in config.brands for alias in brand.aliases))


class Classifier:
    """Classifies texts with the model, aspects, taxonomy and brands of a configuration."""

    def __init__(self, config: Config, *, with_tokens: bool = False) -> None:
        """Load the model. With `with_tokens`, answers have tokens. Raises ConfigError."""
        nlp = config.nlp
        self._reader = load_reader(nlp.model, nlp.threads, config.aspects, depth=nlp.depth)
        self._taxonomy = config.taxonomy
        check_brand_names(config.brands)
        self._brands = brands_by_alias(config.brands)
        self._linker = BrandLinker(config.brands)
        self._analyser = make_analyser(config) if with_tokens else None

    def classify(self, lines: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield one answer per line, in order; {"error": …} for a line that can't be parsed."""
        parsed_lines = [_parse_line(line) for line in lines]
        requests = [parsed for parsed in parsed_lines if isinstance(parsed, ClassifyRequest)]
        texts = [request.text for request in requests]
        predictions = self._predict(requests)
        tags = self._assign_tags(texts, predictions)
        tokens = self._analyser.tag_words(texts) if self._analyser else [None] * len(texts)
        results = iter(zip(predictions, tags, tokens, strict=True))
        for parsed in parsed_lines:
            if isinstance(parsed, InputError):
                yield {"error": str(parsed)}
            else:
                yield _make_answer(parsed.text, *next(results))

    def _predict(self, requests: Sequence[ClassifyRequest]) -> list[TextPrediction]:
        """Return the prediction of each text, with the requested target as its only target."""
        passages = [self._make_passage(request) for request in requests]
        predictions = read_without_names(self._reader, [entry.passage for entry in passages])
        results = []
        for prediction, (_, index) in zip(predictions, passages, strict=True):
            targets = () if index is None else (prediction.targets[index],)
            results.append(replace(prediction, targets=targets))
        return results

    def _make_passage(self, request: ClassifyRequest) -> _TargetPassage:
        text = request.text
        mentions: dict[str, list[TextSpan]] = {}
        for mention in self._linker.find_mentions(text):
            mentions.setdefault(mention.brand, []).append((mention.start, mention.end))
        brand = self._brands.get((request.target or "").strip().lower())
        if brand and brand.id in mentions:
            return _TargetPassage(Passage(text, mentions), list(mentions).index(brand.id))
        spans = request.target_spans(brand)
        if not spans:
            return _TargetPassage(Passage(text, mentions), None)
        is_handle = any(text[start] in "@＠" for start, _ in spans)
        if is_handle or is_proper_name(request.target or ""):
            mentions_with_target = mentions | {_TARGET_ID: spans}
            return _TargetPassage(
                Passage(text, mentions_with_target, mentions_complete=False),
                list(mentions_with_target).index(_TARGET_ID),
            )
        return _TargetPassage(Passage(text, mentions, target_spans=spans), len(mentions))

    def _assign_tags(
        self, texts: Sequence[str], predictions: Sequence[TextPrediction]
    ) -> "list[list[TaxonomyTag]]":
        """Return the tags of each text; none where the model gives no embedding."""
        import numpy as np

        tags: list[list[TaxonomyTag]] = [[] for _ in texts]
        indices = []
        embeddings = []
        for index, prediction in enumerate(predictions):
            if prediction.embedding is not None:
                indices.append(index)
                embeddings.append(prediction.embedding)
        if not indices:
            return tags
        assigned = self._tagger.assign_tags(
            [texts[index] for index in indices], np.stack(embeddings)
        )
        for index, text_tags in zip(indices, assigned, strict=True):
            tags[index] = text_tags
        return tags

    @cached_property
    def _tagger(self) -> "TaxonomyTagger":
        from nlp.extract.taxonomy import TaxonomyTagger

        return TaxonomyTagger(self._taxonomy, self._reader.embed)


def classify_lines(
    batches: Iterable[Sequence[str]], config: Config, *, with_tokens: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield one answer per line, in order, batch by batch.

    The model is loaded when the first lines have arrived. Raises ConfigError.
    """
    classifier: Classifier | None = None
    for lines in batches:
        classifier = classifier or Classifier(config, with_tokens=with_tokens)
        yield from classifier.classify(lines)


def _make_answer(
    text: str,
    prediction: TextPrediction,
    tags: "Sequence[TaxonomyTag]",
    words: Sequence[TaggedWord] | None,
) -> dict[str, Any]:
    """Return the answer to one line."""
    target = prediction.targets[0] if prediction.targets else None
    answer = {
        "language": identify_language(text),
        "sentiment": probabilities_to_dict(prediction.post),
        "target_sentiment": probabilities_to_dict(target) if target else None,
        "aspects": [_aspect_to_dict(aspect) for aspect in prediction.aspects],
        "emotion": _round_probabilities(prediction.emotion),
        "intent": _round_probabilities(prediction.intent),
        "tags": [{"tag": tag.tag, "score": round(float(tag.score), 4)} for tag in tags],
    }
    if words is not None:
        answer["tokens"] = [word._asdict() for word in words]
    return answer


def flatten_answer(line: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer as one row with the same columns for every answer; None where missing."""
    sentiment = answer.get("sentiment") or {}
    target = answer.get("target_sentiment") or {}
    emotion = answer.get("emotion") or {}
    intent = answer.get("intent") or {}
    row = {"line": line, "language": answer.get("language")}
    row |= {name: sentiment.get(name) for name in _LABEL_COLUMNS}
    row |= {f"target_{name}": target.get(name) for name in _LABEL_COLUMNS}
    row["emotion"] = max(emotion, key=emotion.__getitem__, default=None)
    row |= {f"emotion_{name}": emotion.get(name) for name in EMOTIONS}
    row |= {f"intent_{name}": intent.get(name) for name in INTENTS}
    row |= {name: answer.get(name) for name in ("aspects", "tags", "tokens", "error")}
    return row


def summarize_answer(line: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer as one row for a person: labels without their probabilities."""
    row = flatten_answer(line, answer)
    aspects = row["aspects"] or ()
    tags = row["tags"] or ()
    intents = [name for name in INTENTS if (row[f"intent_{name}"] or 0) >= MIN_SHOWN_PROBABILITY]
    summary = {name: row[name] for name in ("line", "language", "label", "target_label")}
    summary["aspects"] = [f"{aspect['name']} {aspect['polarity']}" for aspect in aspects]
    summary["emotion"] = row["emotion"]
    summary["intent"] = intents
    summary["tags"] = [tag["tag"] for tag in tags]
    if row["tokens"]:
        summary["tokens"] = " ".join(f"{token['text']}/{token['pos']}" for token in row["tokens"])
    summary["error"] = row["error"]
    return summary


def _parse_line(line: str) -> ClassifyRequest | InputError:
    """Return the parsed line, or the error if it can't be parsed."""
    try:
        return ClassifyRequest.parse(line)
    except InputError as error:
        return error


def probabilities_to_dict(probabilities: SentimentProbabilities) -> dict[str, Any]:
    """Return the most probable label and the three probabilities."""
    return {
        "label": probabilities.label,
        "negative": round(probabilities.negative, 4),
        "neutral": round(probabilities.neutral, 4),
        "positive": round(probabilities.positive, 4),
    }


def _aspect_to_dict(aspect: AspectPrediction) -> dict[str, Any]:
    polarity = probabilities_to_dict(aspect.polarity)
    return {
        "name": aspect.name,
        "polarity": polarity.pop("label"),
        "confidence": round(aspect.confidence, 4),
        "start": aspect.start,
        "end": aspect.end,
        **polarity,
    }


def _round_probabilities(probabilities: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in probabilities.items()}


def _find_occurrences(text: str, term: str) -> list[TextSpan]:
    """Return the spans of all occurrences of `term` that don't overlap."""
    spans = []
    start = text.find(term)
    while start >= 0:
        end = start + len(term)
        spans.append((start, end))
        start = text.find(term, end)
    return spans
