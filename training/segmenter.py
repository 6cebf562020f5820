"""One command from segmented posts to the weights of nlp/text/chinese.py: ``python -m training.segmenter --data DIR --out DIR``.

Learns from the training split of NLPCC 2016's Weibo set in two steps: a structured perceptron (Collins 2002) over the logarithms of the
dictionary's frequencies, with the segmenter itself as its decoder; then an averaged perceptron that says which neighbouring pieces are
one word, taught on halves of the posts whose words the dictionary was not taught.
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
DEV_FILE = "nlpcc2016_weibo_seg/nlpcc2016-wordseg-dev.dat"
FREQUENCY_ROUNDS, LEARNING_RATE, LEARNING_RATE_DECAY, JOIN_ROUNDS, SEED = 8, 0.3, 0.3, 4, 20
CORPUS_COUNT_WEIGHT = (
    0.3  # how much the posts' counts weigh beside the dictionary's own, at the start
)
MIN_COUNT = 2  # words and features seen less often are not learnt
MIN_JOIN_WEIGHT = 100  # features that weigh less, in hundredths, are not kept: they decide nothing
MIN_LOG_CHANGE = (
    0.2  # a weight of the dictionary that moved by less, as a logarithm, is left as jieba has it
)
_HAN = re.compile(f"[{HAN_RANGES}]+")

WordRun = list[str]
"""Words in a row, of Chinese characters only."""


def read_word_runs(path: Path) -> list[WordRun]:
    """The stretches of Chinese words in lines of words with spaces between them, in simplified characters."""
    found: list[WordRun] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        run: WordRun = []
        for word in [*line.split(), ""]:
            if _HAN.fullmatch(word):
                run.append(normalize_text(word))
            elif run:
                found.append(run)
                run = []
    return found


def main() -> None:
    """Learns both weights and writes them."""
    parser = argparse.ArgumentParser(prog="python -m training.segmenter", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--out", type=Path, required=True, help="where the two files are written")
    options = parser.parse_args()

    learnt = read_word_runs(options.data / TRAIN_FILE)
    pairs: list[JoinExample] = []
    for half in (0, 1):
        pairs += extract_join_examples(
            learnt[1 - half :: 2], ChineseSegmenter(learn_frequencies(learnt[half::2]), {})
        )
    options.out.mkdir(parents=True, exist_ok=True)
    write_weights(options.out / WORDS_FILE, learn_frequencies(learnt))
    write_weights(options.out / JOINS_FILE, learn_join_weights(pairs))


def jieba_frequencies() -> dict[str, int]:
    """The words of jieba's dictionary and their frequencies."""
    import jieba

    lines = Path(jieba.__file__).with_name("dict.txt").read_text(encoding="utf-8").splitlines()
    return {word: int(frequency) for word, frequency, *_ in map(str.split, lines)}


def learn_frequencies(learnt: Sequence[WordRun]) -> dict[str, int]:
    """Frequencies under which the dictionary cuts the runs best, of the words whose frequency has to change for it."""
    known = jieba_frequencies()
    seen = Counter(word for run in learnt for word in run)
    scale = CORPUS_COUNT_WEIGHT * sum(known.values()) / seen.total()
    logs = {word: math.log(max(1, frequency)) for word, frequency in known.items()}
    logs |= {
        word: math.log(count * scale + known.get(word, 0))
        for word, count in seen.items()
        if count >= MIN_COUNT or word in known
    }
    cutter = ChineseSegmenter(
        {word: round(math.exp(logs[word])) for word in seen if word in logs}, {}
    )
    for round_ in range(FREQUENCY_ROUNDS):
        missed = _missed(learnt, cutter)
        for word in sorted(missed.keys() & logs.keys()):
            step = (
                LEARNING_RATE
                / (1 + LEARNING_RATE_DECAY * round_)
                * math.copysign(math.log1p(abs(missed[word])), missed[word])
            )
            logs[word] = min(max(logs[word] + step, 0), 17)
            cutter.set_frequency(word, round(math.exp(logs[word])))
        print(
            f"round {round_ + 1}: {sum(map(abs, missed.values()))} words too many or too few",
            file=sys.stderr,
            flush=True,
        )
    return {
        word: round(math.exp(log))
        for word, log in logs.items()
        if abs(log - math.log(known.get(word) or 1e-9)) > MIN_LOG_CHANGE
    }


def _missed(learnt: Sequence[WordRun], cutter: ChineseSegmenter) -> Counter[str]:
    """How often each word was wanted and not cut, less how often it was cut and not wanted."""
    missed: Counter[str] = Counter()
    for run in learnt:
        wanted, cut = _placed(run), _placed(cutter.cut_by_dictionary("".join(run)))
        missed.update(word for _, word in wanted - cut)
        missed.subtract(word for _, word in cut - wanted)
    return Counter({word: count for word, count in missed.items() if count})


def _placed(words: Sequence[str]) -> set[tuple[int, str]]:
    placed, start = set(), 0
    for word in words:
        placed.add((start, word))
        start += len(word)
    return placed


JoinExample = tuple[list[str], bool]
"""The features of two neighbouring pieces, and whether they are of one word."""


def extract_join_examples(asked: Sequence[WordRun], cutter: ChineseSegmenter) -> list[JoinExample]:
    """Neighbouring pieces of which one is a single character."""
    found = []
    for run in asked:
        ends = {start for start, _ in _placed(run)}
        at = 0
        for left, right in pairwise(cutter.cut_by_dictionary("".join(run))):
            at += len(left)
            if len(left) == 1 or len(right) == 1:
                found.append((join_features(left, right), at not in ends))
    return found


def learn_join_weights(pairs: Sequence[JoinExample]) -> dict[str, int]:
    """Weights of features by which pieces are joined: an averaged perceptron with a margin, in hundredths."""
    counts = Counter(feature for names, _ in pairs for feature in names)
    kept = [
        ([name for name in names if counts[name] >= MIN_COUNT], 1 if together else -1)
        for names, together in pairs
    ]
    order = random.Random(SEED)  # noqa: S311 - an order, no secret
    weight: defaultdict[str, float] = defaultdict(float)
    weighted: defaultdict[str, float] = defaultdict(float)
    seen = 1
    for _ in range(JOIN_ROUNDS):
        order.shuffle(kept)
        for names, label in kept:
            if label * sum(weight[name] for name in names) <= 1:
                for name in names:
                    weight[name] += label
                    weighted[name] += label * seen
            seen += 1
    averaged = {
        name: round(100 * (value - weighted[name] / seen)) for name, value in weight.items()
    }
    return {name: value for name, value in averaged.items() if abs(value) >= MIN_JOIN_WEIGHT}


def write_weights(path: Path, weights: Mapping[str, int]) -> None:
    """Lines that `nlp.text.chinese.read_weights` reads."""
    path.write_text(
        "".join(f"{name} {weights[name]}\n" for name in sorted(weights)), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
