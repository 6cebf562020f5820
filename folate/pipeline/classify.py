"""JSON lines in, judgements out: `folate classify`, in a project or without one."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

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
_TARGET = "\0target"  # no id of a brand
_HANDLE = re.compile(r"\w[\w-]{0,29}", re.ASCII)
MIN_SHOWN_PROBABILITY = 0.5
"""An intent at least this probable is shown in a table."""


@dataclass(frozen=True)
class ClassifyRequest:
    """One line of input, understood."""

    text: str
    target: str | None = None

    @classmethod
    def parse(cls, line: str) -> "ClassifyRequest":
        """Raises InputError."""
        wanted = 'wanted {"text": …} or {"text": …, "target": …}'
        try:
            value = json.loads(line)
        except (
            ValueError,
            RecursionError,
        ) as error:  # ValueError: also a number of thousands of digits
            raise InputError(f"{wanted}, got {line[:60]!r}.") from error
        if not isinstance(value, dict) or not isinstance(value.get("text"), str):
            raise InputError(f"{wanted}, got {line[:60]!r}.")
        target = value.get("target")
        if target is not None and not isinstance(target, str):
            raise InputError(f"wanted target to be a string, got {target!r}.")
        return cls(repair_surrogates(value["text"]) or "", repair_surrogates(target))

    def target_spans(self, brand: Brand | None) -> list[TextSpan]:
        """Return where the text names the target: under any name if it is `brand`, else as a brand would be found,
        its handle too, else as plain text.
        """
        target = (self.target or "").strip()
        if not target:
            return []
        names = (target, f"@{target}") if _HANDLE.fullmatch(target) else (target,)
        linker = BrandLinker([brand or Brand(id="target", names=names)])
        mentions = [(mention.start, mention.end) for mention in linker.find_mentions(self.text)]
        return mentions or _occurrences(self.text.lower(), target.lower())


def brands_by_alias(brands: Iterable[Brand]) -> dict[str, Brand]:
    """Brands by their ids and by every way to write them, in lower case."""
    return {name.lower(): brand for brand in brands for name in (brand.id, *brand.aliases)}


def make_analyser(config: Config, extra_words: Iterable[str] = ()) -> WordTagger:
    """Names of a project's brands are whole and proper nouns, its confirmed words and `words` whole."""
    return WordTagger(
        Segmenter([*config.vocabulary, *extra_words]),
        (alias for brand in config.brands for alias in brand.aliases),
    )


class Classifier:
    """What reads the lines of a project, or of none: the configuration's model, aspects, taxonomy and brands."""

    def __init__(self, config: Config, *, with_tokens: bool = False) -> None:
        """`tokens`: whether answers have them. Raises ConfigError."""
        self._reader = load_reader(
            config.nlp.model, config.nlp.threads, config.aspects, depth=config.nlp.depth
        )
        self._taxonomy = config.taxonomy
        check_brand_names(config.brands)
        self._brands = brands_by_alias(config.brands)
        self._linker = BrandLinker(config.brands)
        self._analyser = make_analyser(config) if with_tokens else None

    def classify(self, lines: Sequence[str]) -> Iterator[dict[str, Any]]:
        """One answer a line, in order: judgements, or {"error": …} in the place of a line that can't be read."""
        questions = [_parsed(line) for line in lines]
        good = [q for q in questions if isinstance(q, ClassifyRequest)]
        texts = [question.text for question in good]
        readings = self._readings(good)
        tokens = self._analyser.tag_words(texts) if self._analyser else [None] * len(texts)
        made = iter(zip(readings, self._tags(texts, readings), tokens, strict=True))
        for question in questions:
            yield (
                {"error": str(question)}
                if isinstance(question, InputError)
                else _answer(question.text, *next(made))
            )

    def _readings(self, questions: Sequence[ClassifyRequest]) -> list[TextPrediction]:
        """A reading of each text, of whose targets only the one asked for is left."""
        asked = [self._passage(question) for question in questions]
        readings = read_without_names(self._reader, [passage for passage, _ in asked])
        return [
            replace(reading, targets=() if place is None else (reading.targets[place],))
            for reading, (_, place) in zip(readings, asked, strict=True)
        ]

    def _passage(self, question: ClassifyRequest) -> tuple[Passage, int | None]:
        """The text with its brands, and the place of the target among the targets of its reading; None where the
        text does not name it.
        """
        mentions: dict[str, list[TextSpan]] = {}
        for mention in self._linker.find_mentions(question.text):
            mentions.setdefault(mention.brand, []).append((mention.start, mention.end))
        brand = self._brands.get((question.target or "").strip().lower())
        if brand and brand.id in mentions:
            return Passage(question.text, mentions), list(mentions).index(brand.id)
        spans = question.target_spans(brand)
        if not spans:
            return Passage(question.text, mentions), None
        if is_proper_name(question.target or "") or any(
            question.text[start] in "@＠" for start, _ in spans
        ):
            named = mentions | {_TARGET: spans}
            return Passage(question.text, named, mentions_complete=False), list(named).index(
                _TARGET
            )
        return Passage(question.text, mentions, target_spans=spans), len(mentions)

    def _tags(
        self, texts: Sequence[str], readings: Sequence[TextPrediction]
    ) -> "list[list[TaxonomyTag]]":
        """Tags of each text; none where the model gives no embedding."""
        import numpy as np

        known = [
            (text, reading.embedding)
            for text, reading in zip(texts, readings, strict=True)
            if reading.embedding is not None
        ]
        if not known:
            return [[] for _ in readings]
        found = iter(
            self._tagger.assign_tags(
                [text for text, _ in known], np.stack([vector for _, vector in known])
            )
        )
        return [[] if reading.embedding is None else next(found) for reading in readings]

    @cached_property
    def _tagger(self) -> "TaxonomyTagger":
        from nlp.extract.taxonomy import TaxonomyTagger

        return TaxonomyTagger(self._taxonomy, self._reader.embed)


