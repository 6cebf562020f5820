"""What a reader says of the dev samples of each set, and the scores that come of it, beside baselines on the same texts."""

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

    Chances = NDArray[np.float64]

_PICTURES = re.compile(f"{BRACKET_EMOTICON}|{EMOJI}", re.IGNORECASE)
_LEARNT = 4_000  # texts of each other set of the language that TF-IDF learns from where a set has no training split


@dataclass(frozen=True)
class EvaluatedSet:
    """One set's dev samples and their readings."""

    split: DatasetSplit
    samples: list[Sample]
    readings: list[TextPrediction]

    @property
    def source(self) -> DatasetSource:
        return self.split.source

    @property
    def post_probabilities(self) -> Chances:
        """Probabilities (n, 3)."""
        return probability_array([reading.post for reading in self.readings])


@dataclass(frozen=True)
class ScoreRow:
    """A score and what it is of. ``known``: whether the set was trained on. ``beside``: baselines on the same texts. ``neutral``: the share
    of a two-way set's posts that is called neutral.
    """

    score: Score
    language: str
    trained_on: bool
    baselines: dict[str, float] = field(default_factory=dict)
    neutral_share: float | None = None


def predict_dev_sets(
    reader: Reader, splits: Sequence[DatasetSplit], limit: int
) -> list[EvaluatedSet]:
    """Everything that the table is made of, read once. A set that emoticons labelled is read without them too."""
    made = []
    for split in track_items(splits, "reading", unit="set"):
        samples = [
            aspects.label_aspects_by_targets(sample) if sample.targets else sample
            for sample in select_evaluation_samples(split.dev, limit)
        ]
        made.append(EvaluatedSet(split, samples, _read(reader, samples)))
        if split.source.emoticon_labelled:
            bare = [
                replace(sample, text=text)
                for sample in samples
                if (text := _PICTURES.sub("", sample.text)).strip()
            ]
            made.append(
                EvaluatedSet(
                    replace(split, source=replace(split.source, name=f"{split.source.name} bare")),
                    bare,
                    _read(reader, bare),
                )
            )
    return made


def _read(reader: Reader, samples: Sequence[Sample]) -> list[TextPrediction]:
    return reader.read(
        [sample.text for sample in samples],
        [[target.spans for target in sample.targets] for sample in samples],
    )


def score_rows(evaluated_sets: Sequence[EvaluatedSet], *, baselines: bool) -> Iterator[ScoreRow]:
    """The scores of every head on every set that has labels for it."""
    for one in track_items(evaluated_sets, "comparing", unit="set"):
        for made in (_sentiment, _aspects, _emotion):
            yield from made(one, evaluated_sets if baselines else ())


def _sentiment(one: EvaluatedSet, others: Sequence[EvaluatedSet]) -> Iterator[ScoreRow]:
    post = post_score(one.source.name, one.samples, one.post_probabilities)
    if post is not None:
        neutral = (
            float((one.post_probabilities.argmax(1) == NEUTRAL).mean())
            if one.samples[0].classes == TWO_WAY
            else None
        )
        yield _row(one, post, _peers(one, others) if others else {}, neutral)
    target = target_score(
        one.source.name,
        one.samples,
        [probability_array(reading.targets) for reading in one.readings],
    )
    if target is not None:
        yield _row(one, target)


def _peers(one: EvaluatedSet, others: Sequence[EvaluatedSet]) -> dict[str, float]:
    """The baselines on the labelled posts of one set; for a set never trained on, TF-IDF learns from all others of its language."""
    spoken = one.source.language
    train = one.split.train or [
        sample
        for other in others
        if other.source.language == spoken
        for sample in other.split.train[:_LEARNT]
    ]
    judges = {
        "TF-IDF": train_tfidf_baseline([(sample.text, sample.label) for sample in train], 3)
    } | lexicon_baselines(spoken)
    labelled = [sample for sample in one.samples if sample.label is not None]
    made = {
        name: post_score(name, labelled, judge([sample.text for sample in labelled]))
        for name, judge in judges.items()
    }
    return {name: its.value for name, its in made.items() if its is not None}


