"""The file formats of the public sets, each to Samples. A row without a polarity is left out by its reader, which says why."""

from __future__ import annotations

import ast
import csv
import gzip
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from folate.core.labels import ASPECTS
from training.sets import aspects
from training.sets.samples import NEGATIVE, NEUTRAL, POSITIVE, TWO_WAY, LabelledTarget, Sample

DatasetReader = Callable[[Path], Iterator[Sample]]

_POLARITY = {
    "neg": NEGATIVE,
    "neu": NEUTRAL,
    "pos": POSITIVE,
}  # by the first three letters, lower case
_STARS = {
    form: label
    for star, label in enumerate((NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE), start=1)
    for form in (f"{star}", f"{star}.0")
}
_SUBJECTS = {
    subject: ASPECTS.index(name)
    for subject, name in {
        "动力": "performance", "油耗": "performance", "操控": "performance", "价格": "price", "安全性": "safety", "外观": "appearance",
        "内饰": "appearance", "舒适性": "comfort", "空间": "comfort",
    }.items()
}  # fmt: skip
_CATEGORIES = {
    "service_wait_time": "service", "service_waiters_attitude": "service", "service_serving_speed": "service", "price_level": "price",
    "price_cost_effective": "price", "price_discount": "price", "environment_decoration": "environment", "environment_noise": "environment",
    "environment_space": "environment", "environment_cleaness": "environment", "dish_taste": "taste", "dish_look": "appearance",
}  # fmt: skip
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
    """A CSV of one text and one label a row, which ``mapping`` turns into a polarity and ``emotions`` into an emotion.

    Labels of neither (an unknown star) are left out; surprise, say, has an emotion and no polarity.
    """

    def read(path: Path) -> Iterator[Sample]:
        for row in read_dataset_rows(path):
            polarity, emotion = mapping.get(row[label_column]), emotions.get(row[label_column])
            if (polarity, emotion) != (None, None) and row[text_column].strip():
                yield Sample(row[text_column].strip(), polarity, classes, emotion=emotion)

    return read


def pyabsa_reader(classes: tuple[int, ...]) -> DatasetReader:
    """PyABSA's rows of a sentence with its aspect cut out as ``$T$``; a sentence with several aspects becomes one Sample, labelled
    as a whole too where its aspects agree.
    """

    def read(path: Path) -> Iterator[Sample]:
        found: dict[str, list[LabelledTarget]] = {}
        for row in read_dataset_rows(path):
            left, cut, right = row["text_with_$T$"].partition("$T$")
            if not cut:
                continue  # no place in the sentence: nothing to read a target from
            left, aspect, right = (
                _BETWEEN_HAN.sub("", part) for part in (left, row["aspect"], right)
            )
            target = LabelledTarget(
                ((len(left), len(left) + len(aspect)),), _POLARITY[row["polarity"].lower()[:3]]
            )
            found.setdefault(left + aspect + right, []).append(target)
        yield from _grouped(found, classes)

    return read


def read_zhang_triplets(path: Path) -> Iterator[Sample]:
    """Zhang's Chinese triplets: tokens parted by spaces, ``####``, then (aspect, opinion, polarity) with inclusive token spans."""
    found: dict[str, list[LabelledTarget]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        sentence, _, labels = line.partition("####")
        tokens = sentence.split()
        starts = [0]
        for token in tokens:
            starts.append(starts[-1] + len(token))
        spans = {
            (first, last, _POLARITY[polarity.lower()[:3]])
            for (first, last), *_, polarity in ast.literal_eval(labels)
            if first >= 0
        }
        found.setdefault("".join(tokens), []).extend(
            LabelledTarget(((starts[first], starts[last + 1]),), polarity)
            for first, last, polarity in sorted(spans)
        )
    yield from _grouped(found, (NEGATIVE, NEUTRAL, POSITIVE))


def _grouped(
    found: Mapping[str, list[LabelledTarget]], classes: tuple[int, ...]
) -> Iterator[Sample]:
    for text, its in found.items():
        labels = {target.label for target in its}
        label = labels.pop() if len(labels) == 1 else None
        unique = {
            target.spans: target
            for target in its
            if sum(other.spans == target.spans for other in its) == 1
        }
        if label is not None or unique:  # an aspect judged twice, and differently, has no one label
            yield Sample(text, label, classes, tuple(unique.values()))


def read_ccf2018_cars(path: Path) -> Iterator[Sample]:
    """CCF 2018: a row a subject, most of them one of our aspects; a text whose subjects disagree has no label as a whole."""
    found: dict[str, list[tuple[str, int]]] = {}
    for row in read_dataset_rows(path):
        found.setdefault(row["content"].strip(), []).append(
            (row["subject"], int(row["sentiment_value"]) + 1)
        )
    for text, its in found.items():
        labels = {label for _, label in its}
        spoken: dict[int, list[int]] = {}
        for subject, label in its:
            if subject in _SUBJECTS:
                spoken.setdefault(_SUBJECTS[subject], []).append(label)
        yield Sample(
            text,
            labels.pop() if len(labels) == 1 else None,
            aspects=aspects.aspects_from_subjects(spoken),
        )


def read_asap_restaurants(path: Path) -> Iterator[Sample]:
    """ASAP: five stars, and 18 categories of -2 (not spoken of) or -1 to 1; those that are none of our aspects are left out."""
    for row in read_dataset_rows(path):
        spoken: dict[int, list[int]] = {}
        for category, name in _CATEGORIES.items():
            its = spoken.setdefault(ASPECTS.index(name), [])
            its += [int(row[category]) + 1] if int(row[category]) > -2 else []
        found = aspects.aspects_from_subjects(
            {index: labels for index, labels in spoken.items() if labels}
        )
        absent = tuple(index for index, labels in sorted(spoken.items()) if not labels)
        yield Sample(
            row["reviewbody"].strip(), _STARS.get(row["star"]), aspects=found, absent_aspects=absent
        )


def star_rating_reader(text_column: str, rating_column: str) -> DatasetReader:
    """Five stars: one and two negative, three neutral, four and five positive."""
    return labelled_csv_reader(text_column, rating_column, _STARS, (NEGATIVE, NEUTRAL, POSITIVE))
