"""Scores of word boundaries, languages and planted copies."""

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from nlp.text.duplicates import cluster_duplicates

WordSegmenter = Callable[[str], Iterable[str]]


def word_f1(gold: Path, cut: WordSegmenter) -> float:
    """Return the F1 of words over a gold file; a word is right when both its ends are.

    The file has lines of words with spaces between them.
    """
    right = 0
    word_count = 0
    for line in gold.read_text(encoding="utf-8").splitlines():
        words = line.split()
        expected = _word_spans(words)
        predicted = _word_spans(cut("".join(words)))
        right += len(expected & predicted)
        word_count += len(expected) + len(predicted)
    return 2 * right / word_count


def _word_spans(words: Iterable[str]) -> set[tuple[int, int]]:
    spans: set[tuple[int, int]] = set()
    start = 0
    for word in words:
        spans.add((start, start + len(word)))
        start += len(word)
    return spans


def language_accuracy(labelled: Path, identify: Callable[[str], str]) -> dict[str, float]:
    """Return the accuracy by label, and of `all`, over a CSV with columns lang and text.

    A label other than zh* and en counts as other.
    """
    right: Counter[str] = Counter()
    label_counts: Counter[str] = Counter()
    with labelled.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            label = row["lang"]
            expected = "zh" if label.startswith("zh") else label if label == "en" else "other"
            for name in (label, "all"):
                label_counts[name] += 1
                right[name] += identify(row["text"]) == expected
    return {name: right[name] / label_counts[name] for name in sorted(label_counts)}


def copy_scores(
    groups: Sequence[Sequence[str]], singles: Sequence[str], seed: int
) -> tuple[float, float, float]:
    """Return precision, recall and F1 of pairs of copies: two texts of one group are a pair.

    Texts come in random order of time.
    """
    rows = [(number, text) for number, group in enumerate(groups) for text in group]
    rows += [(-1 - number, text) for number, text in enumerate(singles)]
    random.Random(seed).shuffle(rows)
    ids = [f"{index:07d}" for index in range(len(rows))]
    copies = cluster_duplicates(ids, [text for _, text in rows])
    original_by_copy = {copy: original for copy, original, _ in copies}
    members: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for id_, (number, _) in zip(ids, rows, strict=True):
        members[original_by_copy.get(id_, id_)][number] += 1
    right = sum(_count_pairs(count) for counts in members.values() for count in counts.values())
    precision = right / max(1, sum(_count_pairs(counts.total()) for counts in members.values()))
    recall = right / max(1, sum(_count_pairs(len(group)) for group in groups))
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-9)


def _count_pairs(count: int) -> int:
    return count * (count - 1) // 2
