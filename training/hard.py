"""Hard sentences of our own: negation, regret, irony, slang, comparisons and more, which no training may see.

Read as in production, with the names of brands hidden (`nlp.model.name_hiding`).
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
    """A sentence with the right label of ``target``, or of the post as a whole where that is None.

    ``target`` is the id of a brand of `BRANDS`, ``language`` ``zh`` or ``en``.
    """

    text: str
    target: str | None
    label: str
    phenomenon: str
    language: str


def read_hard_sentences(path: Path) -> list[HardSentence]:
    """Read a TSV whose header is text, target, label, phenomenon, language; no target: the post."""
    owners = {name: brand.id for brand in INVENTED_BRANDS for name in brand.names}
    _, *lines = path.read_text(encoding="utf-8").splitlines()
    sentences = []
    for line in lines:
        text, target, label, phenomenon, spoken = line.split("\t")
        brand = owners[target] if target else None
        sentences.append(HardSentence(text, brand, label, phenomenon, spoken))
    return sentences


def predict_labels(reader: Reader, sentences: list[HardSentence]) -> list[str]:
    """Return the label that the reader gives each sentence or its target."""
    passages = [Passage(sentence.text, _mentions(sentence.text)) for sentence in sentences]
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
    """Score the sentences of ``path``: accuracy by language, by right label and by phenomenon.

    Intervals are Wilson's, at 95 %.
    """
    sentences = read_hard_sentences(path)
    outcomes: defaultdict[tuple[str, str], list[bool]] = defaultdict(list)
    for sentence, label in zip(sentences, predict_labels(reader, sentences), strict=True):
        right = label == sentence.label
        outcomes["hard sentences", sentence.language].append(right)
        outcomes[f"hard sentences, {sentence.label}", sentence.language].append(right)
        outcomes[f"hard: {sentence.phenomenon}", sentence.language].append(right)
    for (name, spoken), rights in sorted(outcomes.items()):
        yield ScoreRow(_accuracy(f"{name}, {spoken}", rights), spoken, trained_on=False)


def _accuracy(name: str, rights: list[bool]) -> Score:
    low, high = wilson_interval(sum(rights), len(rights))
    return Score(name, "accuracy", len(rights), sum(rights) / len(rights), low, high)


def _mentions(text: str) -> dict[str, list[TextSpan]]:
    """The spans of each brand that ``text`` names."""
    mentions: dict[str, list[TextSpan]] = {}
    for mention in _LINKER.find_mentions(text):
        mentions.setdefault(mention.brand, []).append((mention.start, mention.end))
    return mentions


_LINKER = BrandLinker(INVENTED_BRANDS)
