"""Benchmark of tags: precision and recall on held-out posts, and the choice of constants.

    python -m benchmarks.tags [--model MODEL] [--choose]

Reads tests/eval/tags.tsv. `--choose` scores thresholds and the weight of a name on the taxonomy's
own examples, each against vectors made without it, once as it is and once as if it named nothing,
and on posts about other things (benchmarks/offtopic.txt).
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from folate.core.config import LEVEL_SEPARATOR
from nlp.extract import taxonomy
from nlp.model import Reader, load_reader
from nlp.stats.estimation import wilson_interval

HELD_OUT_FILE = Path(__file__).parents[1] / "tests" / "eval" / "tags.tsv"
OFFTOPIC_FILE = Path(__file__).parent / "offtopic.txt"
# Examples of a label, two a language.
FOLDS = 4
THRESHOLDS = np.arange(0.2, 0.7, 0.02)
NAME_WEIGHTS = (0.2, 0.3, 0.4, 0.5, 0.6)
Vector = NDArray[np.floating]


def read_held_out_posts() -> list[tuple[str, set[str]]]:
    """Return the posts and their labels, the wider ones included."""
    rows = [
        line.split("\t")
        for line in HELD_OUT_FILE.read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    return [
        (text, with_ancestor_labels([] if labels == "-" else labels.split("; ")))
        for text, labels in rows
    ]


def with_ancestor_labels(labels: Sequence[str]) -> set[str]:
    """Return the labels and all labels above them."""
    ancestors: set[str] = set()
    for label in labels:
        levels = label.split(LEVEL_SEPARATOR)
        ancestors.update(LEVEL_SEPARATOR.join(levels[: depth + 1]) for depth in range(4))
    return ancestors


def match_counts(
    predicted: Sequence[set[str]], expected: Sequence[set[str]]
) -> tuple[int, int, int]:
    """Return how many predicted tags are right, all predicted tags, and all labels."""
    return (
        sum(len(tags & labels) for tags, labels in zip(predicted, expected, strict=True)),
        sum(map(len, predicted)),
        sum(map(len, expected)),
    )


def print_tag_scores(reader: Reader) -> None:
    tagger = taxonomy.TaxonomyTagger((), reader.embed)
    posts = read_held_out_posts()
    texts = [text for text, _ in posts]
    assigned = tagger.assign_tags(texts, reader.embed(texts))
    predicted = [{tag.tag for tag in tags} for tags in assigned]
    for name, is_in_language in (
        ("all", lambda text: True),
        ("zh", lambda text: not text.isascii()),
        ("en", str.isascii),
    ):
        pairs = [
            (tags, labels)
            for tags, (text, labels) in zip(predicted, posts, strict=True)
            if is_in_language(text)
        ]
        right, tag_count, label_count = match_counts(
            [tags for tags, _ in pairs], [labels for _, labels in pairs]
        )
        quiet = [not tags for tags, labels in pairs if not labels]
        print(
            f"{name:4} posts {len(pairs)}, {format_share('precision', right, tag_count)}, "
            f"{format_share('recall', right, label_count)}, "
            f"{format_share('left alone of those on nothing', sum(quiet), len(quiet))}"
        )


def format_share(name: str, successes: int, trials: int) -> str:
    low, high = wilson_interval(successes, trials)
    return f"{name} {successes / trials:.3f} [{low:.3f}, {high:.3f}]"


def print_best_constants(reader: Reader) -> None:
    """Print the choices of constants with the best F1."""
    vector_cache: dict[str, Vector] = {}
    cosines: list[Vector] = []
    named: list[NDArray[np.bool_]] = []
    expected: list[set[str]] = []
    for fold in range(FOLDS):
        fold_entries = [
            replace(entry, examples=entry.examples[:fold] + entry.examples[fold + 1 :])
            for entry in taxonomy.default_taxonomy()
        ]
        tagger = taxonomy.TaxonomyTagger(fold_entries, partial(embed_cached, reader, vector_cache))
        pairs = [
            (entry.examples[fold], with_ancestor_labels([entry.label]))
            for entry in taxonomy.default_taxonomy()
            if entry.examples
        ]
        pairs += [
            (text, set())
            for text in OFFTOPIC_FILE.read_text(encoding="utf-8").splitlines()[fold::FOLDS] * 4
        ]
        texts = [text for text, _ in pairs]
        words = tagger.named_labels(texts)
        cosines += [
            tagger.label_scores(texts, embed_cached(reader, vector_cache, texts))
            - taxonomy.NAMED_BONUS * words
        ] * 2
        named += [words, np.zeros_like(words)]
        expected += [labels for _, labels in pairs] * 2
    cosine_rows = np.concatenate(cosines)
    named_rows = np.concatenate(named)
    ranked = sorted(
        (
            (
                best_label_f1(cosine_rows + weight * named_rows, threshold, expected),
                threshold,
                weight,
            )
            for threshold, weight in product(THRESHOLDS, NAME_WEIGHTS)
        ),
        reverse=True,
    )
    for score, threshold, weight in ranked[:5]:
        print(f"F1 {score:.3f}: THRESHOLD {threshold:.2f}, NAMED {weight:.1f}")


def best_label_f1(scores: Vector, threshold: float, expected: Sequence[set[str]]) -> float:
    """Return the F1 of the best label of each post (n, k), given from `threshold` on."""
    best = scores.argmax(axis=1)
    labels = [entry.label for entry in taxonomy.default_taxonomy()]
    predicted = [
        with_ancestor_labels([labels[column]]) if row[column] >= threshold else set()
        for row, column in zip(scores, best, strict=True)
    ]
    right, tag_count, label_count = match_counts(predicted, expected)
    return 2 * right / (tag_count + label_count)


def embed_cached(reader: Reader, cache: dict[str, Vector], texts: Sequence[str]) -> Vector:
    """Return vectors of the texts; each text is embedded once."""
    new = [text for text in dict.fromkeys(texts) if text not in cache]
    cache.update(zip(new, reader.embed(new), strict=True))
    return np.stack([cache[text] for text in texts])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="", help="a model folder; the shipped one when missing")
    parser.add_argument("--choose", action="store_true")
    arguments = parser.parse_args()
    reader = load_reader(arguments.model, threads=1)
    if arguments.choose:
        print_best_constants(reader)
    else:
        print_tag_scores(reader)


if __name__ == "__main__":
    main()
