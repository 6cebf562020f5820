"""Benchmark of comparisons on labelled public sets: recall, precision and direction.

    python -m benchmarks.comparisons --data DATA [--part train]

DATA/coqe: COQE (Liu, Xia & Yu 2021; cars and electronics in Chinese, cameras in English), its dev
splits. DATA/compsent19: CompSent-19 (Panchenko et al. 2019), the half of its sentences that a
digest picks. Entities are given as mentions. Rules were written looking at the other parts (--part
train).
"""

import argparse
import csv
import re
from collections import Counter
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path
from typing import NamedTuple

from nlp.extract.brands import Mention
from nlp.extract.comparisons import find_comparisons
from nlp.stats.estimation import wilson_interval

COQE_LANGUAGES = {"Car-COQE": "zh", "Ele-COQE": "zh", "Camera-COQE": "en"}
FIRST = "first"
SECOND = "second"


class ComparisonCase(NamedTuple):
    """A sentence, its two entities, and which is better; None when neither is said to be."""

    text: str
    mentions: list[Mention]
    better: str | None


def read_coqe(path: Path, language: str) -> Iterator[ComparisonCase]:
    """Yield the cases of a COQE file: quintuples with a subject and an object, each with offsets.

    Offsets count characters from 0 in Chinese, words from 1 in English.
    """
    text = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("[["):
            text = line.rpartition("\t")[0].strip()
            continue
        cells = line.strip()[2:-2].split("];[")
        spans = [_parse_span(cell, text, language) for cell in cells[:2]]
        if len(cells) == 5 and None not in spans and not _overlap(spans):
            mentions = [
                Mention(name, *span)
                for name, span in zip((FIRST, SECOND), spans, strict=True)
                if span
            ]
            yield ComparisonCase(text, mentions, {"1": FIRST, "-1": SECOND}.get(cells[4]))


def _parse_span(cell: str, text: str, language: str) -> tuple[int, int] | None:
    offsets = [int(offset) for offset in re.findall(r"(\d+)&", cell)]
    if not offsets:
        return None
    if language == "en":
        words = [match.span() for match in re.finditer(r"\S+", text)]
        return (
            (words[offsets[0] - 1][0], words[offsets[-1] - 1][1])
            if offsets[-1] <= len(words)
            else None
        )
    return (offsets[0], offsets[-1] + 1) if offsets[-1] < len(text) else None


def _overlap(spans: list[tuple[int, int] | None]) -> bool:
    a, b = spans
    return bool(a and b and a[0] < b[1] and b[0] < a[1])


def read_compsent(path: Path, part: str, brands: bool) -> Iterator[ComparisonCase]:
    """Yield the cases of one part of CompSent-19, of the domain `brands` or of the others.

    The label says of the object named first whether it is better or worse.
    """
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
        text = row["sentence"]
        if (row["domain"] == "brands") is not brands or (
            sha1(text.encode(), usedforsecurity=False).digest()[0] % 2 == 1
        ) is (part == "train"):
            continue
        object_mentions = [
            *_find_object(row["object_a"].lower(), text.lower()),
            *_find_object(row["object_b"].lower(), text.lower()),
        ]
        first_mention = min(
            object_mentions, key=lambda mention: mention.start, default=Mention("", 0, 0)
        )
        mentions = [
            mention._replace(brand=FIRST if mention.brand == first_mention.brand else SECOND)
            for mention in object_mentions
        ]
        if len({mention.brand for mention in mentions}) == 2:
            yield ComparisonCase(
                text, mentions, {"BETTER": FIRST, "WORSE": SECOND}.get(row["most_frequent_label"])
            )


def _find_object(name: str, text: str) -> Iterator[Mention]:
    """Yield the mentions of an object whose name and text are in lower case."""
    for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text):
        yield Mention(name, *match.span())


def print_scores(name: str, cases: Iterator[ComparisonCase]) -> None:
    counts: Counter[str] = Counter()
    for case in cases:
        comparisons = [
            comparison
            for comparison in find_comparisons(case.text, case.mentions)
            if comparison.kind == "better"
        ]
        counts["none" if case.better is None else "stated"] += 1
        if comparisons:
            counts["said of none" if case.better is None else "found"] += 1
            counts["right"] += comparisons[0].brand == case.better
    recall = format_share(counts["found"], counts["stated"])
    direction = format_share(counts["right"], counts["found"])
    false_alarms = format_share(counts["said of none"], counts["none"])
    print(
        f"{name}: found {recall}, direction right {direction}, "
        f"said where there is none {false_alarms}"
    )


def format_share(successes: int, trials: int) -> str:
    low, high = wilson_interval(successes, trials)
    return f"{successes}/{trials} = {successes / trials:.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--part", choices=("dev", "train"), default="dev")
    arguments = parser.parse_args()
    for name, language in COQE_LANGUAGES.items():
        print_scores(
            f"{name} ({language})",
            read_coqe(arguments.data / "coqe" / name / f"{arguments.part}.txt", language),
        )
    path = arguments.data / "compsent19" / "data.csv"
    print_scores("CompSent-19, brands", read_compsent(path, arguments.part, brands=True))
    print_scores("CompSent-19, other things", read_compsent(path, arguments.part, brands=False))


if __name__ == "__main__":
    main()
