"""Hard sentences of our own: negation, regret, irony, slang and comparisons, never trained on.

They are predicted as in production, with the names of brands hidden (`nlp.model.name_hiding`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from folate.core.config import Brand
from nlp.extract.brands import BrandLinker
from nlp.model import Reader
from nlp.model.name_hiding import Passage, read_without_names
from nlp.stats.estimation import wilson_interval
from nlp.text.clauses import TextSpan
from training.predictions import ScoreRow
from training.scores import Score

CHINESE_NAMES = ("栗屿", "澜朵", "桐里", "米沃", "禾渡")
ENGLISH_NAMES = ("Brindlo", "Calvex", "Norvane", "Pellaro", "Quillby")
INVENTED_BRANDS = (
    *(Brand(id=name, names=(name, f"@{name}", f"@{name}官方")) for name in CHINESE_NAMES),
    *(Brand(id=name, names=(name, f"@{name}")) for name in ENGLISH_NAMES),
)
"""The made-up brands of the sentences."""


@dataclass(frozen=True, slots=True)
class HardSentence:
    """A sentence with the right label of a target, or of the whole post."""

    text: str
    # id of a brand of `INVENTED_BRANDS`; None for the whole post
    target: str | None
    label: str
    phenomenon: str
    # "zh" or "en"
    language: str


def read_hard_sentences(path: Path) -> list[HardSentence]:
    """Read a TSV of text, target, label, phenomenon and language; no target: the post."""
    owners = {name: brand.id for brand in INVENTED_BRANDS for name in brand.names}
    _, *lines = path.read_text(encoding="utf-8").splitlines()
    sentences = []
    for line in lines:
        text, target, label, phenomenon, language = line.split("\t")
        brand = owners[target] if target else None
        sentences.append(HardSentence(text, brand, label, phenomenon, language))
    return sentences


def predict_labels(reader: Reader, sentences: list[HardSentence]) -> list[str]:
    """Return the label that the reader predicts for each sentence or its target."""
    passages = [Passage(sentence.text, _mention_spans(sentence.text)) for sentence in sentences]
    labels = []
    for sentence, passage, reading in zip(
        sentences, passages, read_without_names(reader, passages), strict=True
    ):
        if sentence.target is None:
            labels.append(reading.post.label)
        else:
            labels.append(reading.targets[list(passage.mentions).index(sentence.target)].label)
    return labels


def score_hard_sentences(reader: Reader, path: Path) -> Iterator[ScoreRow]:
    """Yield the accuracy by language, by right label and by phenomenon.

    Intervals are Wilson's, at 95 %.
    """
    sentences = read_hard_sentences(path)
    outcomes: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
    for sentence, label in zip(sentences, predict_labels(reader, sentences), strict=True):
        is_right = label == sentence.label
        outcomes["hard sentences", sentence.language].append(is_right)
        outcomes[f"hard sentences, {sentence.label}", sentence.language].append(is_right)
        outcomes[f"hard: {sentence.phenomenon}", sentence.language].append(is_right)
    for (name, language), hits in sorted(outcomes.items()):
        yield ScoreRow(_accuracy_score(f"{name}, {language}", hits), language, trained_on=False)


def _accuracy_score(name: str, hits: list[bool]) -> Score:
    low, high = wilson_interval(sum(hits), len(hits))
    return Score(name, "accuracy", len(hits), sum(hits) / len(hits), low, high)


def _mention_spans(text: str) -> dict[str, list[TextSpan]]:
    """Return the spans of each brand that ``text`` names."""
    mentions: dict[str, list[TextSpan]] = {}
    for mention in _LINKER.find_mentions(text):
        mentions.setdefault(mention.brand, []).append((mention.start, mention.end))
    return mentions


_LINKER = BrandLinker(INVENTED_BRANDS)
