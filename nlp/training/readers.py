"""The file formats of the public sets, each to Samples. A row without a polarity is left out by its reader, which says why."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from nlp.training.samples import NEGATIVE, NEUTRAL, POSITIVE, TWO_WAY, Sample, Target

Reader = Callable[[Path], Iterator[Sample]]

_POLARITY = {"neg": NEGATIVE, "neu": NEUTRAL, "pos": POSITIVE}  # by the first three letters, lower case
_BETWEEN_HAN = re.compile(r"(?<=[\u2e80-\uffef]) +| +(?=[\u2e80-\uffef])")


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV or TSV file with a header."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")


def labelled(text: str, label: str, mapping: Mapping[str, int], classes: tuple[int, ...] = TWO_WAY) -> Reader:
    """A CSV of one text and one label a row; labels that ``mapping`` does not name (surprise, say) have no polarity and are left out."""

    def read(path: Path) -> Iterator[Sample]:
        for row in rows(path):
            if row[label] in mapping and row[text].strip():
                yield Sample(row[text].strip(), mapping[row[label]], classes)

    return read


def targets(classes: tuple[int, ...]) -> Reader:
    """PyABSA's rows of a sentence with its aspect cut out as ``$T$``; a sentence with several aspects becomes one Sample, labelled
    as a whole too where its aspects agree.
    """

    def read(path: Path) -> Iterator[Sample]:
        found: dict[str, list[Target]] = {}
        for row in rows(path):
            left, cut, right = row["text_with_$T$"].partition("$T$")
            if not cut:
                continue  # no place in the sentence: nothing to read a target from
            left, aspect, right = (_BETWEEN_HAN.sub("", part) for part in (left, row["aspect"], right))
            target = Target(((len(left), len(left) + len(aspect)),), _POLARITY[row["polarity"].lower()[:3]])
            found.setdefault(left + aspect + right, []).append(target)
        yield from _grouped(found, classes)

    return read


def quads(path: Path) -> Iterator[Sample]:
    """Zhang's Chinese triplets: tokens parted by spaces, ``####``, then (aspect, opinion, polarity) with inclusive token spans."""
    found: dict[str, list[Target]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        sentence, _, labels = line.partition("####")
        tokens = sentence.split()
        starts = [0]
        for token in tokens:
            starts.append(starts[-1] + len(token))
        spans = {(first, last, _POLARITY[polarity.lower()[:3]]) for (first, last), *_, polarity in ast.literal_eval(labels) if first >= 0}
        found.setdefault("".join(tokens), []).extend(
            Target(((starts[first], starts[last + 1]),), polarity) for first, last, polarity in sorted(spans)
        )
    yield from _grouped(found, (NEGATIVE, NEUTRAL, POSITIVE))


def _grouped(found: Mapping[str, list[Target]], classes: tuple[int, ...]) -> Iterator[Sample]:
    for text, its in found.items():
        labels = {target.label for target in its}
        label = labels.pop() if len(labels) == 1 else None
        unique = {target.spans: target for target in its if sum(other.spans == target.spans for other in its) == 1}
        if label is not None or unique:  # an aspect judged twice, and differently, has no one label
            yield Sample(text, label, classes, tuple(unique.values()))


def cars(path: Path) -> Iterator[Sample]:
    """CCF 2018: a row a subject; a text whose subjects disagree has no label as a whole and is left out."""
    found: dict[str, set[int]] = {}
    for row in rows(path):
        found.setdefault(row["content"].strip(), set()).add(int(row["sentiment_value"]) + 1)
    for text, labels in found.items():
        if len(labels) == 1:
            yield Sample(text, labels.pop())


def stars(text: str, rating: str) -> Reader:
    """Five stars: one and two negative, three neutral, four and five positive."""
    polarity = {1: NEGATIVE, 2: NEGATIVE, 3: NEUTRAL, 4: POSITIVE, 5: POSITIVE}
    mapping = {form: label for star, label in polarity.items() for form in (f"{star}", f"{star}.0")}
    return labelled(text, rating, mapping, (NEGATIVE, NEUTRAL, POSITIVE))