def _aspects(one: EvaluatedSet, others: Sequence[EvaluatedSet]) -> Iterator[ScoreRow]:
    """Whether an aspect is spoken of, where that is known both ways, and its polarity where it was found."""
    spoken, given, listed, right, judged = [], [], [], [], []
    for sample, reading in zip(one.samples, one.readings, strict=True):
        found, words = (
            {its.name: its for its in reading.aspects},
            aspects.aspect_term_spans(sample.text),
        )
        for index, has in [(its.index, True) for its in sample.aspects] + [
            (index, False) for index in sample.absent_aspects
        ]:
            spoken.append(int(has))
            given.append(int(ASPECTS[index] in found))
            listed.append(int(index in words))
        for its in sample.aspects:
            if its.label is not None and ASPECTS[its.index] in found:
                right.append(its.label)
                judged.append(
                    most_probable_label(
                        probability_array([found[ASPECTS[its.index]].polarity])[0], sample.classes
                    )
                )
    if len(set(spoken)) == 2:
        annotated = not any(
            sample.targets for sample in one.samples
        )  # elsewhere the word list itself says what is absent
        beside = (
            {"word list": f1(np.array(spoken), np.array(listed))} if others and annotated else {}
        )
        yield _row(one, bootstrap_score(f"{one.source.name} aspects", f1, spoken, given), beside)
    if right:
        yield _row(
            one, bootstrap_score(f"{one.source.name} aspects' polarity", accuracy, right, judged)
        )


def _emotion(one: EvaluatedSet, others: Sequence[EvaluatedSet]) -> Iterator[ScoreRow]:
    """The set's own emotions only are asked for; a set with fewer than three says little."""
    labelled = [
        (sample, reading)
        for sample, reading in zip(one.samples, one.readings, strict=True)
        if sample.emotion is not None
    ]
    right = [sample.emotion for sample, _ in labelled if sample.emotion is not None]
    asked = sorted(set(right))
    if len(asked) < 3 or not any(reading.emotion for _, reading in labelled):
        return
    given = [
        reading.emotion or {"neutral": 1.0} for _, reading in labelled
    ]  # a text with nothing to read has none
    chances = np.array(
        [[emotion.get(EMOTIONS[index], 0.0) for index in asked] for emotion in given]
    )
    beside = {}
    if others and one.split.train:
        judge = train_tfidf_baseline(
            [(sample.text, sample.emotion) for sample in one.split.train], len(EMOTIONS)
        )
        beside = {
            "TF-IDF": macro_f1(
                np.array(right), judge([sample.text for sample, _ in labelled]).argmax(1)
            )
        }
    yield _row(
        one,
        bootstrap_score(
            f"{one.source.name} emotion",
            macro_f1,
            right,
            [asked[index] for index in chances.argmax(1)],
        ),
        beside,
    )


def score_intents(reader: Reader, path: Path) -> Iterator[ScoreRow]:
    """Intents on sentences of our own, beside the rules that label training texts."""
    own = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    readings = reader.read([row["text"] for row in own])
    for intent in INTENTS:
        right = [int(intent in row["intent"]) for row in own]
        given = [int(reading.intent.get(intent, 0) >= 0.5) for reading in readings]
        ruled = [int(weak.detect_intent(row["text"], intent) is True) for row in own]
        yield ScoreRow(
            bootstrap_score(f"own sentences, {intent}", f1, right, given),
            "both",
            False,
            {"rules": f1(np.array(right), np.array(ruled))},
        )


def describe_name_alignment(reader: Reader, path: Path) -> str:
    """How near the embeddings of a Chinese and an English name of one thing are, over the pairs of a TSV (columns zh and en)."""
    pairs = list(readers.read_dataset_rows(path))
    chinese, english = (reader.embed([row[column] for row in pairs]) for column in ("zh", "en"))
    cosines = chinese @ english.T
    same, others = np.diag(cosines), cosines[~np.eye(len(pairs), dtype=bool)]
    nearest = [100 * (cosines.argmax(axis) == np.arange(len(pairs))).mean() for axis in (1, 0)]
    return (
        f"embedding, {len(pairs)} names of things in both languages: cosine {same.mean():.3f} of pairs, {others.mean():.3f} of others;"
        f" the nearest is the right one for {nearest[0]:.0f} % (zh to en) and {nearest[1]:.0f} % (en to zh)"
    )