def classify_lines(
    batches: Iterable[Sequence[str]], config: Config, *, with_tokens: bool = False
) -> Iterator[dict[str, Any]]:
    """One answer a line, in order, a batch at a time. The model is loaded when the first lines have come. Raises ConfigError."""
    judges: Classifier | None = None
    for lines in batches:
        judges = judges or Classifier(config, with_tokens=with_tokens)
        yield from judges.classify(lines)


def _answer(
    text: str,
    reading: TextPrediction,
    tags: "Sequence[TaxonomyTag]",
    words: Sequence[TaggedWord] | None,
) -> dict[str, Any]:
    target = reading.targets[0] if reading.targets else None
    answer = {
        "language": identify_language(text),
        "sentiment": probabilities_to_dict(reading.post),
        "target_sentiment": probabilities_to_dict(target) if target else None,
        "aspects": [_aspect(aspect) for aspect in reading.aspects],
        "emotion": _rounded(reading.emotion),
        "intent": _rounded(reading.intent),
        "tags": [{"tag": tag.tag, "score": round(float(tag.score), 4)} for tag in tags],
    }
    return answer if words is None else answer | {"tokens": [word._asdict() for word in words]}


def flatten_answer(line: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as one row of plain columns, the same for every answer; lists stay lists. Missing is None."""
    sentiment, target = answer.get("sentiment") or {}, answer.get("target_sentiment") or {}
    emotion, intent = answer.get("emotion") or {}, answer.get("intent") or {}
    return {
        "line": line,
        "language": answer.get("language"),
        **{name: sentiment.get(name) for name in ("label", *SENTIMENT_LABELS)},
        **{f"target_{name}": target.get(name) for name in ("label", *SENTIMENT_LABELS)},
        "emotion": max(emotion, key=emotion.__getitem__, default=None),
        **{f"emotion_{name}": emotion.get(name) for name in EMOTIONS},
        **{f"intent_{name}": intent.get(name) for name in INTENTS},
        **{name: answer.get(name) for name in ("aspects", "tags", "tokens", "error")},
    }


def summarize_answer(line: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer as one row that a person reads: labels without their probabilities."""
    row = flatten_answer(line, answer)
    return {
        **{name: row[name] for name in ("line", "language", "label", "target_label")},
        "aspects": [f"{aspect['name']} {aspect['polarity']}" for aspect in row["aspects"] or ()],
        "emotion": row["emotion"],
        "intent": [
            name for name in INTENTS if (row[f"intent_{name}"] or 0) >= MIN_SHOWN_PROBABILITY
        ],
        "tags": [tag["tag"] for tag in row["tags"] or ()],
        **(
            {"tokens": " ".join(f"{token['text']}/{token['pos']}" for token in row["tokens"])}
            if row["tokens"]
            else {}
        ),
        "error": row["error"],
    }


def _parsed(line: str) -> ClassifyRequest | InputError:
    try:
        return ClassifyRequest.parse(line)
    except InputError as error:
        return error


def probabilities_to_dict(p: SentimentProbabilities) -> dict[str, Any]:
    """The label, which is the most probable one, and the three probabilities."""
    return {
        "label": p.label,
        "negative": round(p.negative, 4),
        "neutral": round(p.neutral, 4),
        "positive": round(p.positive, 4),
    }


def _aspect(aspect: AspectPrediction) -> dict[str, Any]:
    polarity = probabilities_to_dict(aspect.polarity)
    place = {"confidence": round(aspect.confidence, 4), "start": aspect.start, "end": aspect.end}
    return {"name": aspect.name, "polarity": polarity.pop("label")} | place | polarity


def _rounded(chances: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(chance), 4) for name, chance in chances.items()}


def _occurrences(text: str, part: str) -> list[TextSpan]:
    found, at = [], text.find(part)
    while at >= 0:
        found.append((at, at + len(part)))
        at = text.find(part, at + len(part))
    return found
