"""Pack the training sets: ``python -m training.pack --data DIR --encoder DIR --out PACK``.

The pack is for a machine that has only the GPU: a folder of the encoder, its tokenizer and one
compressed file of arrays, with every text as token ids and every label with the tokens that it is
about. The machine that trains needs neither the sets nor the libraries that read them. The arrays
are described in `training.pack_batches`.
"""

from __future__ import annotations

import argparse
import io
import json
import lzma
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Encoding, Tokenizer

from folate.cli.progress import enable_progress_bars
from folate.core.labels import SENTIMENT_LABELS
from folate.core.progress import track_items
from nlp.text.clauses import TextSpan, target_clauses
from nlp.text.language import model_language, replace_surrogates
from training.batches import NEUTRAL_SMOOTHING
from training.distil import QUERY_PREFIX, sample_embedding_texts
from training.pack_batches import ARRAY_DTYPES, DEV, POOL, TRAIN, UNLABELLED
from training.sets import readers
from training.sets.clean import drop_contradicted_labels
from training.sets.composed import compose_brand_samples
from training.sets.exchanged_names import replace_names
from training.sets.manifest import DatasetSplit, text_digest
from training.sets.samples import NEUTRAL, TWO_WAY, Sample
from training.sets.sentences import compose_task_samples
from training.sets.sources import (
    UNLABELLED_FILES,
    TrainingSet,
    load_all_splits,
    training_sets,
)
from training.sets.weak import add_rule_labels

SEED = 31
MAX_TOKENS = 128
"""Tokens of a text, the two special ones included: the window of the model in use."""

MAX_DEV_TEXTS = 300
"""Dev texts of a set at most."""

BRAND_SAMPLE_COUNT, TASK_SAMPLE_COUNT = 8_000, 12_000
"""Composed sentences: of two brands; of aspects, intents and emotions."""

MAX_POOL_TEXTS = 40_000
"""Short texts that the embedding is fitted on."""


