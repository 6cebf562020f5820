"""Predictions of a reader on the dev samples of each set, and their scores beside baselines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from folate.core.labels import ASPECTS, EMOTIONS, INTENTS
from folate.core.progress import track_items
from nlp.model import Reader, TextPrediction
from nlp.model.reader import SentimentProbabilities
from nlp.text.patterns import BRACKET_EMOTICON, EMOJI
from training.baselines import lexicon_baselines, train_tfidf_baseline
from training.calibrate import calibration_digests, select_evaluation_samples
from training.scores import (
    Score,
    accuracy,
    bootstrap_score,
    calibration_error,
    f1,
    macro_f1,
    most_probable_label,
    post_score,
    target_score,
)
from training.sets import aspects, readers, weak
from training.sets.manifest import DatasetSource, DatasetSplit, text_digest
from training.sets.samples import NEUTRAL, NOT_ABOUT, TWO_WAY, Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Probabilities = NDArray[np.float64]

_EMOTICONS = re.compile(f"{BRACKET_EMOTICON}|{EMOJI}", re.IGNORECASE)

_MAX_BASELINE_TEXTS = 4_000
"""Texts that TF-IDF learns from each other set of the language, for sets without training texts."""


@dataclass(frozen=True)
class EvaluatedSet:
    """The dev samples of one set and the predictions for them."""

    split: DatasetSplit
    samples: list[Sample]
    readings: list[TextPrediction]

    @property
    def source(self) -> DatasetSource:
        return self.split.source

    @property
    def post_probabilities(self) -> Probabilities:
        """Return the probabilities (n, 3) of the posts."""
        return probability_array([reading.post for reading in self.readings])


@dataclass(frozen=True)
class ScoreRow:
    """A score and what it was measured on."""

    score: Score
    language: str
    # whether the model was trained on this set
    trained_on: bool
    # by name, scores of baselines on the same texts
    baselines: dict[str, float] = field(default_factory=dict)
    # share of a two-way set's posts that is predicted neutral
    neutral_share: float | None = None


def predict_dev_sets(
    reader: Reader, splits: Sequence[DatasetSplit], limit: int
) -> list[EvaluatedSet]:
    """Predict at most ``limit`` dev samples of each set.

    A set whose labels come from emoticons is predicted without the emoticons too.
    """
    evaluated_sets = []
    for split in track_items(splits, "reading", unit="set"):
        samples = [
            aspects.label_aspects_by_targets(sample) if sample.targets else sample
            for sample in select_evaluation_samples(split.dev, limit)
        ]
        evaluated_sets.append(EvaluatedSet(split, samples, _predict_samples(reader, samples)))
        if split.source.emoticon_labelled:
            stripped_samples = [
                replace(sample, text=text)
                for sample in samples
                if (text := _EMOTICONS.sub("", sample.text)).strip()
            ]
            evaluated_sets.append(
                EvaluatedSet(
                    replace(split, source=replace(split.source, name=f"{split.source.name} bare")),
                    stripped_samples,
                    _predict_samples(reader, stripped_samples),
                )
            )
    return evaluated_sets


def _predict_samples(reader: Reader, samples: Sequence[Sample]) -> list[TextPrediction]:
    texts = [sample.text for sample in samples]
    target_spans = [[target.spans for target in sample.targets] for sample in samples]
    return reader.read(texts, target_spans)


def score_rows(evaluated_sets: Sequence[EvaluatedSet], *, baselines: bool) -> Iterator[ScoreRow]:
    """Yield the scores of every head on every set that has labels for it."""
    for evaluated_set in track_items(evaluated_sets, "comparing", unit="set"):
        for score_head in (_score_sentiment, _score_aspects, _score_emotion):
            yield from score_head(evaluated_set, evaluated_sets if baselines else ())


def _score_sentiment(
    evaluated_set: EvaluatedSet, baseline_sets: Sequence[EvaluatedSet]
) -> Iterator[ScoreRow]:
    post_row = post_score(
        evaluated_set.source.name, evaluated_set.samples, evaluated_set.post_probabilities
    )
    if post_row is not None:
        neutral = (
            float((evaluated_set.post_probabilities.argmax(1) == NEUTRAL).mean())
            if evaluated_set.samples[0].classes == TWO_WAY
            else None
        )
        yield _score_row(
            evaluated_set,
            post_row,
            _score_baselines(evaluated_set, baseline_sets) if baseline_sets else {},
            neutral,
        )
    target_row = target_score(
        evaluated_set.source.name,
        evaluated_set.samples,
        [probability_array(reading.targets) for reading in evaluated_set.readings],
    )
    if target_row is not None:
        yield _score_row(evaluated_set, target_row)


def _score_baselines(
    evaluated_set: EvaluatedSet, baseline_sets: Sequence[EvaluatedSet]
) -> dict[str, float]:
    """Score the baselines on the labelled posts of one set.

    For a set without training texts, TF-IDF learns from all others of its language.
    """
    language = evaluated_set.source.language
    training_samples = list(evaluated_set.split.train)
    if not training_samples:
        for other_set in baseline_sets:
            if other_set.source.language == language:
                training_samples += other_set.split.train[:_MAX_BASELINE_TEXTS]
    labelled_texts = [(sample.text, sample.label) for sample in training_samples]
    classifiers = {"TF-IDF": train_tfidf_baseline(labelled_texts, 3)} | lexicon_baselines(language)
    labelled = [sample for sample in evaluated_set.samples if sample.label is not None]
    texts = [sample.text for sample in labelled]
    values: dict[str, float] = {}
    for name, classify in classifiers.items():
        score = post_score(name, labelled, classify(texts))
        if score is not None:
            values[name] = score.value
    return values


def _score_aspects(
    evaluated_set: EvaluatedSet, baseline_sets: Sequence[EvaluatedSet]
) -> Iterator[ScoreRow]:
    """Yield the F1 of aspect detection and the accuracy of aspect polarity.

    Detection is scored where both presence and absence are labelled, polarity on detected aspects.
    """
    present: list[int] = []
    predicted_present: list[int] = []
    listed_present: list[int] = []
    polarity_labels: list[int] = []
    polarity_predictions: list[int] = []
    for sample, reading in zip(evaluated_set.samples, evaluated_set.readings, strict=True):
        predicted_aspects = {aspect.name: aspect for aspect in reading.aspects}
        term_spans = aspects.aspect_term_spans(sample.text)
        presences = [(aspect.index, True) for aspect in sample.aspects]
        presences += [(index, False) for index in sample.absent_aspects]
        for index, is_present in presences:
            present.append(int(is_present))
            predicted_present.append(int(ASPECTS[index] in predicted_aspects))
            listed_present.append(int(index in term_spans))
        for aspect in sample.aspects:
            if aspect.label is not None and ASPECTS[aspect.index] in predicted_aspects:
                polarity_labels.append(aspect.label)
                (probabilities,) = probability_array(
                    [predicted_aspects[ASPECTS[aspect.index]].polarity]
                )
                polarity_predictions.append(most_probable_label(probabilities, sample.classes))
    if len(set(present)) == 2:
        # in sets of targets the word list itself says what is absent
        annotated = not any(sample.targets for sample in evaluated_set.samples)
        baselines = (
            {"word list": f1(np.array(present), np.array(listed_present))}
            if baseline_sets and annotated
            else {}
        )
        yield _score_row(
            evaluated_set,
            bootstrap_score(f"{evaluated_set.source.name} aspects", f1, present, predicted_present),
            baselines,
        )
    if polarity_labels:
        yield _score_row(
            evaluated_set,
            bootstrap_score(
                f"{evaluated_set.source.name} aspects' polarity",
                accuracy,
                polarity_labels,
                polarity_predictions,
            ),
        )


def _score_emotion(
    evaluated_set: EvaluatedSet, baseline_sets: Sequence[EvaluatedSet]
) -> Iterator[ScoreRow]:
    """Yield the macro F1 over the set's own emotions, where it has at least three."""
    labelled = [
        (sample, reading)
        for sample, reading in zip(evaluated_set.samples, evaluated_set.readings, strict=True)
        if sample.emotion is not None
    ]
    labels = [sample.emotion for sample, _ in labelled if sample.emotion is not None]
    emotion_indices = sorted(set(labels))
    if len(emotion_indices) < 3 or not any(reading.emotion for _, reading in labelled):
        return
    # a text without any token to classify has no emotion
    predictions = [reading.emotion or {"neutral": 1.0} for _, reading in labelled]
    probabilities = np.array(
        [
            [emotion.get(EMOTIONS[index], 0.0) for index in emotion_indices]
            for emotion in predictions
        ]
    )
    baselines = {}
    if baseline_sets and evaluated_set.split.train:
        classify = train_tfidf_baseline(
            [(sample.text, sample.emotion) for sample in evaluated_set.split.train], len(EMOTIONS)
        )
        baselines = {
            "TF-IDF": macro_f1(
                np.array(labels), classify([sample.text for sample, _ in labelled]).argmax(1)
            )
        }
    yield _score_row(
        evaluated_set,
        bootstrap_score(
            f"{evaluated_set.source.name} emotion",
            macro_f1,
            labels,
            [emotion_indices[index] for index in probabilities.argmax(1)],
        ),
        baselines,
    )


