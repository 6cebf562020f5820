"""Pack the training sets for a machine that has only the GPU: ``python -m training.pack --data DIR --encoder DIR --out PACK``.

The pack is a folder of the encoder, its tokenizer and one compressed file of arrays: every text as token ids,
every label with the tokens that it is about. So the machine that trains needs neither the sets nor the
libraries that read them. What each array holds is described in `training.pack_batches`.
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
from tokenizers import Tokenizer

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
from training.sets.sources import UNLABELLED_FILES as FILES
from training.sets.sources import TrainingSet, load_all_splits, training_sets
from training.sets.weak import add_rule_labels

SEED = 31
MAX_TOKENS = 128
"""Tokens of a text, the two special ones included: what reading has as a window."""

MAX_DEV_TEXTS = 300
"""Dev texts of a set at most."""

BRAND_SAMPLE_COUNT, TASK_SAMPLE_COUNT = 8_000, 12_000
"""Sentences made here: of two brands; of aspects, intents and emotions."""

MAX_POOL_TEXTS = 40_000
"""Short texts that the embedding is fitted on."""


def main() -> None:
    """Write the pack and print what is in it."""
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
    found = load_all_splits(options.data)
    by_name = {split.source.name: split for split in found}
    for each in track_items(sets, "packing", unit="set"):
        if each.source.name in by_name:
            split = by_name[each.source.name]
            writer.add_set(
                each, drop_contradicted_labels(split) if each.drops_contradicted else split
            )
    rng = random.Random(SEED)  # noqa: S311 - sampling, not a secret
    made = [
        *compose_brand_samples(BRAND_SAMPLE_COUNT, SEED),
        *compose_task_samples(TASK_SAMPLE_COUNT, SEED),
    ]
    writer.add_samples(
        "composed",
        "",
        TRAIN,
        [add_rule_labels(replace_half_of_names(sample, rng), is_review=False) for sample in made],
    )
    kept = {text_digest(sample.text) for split in found for sample in split.dev}
    writer.add_samples(
        "unlabelled", "", UNLABELLED, list(read_unlabelled_samples(options.data, kept))
    )
    learnt_texts = [sample for split in found for sample in split.train]
    short = sample_embedding_texts(options.data, tokenizer, learnt_texts, SEED, MAX_POOL_TEXTS)
    writer.add_samples("pool", "", POOL, [Sample(QUERY_PREFIX + text, None) for text in short])
    writer.write(options.out / "arrays.npz.xz")


def replace_half_of_names(sample: Sample, rng: random.Random) -> Sample:
    """Give every other composed sentence placeholders for its invented names."""
    return replace_names(sample, rng) if sample.targets and rng.random() < 0.5 else sample


def read_unlabelled_samples(data: Path, excluded_digests: set[str]) -> Iterator[Sample]:
    """Yield texts without labels, none of which is kept for measuring."""
    rng = random.Random(SEED)  # noqa: S311 - sampling, not a secret
    for file, column, most in FILES:
        if (data / file).is_file():
            texts = [
                row[column]
                for row in readers.read_dataset_rows(data / file)
                if text_digest(row[column]) not in excluded_digests
            ]
            yield from (Sample(text, None) for text in rng.sample(texts, min(most, len(texts))))


@dataclass
class PackWriter:
    """Collect samples as arrays (see `training.pack_batches`)."""

    tokenizer: Tokenizer
    sets: list[dict[str, str]] = field(default_factory=list)
    arrays: dict[str, list[object]] = field(
        default_factory=lambda: {name: [] for name in ARRAY_DTYPES}
    )

    def add_set(self, training_set: TrainingSet, split: DatasetSplit) -> None:
        """Add the training texts of a set, its limit at most, and its dev texts."""
        source, rng = split.source, random.Random(f"{SEED}/{split.source.name}")  # noqa: S311
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
        """Add samples of a part of a set; ``weak``: the probability that its post labels are right."""
        number = self._number(name, group)
        texts = [replace_surrogates(sample.text) for sample in samples]
        encoded = self.tokenizer.encode_batch(texts)
        for sample, text, encoding in zip(samples, texts, encoded, strict=True):
            encoding.truncate(MAX_TOKENS)
            self._sample(
                sample, text, encoding.ids, encoding.offsets, (number, part), label_reliability
            )
        print(f"{name}: {len(samples):,} texts", flush=True)

    def _number(self, name: str, group: str) -> int:
        names = [each["name"] for each in self.sets]
        if name not in names:
            self.sets.append({"name": name, "group": group or name, "repeat": "1"})
            return len(names)
        return names.index(name)

    def _sample(
        self,
        sample: Sample,
        text: str,
        ids: list[int],
        offsets: list[TextSpan],
        of: tuple[int, int],
        weak: float,
    ) -> None:
        arrays = self.arrays
        row = len(arrays["length"])
        arrays["tokens"] += ids
        arrays["length"].append(len(ids))
        arrays["set"].append(of[0])
        arrays["part"].append(of[1])
        arrays["chinese"].append(model_language(text) == "zh")
        arrays["two_way"].append(sample.classes == TWO_WAY)
        arrays["post"].append(_chances(sample, weak))
        arrays["emotion"].append(-1 if sample.emotion is None else sample.emotion)
        weights = ("intents" in sample.rule_labelled, "aspects" in sample.rule_labelled)
        for index, has in sample.intents:
            arrays["intent"].append((row, index, has, weights[0]))
        for index in sample.absent_aspects:
            arrays["absent"].append((row, index))
        mentions = [target.spans for target in sample.targets]
        for target, around in zip(sample.targets, target_clauses(text, mentions), strict=True):
            number = len(arrays["target"])
            arrays["target"].append((row, target.label))
            arrays["mention"] += [(number, *span) for span in _tokens(offsets, target.spans)]
            arrays["clause"] += [(number, *span) for span in _tokens(offsets, around)]
        places = [aspect.spans for aspect in sample.aspects]
        for aspect, around in zip(sample.aspects, target_clauses(text, places), strict=True):
            number = len(arrays["aspect"])
            label = -1 if aspect.label is None else aspect.label
            arrays["aspect"].append((row, aspect.index, label, weights[1], bool(around)))
            arrays["place"] += [(number, *span) for span in _tokens(offsets, around)]

    def write(self, path: Path) -> None:
        """Write the arrays, compressed, and print their size."""
        stored: dict[str, Any] = {
            name: np.array(values, dtype=ARRAY_DTYPES[name]) for name, values in self.arrays.items()
        }
        buffer = io.BytesIO()
        np.savez(buffer, sets=json.dumps(self.sets), **stored)
        path.write_bytes(lzma.compress(buffer.getvalue(), preset=6))
        tokens = len(stored["tokens"])
        print(
            f"{len(stored['length']):,} texts, {tokens:,} tokens, {path.stat().st_size / 1e6:.1f} MB"
        )


def _chances(sample: Sample, weak: float) -> tuple[int, int, int]:
    """Give the label of a post as probabilities in 255ths; zeros where it has none.

    Where annotators could not say neutral, some of what they called polar is neutral; where labels are not
    theirs (stars, shares), the rest of ``weak`` is spread alike.
    """
    if sample.label is None:
        return 0, 0, 0
    chances = [0.0] * len(SENTIMENT_LABELS)
    chances[sample.label] = 1.0
    if sample.classes == TWO_WAY:
        chances[sample.label] -= NEUTRAL_SMOOTHING
        chances[NEUTRAL] += NEUTRAL_SMOOTHING
    mixed = [round(255 * (weak * chance + (1 - weak) / 3)) for chance in chances]
    return mixed[0], mixed[1], mixed[2]


def _tokens(offsets: Sequence[TextSpan], spans: Sequence[TextSpan]) -> Iterator[TextSpan]:
    """Yield the runs of tokens [first, last) whose code points touch one of ``spans``."""
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
