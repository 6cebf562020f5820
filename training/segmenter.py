"""Train the weights of nlp/text/chinese.py: ``python -m training.segmenter --data DIR --out DIR``.

Learns from the training split of NLPCC 2016's Weibo set in two steps: a structured perceptron
(Collins 2002) over the logarithms of the dictionary's frequencies, with the segmenter as its
decoder; then an averaged perceptron that decides which neighbouring pieces are one word. The second
is trained on each half of the posts with the dictionary learnt from the other half.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from folate.core.text import HAN_RANGES
from nlp.text.chinese import JOINS_FILE, WORDS_FILE, ChineseSegmenter, join_features
from nlp.text.normalize import normalize_text

TRAIN_FILE = "nlpcc2016_weibo_seg/nlpcc2016-word-seg-train.dat"
FREQUENCY_ROUNDS, LEARNING_RATE, LEARNING_RATE_DECAY, JOIN_ROUNDS, SEED = 8, 0.3, 0.3, 4, 20
CORPUS_COUNT_WEIGHT = 0.3
"""Initial weight of the posts' counts, beside the dictionary's own."""

MIN_COUNT = 2
"""Words and features seen less often are not learnt."""

MIN_JOIN_WEIGHT = 100
"""Features of less weight, in hundredths, are dropped: they decide nothing."""

MIN_LOG_CHANGE = 0.2
"""Dictionary frequencies whose logarithm changed by less are left as jieba has them."""

_HAN_PATTERN = re.compile(f"[{HAN_RANGES}]+")

WordRun = list[str]
"""Words in a row, of Chinese characters only."""


def read_word_runs(path: Path) -> list[WordRun]:
    """Read the runs of Chinese words in lines of spaced words, in simplified characters."""
    runs: list[WordRun] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        run: WordRun = []
        for word in [*line.split(), ""]:
            if _HAN_PATTERN.fullmatch(word):
                run.append(normalize_text(word))
            elif run:
                runs.append(run)
                run = []
    return runs


def main() -> None:
    """Learn both kinds of weights and write them."""
    parser = argparse.ArgumentParser(prog="python -m training.segmenter", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--out", type=Path, required=True, help="where the two files are written")
    options = parser.parse_args()

    runs = read_word_runs(options.data / TRAIN_FILE)
    pairs: list[JoinExample] = []
    for half in (0, 1):
        pairs += extract_join_examples(
            runs[1 - half :: 2], ChineseSegmenter(learn_frequencies(runs[half::2]), {})
        )
    options.out.mkdir(parents=True, exist_ok=True)
    write_weights(options.out / WORDS_FILE, learn_frequencies(runs))
    write_weights(options.out / JOINS_FILE, learn_join_weights(pairs))


def jieba_frequencies() -> dict[str, int]:
    """Return the words of jieba's dictionary and their frequencies."""
    import jieba

    lines = Path(jieba.__file__).with_name("dict.txt").read_text(encoding="utf-8").splitlines()
    return {word: int(frequency) for word, frequency, *_ in map(str.split, lines)}


def learn_frequencies(runs: Sequence[WordRun]) -> dict[str, int]:
    """Learn the changed frequencies under which the dictionary segments the runs best."""
    frequencies = jieba_frequencies()
    corpus_counts = Counter(word for run in runs for word in run)
    scale = CORPUS_COUNT_WEIGHT * sum(frequencies.values()) / corpus_counts.total()
    logs = {word: math.log(max(1, frequency)) for word, frequency in frequencies.items()}
    logs |= {
        word: math.log(count * scale + frequencies.get(word, 0))
        for word, count in corpus_counts.items()
        if count >= MIN_COUNT or word in frequencies
    }
    cutter = ChineseSegmenter(
        {word: round(math.exp(logs[word])) for word in corpus_counts if word in logs}, {}
    )
    for round_ in range(FREQUENCY_ROUNDS):
        errors = _count_errors(runs, cutter)
        for word in sorted(errors.keys() & logs.keys()):
            step = (
                LEARNING_RATE
                / (1 + LEARNING_RATE_DECAY * round_)
                * math.copysign(math.log1p(abs(errors[word])), errors[word])
            )
            logs[word] = min(max(logs[word] + step, 0), 17)
            cutter.set_frequency(word, round(math.exp(logs[word])))
        print(
            f"round {round_ + 1}: {sum(map(abs, errors.values()))} words too many or too few",
            file=sys.stderr,
            flush=True,
        )
    return {
        word: round(math.exp(log))
        for word, log in logs.items()
        if abs(log - math.log(frequencies.get(word) or 1e-9)) > MIN_LOG_CHANGE
    }


def _count_errors(runs: Sequence[WordRun], cutter: ChineseSegmenter) -> Counter[str]:
    """Count how often each word is in the gold segmentation only, minus in the predicted only."""
    errors: Counter[str] = Counter()
    for run in runs:
        gold = _words_with_start(run)
        predicted = _words_with_start(cutter.cut_by_dictionary("".join(run)))
        errors.update(word for _, word in gold - predicted)
        errors.subtract(word for _, word in predicted - gold)
    return Counter({word: count for word, count in errors.items() if count})


def _words_with_start(words: Sequence[str]) -> set[tuple[int, str]]:
    words_with_start = set()
    start = 0
    for word in words:
        words_with_start.add((start, word))
        start += len(word)
    return words_with_start


JoinExample = tuple[list[str], bool]
"""The features of two neighbouring pieces, and whether they belong to one word."""


def extract_join_examples(runs: Sequence[WordRun], cutter: ChineseSegmenter) -> list[JoinExample]:
    """Return neighbouring pieces of which at least one is a single character."""
    examples = []
    for run in runs:
        word_starts = {start for start, _ in _words_with_start(run)}
        end = 0
        for left, right in pairwise(cutter.cut_by_dictionary("".join(run))):
            end += len(left)
            if len(left) == 1 or len(right) == 1:
                examples.append((join_features(left, right), end not in word_starts))
    return examples


def learn_join_weights(pairs: Sequence[JoinExample]) -> dict[str, int]:
    """Learn weights of features, in hundredths, that decide whether pieces are joined.

    An averaged perceptron with a margin.
    """
    counts = Counter(feature for names, _ in pairs for feature in names)
    examples = [
        ([name for name in names if counts[name] >= MIN_COUNT], 1 if is_joined else -1)
        for names, is_joined in pairs
    ]
    rng = random.Random(SEED)  # noqa: S311 - an order, no secret
    weight: defaultdict[str, float] = defaultdict(float)
    weighted: defaultdict[str, float] = defaultdict(float)
    step = 1
    for _ in range(JOIN_ROUNDS):
        rng.shuffle(examples)
        for names, label in examples:
            if label * sum(weight[name] for name in names) <= 1:
                for name in names:
                    weight[name] += label
                    weighted[name] += label * step
            step += 1
    averaged = {
        name: round(100 * (value - weighted[name] / step)) for name, value in weight.items()
    }
    return {name: value for name, value in averaged.items() if abs(value) >= MIN_JOIN_WEIGHT}


def write_weights(path: Path, weights: Mapping[str, int]) -> None:
    """Write weights as lines that `nlp.text.chinese.read_weights` reads."""
    path.write_text(
        "".join(f"{name} {weights[name]}\n" for name in sorted(weights)), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