def score_intents(reader: Reader, path: Path) -> Iterator[ScoreRow]:
    """Yield the F1 of each intent on sentences of our own, beside the rules."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    readings = reader.read([row["text"] for row in rows])
    for intent in INTENTS:
        labels = [int(intent in row["intent"]) for row in rows]
        predictions = [int(reading.intent.get(intent, 0) >= 0.5) for reading in readings]
        rule_labels = [int(weak.detect_intent(row["text"], intent) is True) for row in rows]
        yield ScoreRow(
            bootstrap_score(f"own sentences, {intent}", f1, labels, predictions),
            "both",
            False,
            {"rules": f1(np.array(labels), np.array(rule_labels))},
        )


def describe_name_alignment(reader: Reader, path: Path) -> str:
    """Describe how near the embeddings of Chinese and English names of the same things are.

    ``path``: a TSV with the columns zh and en, one pair of names a row.
    """
    pairs = list(readers.read_dataset_rows(path))
    chinese, english = (reader.embed([row[column] for row in pairs]) for column in ("zh", "en"))
    cosines = chinese @ english.T
    pair_cosines = np.diag(cosines)
    other_cosines = cosines[~np.eye(len(pairs), dtype=bool)]
    nearest_shares = [
        100 * (cosines.argmax(axis) == np.arange(len(pairs))).mean() for axis in (1, 0)
    ]
    return (
        f"embedding, {len(pairs)} names of things in both languages:"
        f" cosine {pair_cosines.mean():.3f} of pairs, {other_cosines.mean():.3f} of others;"
        f" the nearest is the right one for {nearest_shares[0]:.0f} % (zh to en)"
        f" and {nearest_shares[1]:.0f} % (en to zh)"
    )


def calibration_error_lines(evaluated_sets: Sequence[EvaluatedSet]) -> Iterator[str]:
    """Yield the expected calibration error by set and by language.

    Of posts, targets, emotions and reported aspects, in texts that calibration was not fitted on.
    Where annotators had two labels, so have the probabilities.
    """
    kinds: dict[str, Callable[[EvaluatedSet], list[tuple[int, list[float]]]]] = {
        "post": _post_probabilities,
        "target": _target_probabilities,
        "emotion": _emotion_probabilities,
        "aspect": _aspect_probabilities,
    }
    unfitted_sets = [_without_fitted_texts(evaluated_set) for evaluated_set in evaluated_sets]
    for kind, pairs_of in kinds.items():
        pairs = {}
        for evaluated_set in unfitted_sets:
            set_pairs = pairs_of(evaluated_set)
            if set_pairs:
                pairs[evaluated_set.source.name] = (evaluated_set, set_pairs)
        pooled: dict[str, list[tuple[int, list[float]]]] = {}
        for evaluated_set, labelled_probabilities in pairs.values():
            trained = "sets trained on" if evaluated_set.split.train else "other sets"
            pooled.setdefault(
                f"{evaluated_set.source.language}, {trained}",
                [],
            ).extend(labelled_probabilities)
        for name, labelled_probabilities in [
            *pooled.items(),
            *((name, set_pairs) for name, (_, set_pairs) in pairs.items()),
        ]:
            error = calibration_error(
                [label for label, _ in labelled_probabilities],
                np.array([probabilities for _, probabilities in labelled_probabilities]),
            )
            yield f"  {kind:8} {name:40} {error:.3f} (n={len(labelled_probabilities)})"


def _without_fitted_texts(evaluated_set: EvaluatedSet) -> EvaluatedSet:
    fitted_digests = calibration_digests(evaluated_set.split)
    unfitted_pairs = [
        pair
        for pair in zip(evaluated_set.samples, evaluated_set.readings, strict=True)
        if text_digest(pair[0].text) not in fitted_digests
    ]
    return EvaluatedSet(
        evaluated_set.split,
        [sample for sample, _ in unfitted_pairs],
        [reading for _, reading in unfitted_pairs],
    )


def _post_probabilities(evaluated_set: EvaluatedSet) -> list[tuple[int, list[float]]]:
    pairs = zip(evaluated_set.samples, evaluated_set.post_probabilities.tolist(), strict=True)
    return [
        _restrict_to_classes(sample.label, probabilities, sample.classes)
        for sample, probabilities in pairs
        if sample.label is not None
    ]


def _target_probabilities(evaluated_set: EvaluatedSet) -> list[tuple[int, list[float]]]:
    labelled_probabilities = []
    for sample, reading in zip(evaluated_set.samples, evaluated_set.readings, strict=True):
        for target, probabilities in zip(
            sample.targets, probability_array(reading.targets).tolist(), strict=True
        ):
            labelled_probabilities.append(
                _restrict_to_classes(
                    NEUTRAL if target.label == NOT_ABOUT else target.label,
                    probabilities,
                    sample.classes,
                )
            )
    return labelled_probabilities


def _restrict_to_classes(
    label: int, row: list[float], classes: tuple[int, ...]
) -> tuple[int, list[float]]:
    """Return a label with the probabilities renormalised over the classes that annotators had."""
    total = sum(row[index] for index in classes)
    return label, [row[index] / total if index in classes else 0.0 for index in range(len(row))]


def _emotion_probabilities(evaluated_set: EvaluatedSet) -> list[tuple[int, list[float]]]:
    if len({sample.emotion for sample in evaluated_set.samples}) < 6:
        return []
    pairs = zip(evaluated_set.samples, evaluated_set.readings, strict=True)
    return [
        (sample.emotion, list(reading.emotion.values()))
        for sample, reading in pairs
        if sample.emotion is not None and reading.emotion
    ]


def _aspect_probabilities(evaluated_set: EvaluatedSet) -> list[tuple[int, list[float]]]:
    """Return, for each reported aspect with a known answer, that answer and its confidence."""
    labelled_probabilities = []
    for sample, reading in zip(evaluated_set.samples, evaluated_set.readings, strict=True):
        presence_by_index = {labelled.index: 1 for labelled in sample.aspects}
        presence_by_index |= dict.fromkeys(sample.absent_aspects, 0)
        for aspect in reading.aspects:
            index = ASPECTS.index(aspect.name) if aspect.name in ASPECTS else None
            if index in presence_by_index:
                labelled_probabilities.append(
                    (presence_by_index[index], [1 - aspect.confidence, aspect.confidence])
                )
    return labelled_probabilities


def _score_row(
    evaluated_set: EvaluatedSet,
    score: Score,
    baselines: dict[str, float] | None = None,
    neutral_share: float | None = None,
) -> ScoreRow:
    return ScoreRow(
        score,
        evaluated_set.source.language,
        bool(evaluated_set.split.train),
        baselines or {},
        neutral_share,
    )


def probability_array(probabilities: Sequence[SentimentProbabilities]) -> Probabilities:
    """Convert sentiment probabilities to an array (n, 3): negative, neutral, positive."""
    return np.array(
        [(answer.negative, answer.neutral, answer.positive) for answer in probabilities]
    ).reshape(-1, 3)