def calibration_error_lines(evaluated_sets: Sequence[EvaluatedSet]) -> Iterator[str]:
    """Expected calibration error by set and by language, of posts, targets, emotions and whether an aspect is spoken of.

    Only of texts that calibration was not fitted on. Where annotators had two labels, so have the probabilities.
    """
    kinds: dict[str, Callable[[EvaluatedSet], list[tuple[int, list[float]]]]] = {
        "post": _posts, "target": _targets, "emotion": _emotions, "aspect": _spoken,
    }  # fmt: skip
    unseen = [_unfitted(one) for one in evaluated_sets]
    for kind, pairs_of in kinds.items():
        pairs = {one.source.name: (one, found) for one in unseen if (found := pairs_of(one))}
        pooled: dict[str, list[tuple[int, list[float]]]] = {}
        for one, its in pairs.values():
            pooled.setdefault(
                f"{one.source.language}, {'sets trained on' if one.split.train else 'other sets'}",
                [],
            ).extend(its)
        for name, its in [*pooled.items(), *((name, found) for name, (_, found) in pairs.items())]:
            error = calibration_error(
                [right for right, _ in its], np.array([chances for _, chances in its])
            )
            yield f"  {kind:8} {name:40} {error:.3f} (n={len(its)})"


def _unfitted(one: EvaluatedSet) -> EvaluatedSet:
    known = calibration_digests(one.split)
    kept = [
        pair
        for pair in zip(one.samples, one.readings, strict=True)
        if text_digest(pair[0].text) not in known
    ]
    return EvaluatedSet(one.split, [sample for sample, _ in kept], [reading for _, reading in kept])


def _posts(one: EvaluatedSet) -> list[tuple[int, list[float]]]:
    pairs = zip(one.samples, one.post_probabilities.tolist(), strict=True)
    return [
        _asked(sample.label, row, sample.classes)
        for sample, row in pairs
        if sample.label is not None
    ]


def _targets(one: EvaluatedSet) -> list[tuple[int, list[float]]]:
    found = []
    for sample, reading in zip(one.samples, one.readings, strict=True):
        for target, row in zip(
            sample.targets, probability_array(reading.targets).tolist(), strict=True
        ):
            found.append(
                _asked(NEUTRAL if target.label == NOT_ABOUT else target.label, row, sample.classes)
            )
    return found


def _asked(label: int, row: list[float], classes: tuple[int, ...]) -> tuple[int, list[float]]:
    """A label and probabilities of the ``classes`` that its annotators could choose from; what they could not has none."""
    total = sum(row[index] for index in classes)
    return label, [row[index] / total if index in classes else 0.0 for index in range(len(row))]


def _emotions(one: EvaluatedSet) -> list[tuple[int, list[float]]]:
    if len({sample.emotion for sample in one.samples}) < 6:
        return []
    pairs = zip(one.samples, one.readings, strict=True)
    return [
        (sample.emotion, list(reading.emotion.values()))
        for sample, reading in pairs
        if sample.emotion is not None and reading.emotion
    ]


def _spoken(one: EvaluatedSet) -> list[tuple[int, list[float]]]:
    """Of the aspects reported: how sure, and whether they are spoken of. The others carry no confidence."""
    found = []
    for sample, reading in zip(one.samples, one.readings, strict=True):
        known = {its.index: 1 for its in sample.aspects} | dict.fromkeys(sample.absent_aspects, 0)
        for aspect in reading.aspects:
            index = ASPECTS.index(aspect.name) if aspect.name in ASPECTS else None
            if index in known:
                found.append((known[index], [1 - aspect.confidence, aspect.confidence]))
    return found


def _row(
    one: EvaluatedSet,
    its: Score,
    beside: dict[str, float] | None = None,
    neutral: float | None = None,
) -> ScoreRow:
    return ScoreRow(its, one.source.language, bool(one.split.train), beside or {}, neutral)


def probability_array(probabilities: Sequence[SentimentProbabilities]) -> Chances:
    """Probabilities (n, 3)."""
    return np.array(
        [(answer.negative, answer.neutral, answer.positive) for answer in probabilities]
    ).reshape(-1, 3)
