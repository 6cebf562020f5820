"""The hard sentences of our own: balanced, new to training, and scored."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nlp.model import SentimentProbabilities, TargetSpans, TextPrediction
from training.hard import INVENTED_BRANDS, HardSentence, read_hard_sentences, score_hard_sentences
from training.sets import composed, sentences
from training.sets.manifest import text_digest

TESTS = Path(__file__).parents[1]
HARD = TESTS / "eval" / "hard.tsv"
TRAINING = Path(composed.__file__).parent
SHORTEST = 12  # Latin letters, a Han character counted as two: from here on more than a common word


@pytest.fixture(scope="module")
def hard() -> list[HardSentence]:
    return read_hard_sentences(HARD)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_there_are_150_sentences_a_language_and_each_label_has_a_quarter(
    hard: list[HardSentence], language: str
) -> None:
    labels = Counter(sentence.label for sentence in hard if sentence.language == language)
    assert labels.total() == 150
    assert set(labels) == {"negative", "neutral", "positive"}
    assert min(labels.values()) >= 0.25 * 150


def test_no_sentence_is_asked_twice_about_the_same(hard: list[HardSentence]) -> None:
    assert len({(text_digest(sentence.text), sentence.target) for sentence in hard}) == len(hard)


def letters(text: str) -> str:
    """The letters and digits of a text without brands and fields to fill in."""
    names = "|".join(brand.id for brand in INVENTED_BRANDS)
    return re.sub(rf"{names}|{{\w*}}|[\W_]+", "", text).lower()


def size(text: str) -> int:
    """Latin letters and digits of a text, a Han character counted as two."""
    return len(text) + len(re.findall(r"[\u3400-\u9fff]", text))


def phrases(node: Any) -> Iterator[str]:
    """Every string in a JSON document."""
    if isinstance(node, str):
        yield node
    else:
        for child in node.values() if isinstance(node, dict) else node:
            yield from phrases(child)


@pytest.mark.parametrize("kind", ["composed", "intents", "emotions", "aspects"])
def test_no_hard_sentence_repeats_what_training_composes(
    hard: list[HardSentence], kind: str
) -> None:
    document = json.loads((TRAINING / f"{kind}.json").read_text(encoding="utf-8"))
    trained = {letters(phrase) for phrase in phrases(document)} - {""}
    for sentence in hard:
        text = letters(sentence.text)
        assert text not in trained, sentence.text
        repeated = [phrase for phrase in trained if size(phrase) >= SHORTEST and phrase in text]
        assert not repeated, sentence.text


def test_no_hard_sentence_is_one_that_a_seed_of_training_gives(hard: list[HardSentence]) -> None:
    samples = [
        *composed.compose_brand_samples(2_000, seed=0),
        *sentences.compose_task_samples(2_000, seed=0),
    ]
    assert not {text_digest(sample.text) for sample in samples} & {
        text_digest(sentence.text) for sentence in hard
    }


def test_no_hard_sentence_stands_in_another_set_of_ours(hard: list[HardSentence]) -> None:
    others: list[str] = []
    for name in ("sentences", "intents"):
        lines = (TESTS / "eval" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        others += [json.loads(line)["text"] for line in lines]
    for language in ("zh", "en"):
        path = TESTS / "golden" / f"names.{language}.tsv"
        lines = path.read_text(encoding="utf-8").splitlines()
        others += [line.partition("\t")[2] for line in lines]
    assert not {letters(text) for text in others} & {letters(sentence.text) for sentence in hard}


class _PositiveReader:
    """Predict every post neutral and every target positive, and keep the texts."""

    name, version = "stub", "1"

    def __init__(self) -> None:
        self.texts: list[str] = []

    def read(self, texts: list[str], targets: TargetSpans | None = None) -> list[TextPrediction]:
        self.texts = list(texts)
        return [
            TextPrediction(
                SentimentProbabilities(0.0, 1.0, 0.0),
                (SentimentProbabilities(0.0, 0.0, 1.0),) * len(text_spans),
            )
            for text_spans in targets or [()] * len(texts)
        ]

    def embed(self, texts: list[str]) -> None:
        raise NotImplementedError


def test_sentences_are_scored_by_language_label_and_phenomenon_with_names_hidden(
    tmp_path: Path,
) -> None:
    path = tmp_path / "hard.tsv"
    path.write_text(
        "text\ttarget\tlabel\tphenomenon\tlanguage\n"
        "Brindlo beats Calvex\tBrindlo\tpositive\tcomparison\ten\n"
        "Brindlo beats Calvex\tCalvex\tnegative\tcomparison\ten\n"
        "@Calvex sent a letter\t@Calvex\tneutral\tnotice\ten\n"
        "凑合吧\t\tneutral\tlukewarm\tzh\n",
        encoding="utf-8",
    )
    stub = _PositiveReader()
    scores = {
        row.score.name: (row.score.n, row.score.value) for row in score_hard_sentences(stub, path)
    }  # type: ignore[arg-type]
    assert scores["hard sentences, zh"] == (1, 1.0)
    assert scores["hard sentences, en"] == (
        3,
        pytest.approx(2 / 3),
    )  # an addressed post is judged as a whole
    assert scores["hard: comparison, en"] == (2, 0.5)
    assert scores["hard sentences, negative, en"] == (1, 0.0)
    assert not any("Calvex" in text or "Brindlo" in text for text in stub.texts)
