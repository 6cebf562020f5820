"""Readers of the public sets' file formats; each yields Samples and leaves out unlabelled rows."""

from __future__ import annotations

import ast
import csv
import gzip
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from folate.core.labels import ASPECTS
from training.sets import aspects
from training.sets.samples import NEGATIVE, NEUTRAL, POSITIVE, TWO_WAY, LabelledTarget, Sample

DatasetReader = Callable[[Path], Iterator[Sample]]

_POLARITY = {"neg": NEGATIVE, "neu": NEUTRAL, "pos": POSITIVE}
"""Labels by their first three letters in lower case."""
_LABEL_BY_STARS = {
    form: label
    for star, label in enumerate((NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE), start=1)
    for form in (f"{star}", f"{star}.0")
}
_ASPECT_BY_SUBJECT = {
    subject: ASPECTS.index(name)
    for subject, name in {
        "动力": "performance",
        "油耗": "performance",
        "操控": "performance",
        "价格": "price",
        "安全性": "safety",
        "外观": "appearance",
        "内饰": "appearance",
        "舒适性": "comfort",
        "空间": "comfort",
    }.items()
}
_ASPECT_BY_CATEGORY = {
    "service_wait_time": "service",
    "service_waiters_attitude": "service",
    "service_serving_speed": "service",
    "price_level": "price",
    "price_cost_effective": "price",
    "price_discount": "price",
    "environment_decoration": "environment",
    "environment_noise": "environment",
    "environment_space": "environment",
    "environment_cleaness": "environment",
    "dish_taste": "taste",
    "dish_look": "appearance",
}
_BETWEEN_HAN = re.compile(r"(?<=[\u2e80-\uffef]) +| +(?=[\u2e80-\uffef])")


def read_dataset_rows(path: Path) -> Iterator[dict[str, str]]:
    """Read the rows of a CSV or TSV file with a header; a name that ends in .gz is unpacked."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")


def labelled_csv_reader(
    text_column: str,
    label_column: str,
    mapping: Mapping[str, int],
    classes: tuple[int, ...] = TWO_WAY,
    emotions: Mapping[str, int] = MappingProxyType({}),
) -> DatasetReader:
    """Return a reader of CSV files with one text and one label a row.

    ``mapping`` gives the polarity of a label, ``emotions`` its emotion. Rows whose label has
    neither (an unknown star) are left out; surprise, for example, has an emotion and no polarity.
    """

    def read_rows(path: Path) -> Iterator[Sample]:
        for row in read_dataset_rows(path):
            polarity = mapping.get(row[label_column])
            emotion = emotions.get(row[label_column])
            if (polarity, emotion) != (None, None) and row[text_column].strip():
                yield Sample(row[text_column].strip(), polarity, classes, emotion=emotion)

    return read_rows


def pyabsa_reader(classes: tuple[int, ...]) -> DatasetReader:
    """Return a reader of PyABSA's rows: a sentence with its aspect cut out as ``$T$``.

    A sentence with several aspects becomes one Sample, labelled as a whole where they agree.
    """

    def read_rows(path: Path) -> Iterator[Sample]:
        targets_by_sentence: dict[str, list[LabelledTarget]] = {}
        for row in read_dataset_rows(path):
            left, cut, right = row["text_with_$T$"].partition("$T$")
            if not cut:
                # no position in the sentence, so no target
                continue
            left, aspect, right = (
                _BETWEEN_HAN.sub("", part) for part in (left, row["aspect"], right)
            )
            target = LabelledTarget(
                ((len(left), len(left) + len(aspect)),), _POLARITY[row["polarity"].lower()[:3]]
            )
            targets_by_sentence.setdefault(left + aspect + right, []).append(target)
        yield from _group_targets(targets_by_sentence, classes)

    return read_rows


def read_zhang_triplets(path: Path) -> Iterator[Sample]:
    """Read Zhang's Chinese triplets, one sentence a line.

    A line has tokens separated by spaces, ``####``, then (aspect, opinion, polarity) with inclusive
    token spans.
    """
    targets_by_sentence: dict[str, list[LabelledTarget]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        sentence, _, triplets = line.partition("####")
        tokens = sentence.split()
        starts = [0]
        for token in tokens:
            starts.append(starts[-1] + len(token))
        spans = {
            (first, last, _POLARITY[polarity.lower()[:3]])
            for (first, last), *_, polarity in ast.literal_eval(triplets)
            if first >= 0
        }
        targets_by_sentence.setdefault("".join(tokens), []).extend(
            LabelledTarget(((starts[first], starts[last + 1]),), polarity)
            for first, last, polarity in sorted(spans)
        )
    yield from _group_targets(targets_by_sentence, (NEGATIVE, NEUTRAL, POSITIVE))


def _group_targets(
    targets_by_text: Mapping[str, list[LabelledTarget]], classes: tuple[int, ...]
) -> Iterator[Sample]:
    for text, targets in targets_by_text.items():
        labels = {target.label for target in targets}
        label = labels.pop() if len(labels) == 1 else None
        counts = Counter(target.spans for target in targets)
        unique = [target for target in targets if counts[target.spans] == 1]
        # an aspect that is labelled twice has no single label
        if label is not None or unique:
            yield Sample(text, label, classes, tuple(unique))


def read_ccf2018_cars(path: Path) -> Iterator[Sample]:
    """Read CCF 2018: a row for each subject of a text, most of them one of our aspects.

    A text whose subjects disagree has no label as a whole.
    """
    subjects_by_text: dict[str, list[tuple[str, int]]] = {}
    for row in read_dataset_rows(path):
        subjects_by_text.setdefault(row["content"].strip(), []).append(
            (row["subject"], int(row["sentiment_value"]) + 1)
        )
    for text, subject_labels in subjects_by_text.items():
        labels = {label for _, label in subject_labels}
        labels_by_aspect: dict[int, list[int]] = {}
        for subject, label in subject_labels:
            if subject in _ASPECT_BY_SUBJECT:
                labels_by_aspect.setdefault(_ASPECT_BY_SUBJECT[subject], []).append(label)
        yield Sample(
            text,
            labels.pop() if len(labels) == 1 else None,
            aspects=aspects.aspects_from_subjects(labels_by_aspect),
        )


def read_asap_restaurants(path: Path) -> Iterator[Sample]:
    """Read ASAP: five stars, and 18 categories of -2 (not mentioned) or -1 to 1.

    Categories that are none of our aspects are left out.
    """
    for row in read_dataset_rows(path):
        aspect_labels: dict[int, list[int]] = {}
        for category, name in _ASPECT_BY_CATEGORY.items():
            labels = aspect_labels.setdefault(ASPECTS.index(name), [])
            if int(row[category]) > -2:
                labels.append(int(row[category]) + 1)
        labelled_aspects = aspects.aspects_from_subjects(
            {index: labels for index, labels in aspect_labels.items() if labels}
        )
        absent = tuple(index for index, labels in sorted(aspect_labels.items()) if not labels)
        yield Sample(
            row["reviewbody"].strip(),
            _LABEL_BY_STARS.get(row["star"]),
            aspects=labelled_aspects,
            absent_aspects=absent,
        )


def star_rating_reader(text_column: str, rating_column: str) -> DatasetReader:
    """Return a reader of ratings: 1 and 2 stars negative, 3 neutral, 4 and 5 positive."""
    return labelled_csv_reader(
        text_column, rating_column, _LABEL_BY_STARS, (NEGATIVE, NEUTRAL, POSITIVE)
    )