def main() -> None:
    """Write the pack and print the number of texts of each set."""
    enable_progress_bars()
    parser = argparse.ArgumentParser(prog="python -m training.pack", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument(
        "--encoder", type=Path, required=True, help="folder of the encoder in 4-bit blocks"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the pack")
    options = parser.parse_args()
    tokenizer = Tokenizer.from_file(str(options.encoder / "tokenizer.json"))
    options.out.mkdir(parents=True, exist_ok=True)
    for name in ("encoder_q4.safetensors", "tokenizer.json"):
        shutil.copyfile(options.encoder / name, options.out / name)
    writer = PackWriter(tokenizer)
    sets = training_sets()
    splits = load_all_splits(options.data)
    by_name = {split_of_set.source.name: split_of_set for split_of_set in splits}
    for training_set in track_items(sets, "packing", unit="set"):
        if training_set.source.name in by_name:
            split_of_set = by_name[training_set.source.name]
            writer.add_set(
                training_set,
                drop_contradicted_labels(split_of_set)
                if training_set.drops_contradicted
                else split_of_set,
            )
    rng = random.Random(SEED)  # noqa: S311 - sampling, not a secret
    composed = [
        *compose_brand_samples(BRAND_SAMPLE_COUNT, SEED),
        *compose_task_samples(TASK_SAMPLE_COUNT, SEED),
    ]
    writer.add_samples(
        "composed",
        "",
        TRAIN,
        [
            add_rule_labels(replace_half_of_names(sample, rng), is_review=False)
            for sample in composed
        ],
    )
    dev_digests = {
        text_digest(sample.text) for split_of_set in splits for sample in split_of_set.dev
    }
    unlabelled = list(read_unlabelled_samples(options.data, dev_digests))
    writer.add_samples("unlabelled", "", UNLABELLED, unlabelled)
    training_samples = [sample for split_of_set in splits for sample in split_of_set.train]
    short_texts = sample_embedding_texts(
        options.data, tokenizer, training_samples, SEED, MAX_POOL_TEXTS
    )
    writer.add_samples(
        "pool", "", POOL, [Sample(QUERY_PREFIX + text, None) for text in short_texts]
    )
    writer.write(options.out / "arrays.npz.xz")


def replace_half_of_names(sample: Sample, rng: random.Random) -> Sample:
    """Replace the invented names in half of the composed sentences by placeholders."""
    return replace_names(sample, rng) if sample.targets and rng.random() < 0.5 else sample


def read_unlabelled_samples(data: Path, excluded_digests: set[str]) -> Iterator[Sample]:
    """Yield texts without labels, except those reserved for measuring."""
    rng = random.Random(SEED)  # noqa: S311 - sampling, not a secret
    for file, column, max_texts in UNLABELLED_FILES:
        if (data / file).is_file():
            texts = [
                row[column]
                for row in readers.read_dataset_rows(data / file)
                if text_digest(row[column]) not in excluded_digests
            ]
            yield from (
                Sample(text, None) for text in rng.sample(texts, min(max_texts, len(texts)))
            )


@dataclass
class PackWriter:
    """Samples collected as arrays (see `training.pack_batches`)."""

    tokenizer: Tokenizer
    sets: list[dict[str, str]] = field(default_factory=list)
    arrays: dict[str, list[object]] = field(
        default_factory=lambda: {name: [] for name in ARRAY_DTYPES}
    )

    def add_set(self, training_set: TrainingSet, split: DatasetSplit) -> None:
        """Add the training texts of a set, up to its limit, and its dev texts."""
        source = split.source
        rng = random.Random(f"{SEED}/{source.name}")  # noqa: S311 - sampling, not a secret
        train = rng.sample(split.train, min(len(split.train), source.limit))
        train = [add_rule_labels(sample, is_review=source.reviews) for sample in train]
        dev = sorted(split.dev, key=lambda sample: text_digest(sample.text))[:MAX_DEV_TEXTS]
        if training_set.has_names:
            dev = [replace_names(sample, rng) for sample in dev]
            train = [replace_names(sample, rng) for sample in train for _ in range(2)]
        self.add_samples(
            source.name, training_set.group, TRAIN, train, training_set.label_reliability
        )
        self.add_samples(source.name, training_set.group, DEV, dev, training_set.label_reliability)
        self.sets[-1]["repeat"] = str(source.repeat)

    def add_samples(
        self,
        name: str,
        group: str,
        part: int,
        samples: Sequence[Sample],
        label_reliability: float = 1.0,
    ) -> None:
        """Add samples to a part of a set.

        ``label_reliability``: the probability that the post labels are right.
        """
        number = self._set_number(name, group)
        texts = [replace_surrogates(sample.text) for sample in samples]
        encoded = self.tokenizer.encode_batch(texts)
        for sample, text, encoding in zip(samples, texts, encoded, strict=True):
            encoding.truncate(MAX_TOKENS)
            self._append_sample(sample, text, encoding, (number, part), label_reliability)
        print(f"{name}: {len(samples):,} texts", flush=True)

    def _set_number(self, name: str, group: str) -> int:
        names = [dataset["name"] for dataset in self.sets]
        if name not in names:
            self.sets.append({"name": name, "group": group or name, "repeat": "1"})
            return len(names)
        return names.index(name)

    def _append_sample(
        self,
        sample: Sample,
        text: str,
        encoding: Encoding,
        set_and_part: tuple[int, int],
        label_reliability: float,
    ) -> None:
        ids = encoding.ids
        offsets = encoding.offsets
        arrays = self.arrays
        row = len(arrays["length"])
        arrays["tokens"] += ids
        arrays["length"].append(len(ids))
        arrays["set"].append(set_and_part[0])
        arrays["part"].append(set_and_part[1])
        arrays["chinese"].append(model_language(text) == "zh")
        arrays["two_way"].append(sample.classes == TWO_WAY)
        arrays["post"].append(_post_label_in_255ths(sample, label_reliability))
        arrays["emotion"].append(-1 if sample.emotion is None else sample.emotion)
        intents_by_rule = "intents" in sample.rule_labelled
        aspects_by_rule = "aspects" in sample.rule_labelled
        for index, has_intent in sample.intents:
            arrays["intent"].append((row, index, has_intent, intents_by_rule))
        for index in sample.absent_aspects:
            arrays["absent"].append((row, index))
        mentions = [target.spans for target in sample.targets]
        for target, clauses in zip(sample.targets, target_clauses(text, mentions), strict=True):
            number = len(arrays["target"])
            arrays["target"].append((row, target.label))
            arrays["mention"] += [(number, *span) for span in _token_runs(offsets, target.spans)]
            arrays["clause"] += [(number, *span) for span in _token_runs(offsets, clauses)]
        aspect_spans = [aspect.spans for aspect in sample.aspects]
        for aspect, clauses in zip(sample.aspects, target_clauses(text, aspect_spans), strict=True):
            number = len(arrays["aspect"])
            label = -1 if aspect.label is None else aspect.label
            arrays["aspect"].append((row, aspect.index, label, aspects_by_rule, bool(clauses)))
            arrays["place"] += [(number, *span) for span in _token_runs(offsets, clauses)]

    def write(self, path: Path) -> None:
        """Write the arrays, compressed, and print their size."""
        stored: dict[str, Any] = {
            name: np.array(values, dtype=ARRAY_DTYPES[name]) for name, values in self.arrays.items()
        }
        buffer = io.BytesIO()
        np.savez(buffer, sets=json.dumps(self.sets), **stored)
        path.write_bytes(lzma.compress(buffer.getvalue(), preset=6))
        tokens = len(stored["tokens"])
        megabytes = path.stat().st_size / 1e6
        print(f"{len(stored['length']):,} texts, {tokens:,} tokens, {megabytes:.1f} MB")


def _post_label_in_255ths(sample: Sample, reliability: float) -> tuple[int, int, int]:
    """Return the label of a post as probabilities in 255ths, zeros without a label.

    Where annotators could not choose neutral, part of the probability is neutral; where labels come
    from stars or shares, the rest of ``reliability`` is spread evenly.
    """
    if sample.label is None:
        return 0, 0, 0
    probabilities = [0.0] * len(SENTIMENT_LABELS)
    probabilities[sample.label] = 1.0
    if sample.classes == TWO_WAY:
        probabilities[sample.label] -= NEUTRAL_SMOOTHING
        probabilities[NEUTRAL] += NEUTRAL_SMOOTHING
    in_255ths = [
        round(255 * (reliability * probability + (1 - reliability) / 3))
        for probability in probabilities
    ]
    return in_255ths[0], in_255ths[1], in_255ths[2]


def _token_runs(offsets: Sequence[TextSpan], spans: Sequence[TextSpan]) -> Iterator[TextSpan]:
    """Yield the runs of tokens [first, last) whose code points overlap one of ``spans``."""
    run: list[int] = []
    for number, (start, end) in enumerate(offsets):
        if end > start and any(start < last and end > first for first, last in spans):
            if run and run[-1] != number - 1:
                yield run[0], run[-1] + 1
                run = []
            run.append(number)
    if run:
        yield run[0], run[-1] + 1


if __name__ == "__main__":
    main()
