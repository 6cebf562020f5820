"""A pack says of texts what the training loop on a CPU makes of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from folate.core.labels import EMOTIONS
from nlp.model import DEFAULT_MODEL_FOLDER
from training.batches import collate
from training.pack import MAX_TOKENS, PackWriter
from training.pack_batches import TRAIN, TrainingPack
from training.sets.composed import compose_brand_samples
from training.sets.exchanged_names import replace_names
from training.sets.samples import NEGATIVE, NEUTRAL, POSITIVE, LabelledTarget, Sample
from training.sets.sentences import compose_task_samples
from training.sets.weak import add_rule_labels


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    own = [
        Sample(
            "good phone " * 90 + "but Acme is slow",
            None,
            targets=(LabelledTarget(((994, 998),), NEGATIVE),),
        ),
        Sample("很好吃", POSITIVE, (NEGATIVE, POSITIVE)),
        Sample("not sure what to think", NEUTRAL, emotion=EMOTIONS.index("neutral")),
    ]
    composed = [*compose_brand_samples(30, 3), *compose_task_samples(60, 3)]
    return own + [add_rule_labels(sample, is_review=False) for sample in composed]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(DEFAULT_MODEL_FOLDER / "tokenizer.json"))


def test_a_batch_of_a_pack_is_the_batch_of_the_training_loop(
    samples: list[Sample], tokenizer: Tokenizer, tmp_path: Path
) -> None:
    writer = PackWriter(tokenizer)
    writer.add_samples("own", "", TRAIN, samples)
    writer.write(tmp_path / "arrays.npz.xz")
    pack = TrainingPack(tmp_path)
    encoded = tokenizer.encode_batch([sample.text for sample in samples])
    for encoding in encoded:
        encoding.truncate(MAX_TOKENS)
    rows = torch.tensor(random.Random(1).sample(range(len(samples)), 40))
    packed_batch = pack.make_batch(rows)
    expected = collate([(samples[row], encoded[row]) for row in rows.tolist()])
    assert torch.equal(packed_batch.ids, expected.ids)
    assert packed_batch.mask is not None
    assert expected.mask is not None
    assert torch.equal(packed_batch.mask, expected.mask)
    for name in ("target", "emotion", "intent", "spoken", "polarity", "place"):
        assert torch.allclose(getattr(packed_batch, name), getattr(expected, name)), name
    assert torch.allclose(packed_batch.post, expected.post, atol=1 / 255)
    assert packed_batch.target_rows is not None
    assert expected.target_rows is not None
    for name in ("rows", "mention", "clause"):
        assert torch.allclose(
            getattr(packed_batch.target_rows, name), getattr(expected.target_rows, name)
        ), name


def test_batches_hold_every_text_once_and_few_tokens(
    samples: list[Sample], tokenizer: Tokenizer, tmp_path: Path
) -> None:
    writer = PackWriter(tokenizer)
    writer.add_samples("own", "", TRAIN, samples)
    writer.write(tmp_path / "arrays.npz.xz")
    pack = TrainingPack(tmp_path)
    batches = list(
        pack.iter_batch_rows(pack.text_indices(TRAIN), 300, torch.Generator().manual_seed(1))
    )
    assert sorted(torch.cat(batches).tolist()) == list(range(len(samples)))
    assert (
        max(len(batch) * int(pack.length[batch].max()) for batch in batches) <= 360
    )  # lengths are dealt with a little noise


def test_an_exchanged_name_keeps_its_place_and_its_at_sign() -> None:
    text = "@user my order from Dunkin is late, dunkin!"
    sample = Sample(
        text,
        None,
        targets=(
            LabelledTarget(((0, 5),), NEGATIVE),
            LabelledTarget(((20, 26), (36, 42)), NEGATIVE),
        ),
    )
    for seed in range(50):
        replaced = replace_names(sample, random.Random(seed))
        handle, brand = (
            [replaced.text[start:end] for start, end in target.spans] for target in replaced.targets
        )
        assert handle[0].startswith("@")
        assert " " not in handle[0]
        assert len(set(brand)) == 1
        assert replaced.text == f"{handle[0]} my order from {brand[0]} is late, {brand[1]}!"


def test_targets_that_overlap_are_left_as_they_are() -> None:
    sample = Sample(
        "New York Pizza",
        None,
        targets=(LabelledTarget(((0, 8),), NEUTRAL), LabelledTarget(((4, 14),), POSITIVE)),
    )
    assert replace_names(sample, random.Random(1)) == sample
