"""The parts of the training on a GPU, on a model of two layers."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch

from nlp.model.encoder import Encoder, EncoderConfig
from nlp.model.heads import MultiTaskModel
from nlp.model.threads import map_in_threads
from training.distil import set_embedding_head
from training.gpu import (
    PhaseClock,
    average_models,
    learning_rate_factor,
    mask_tokens,
    mean_probabilities,
    parameter_groups,
    teacher_loss,
)
from training.scores import macro_f1


@pytest.fixture
def model() -> MultiTaskModel:
    torch.manual_seed(1)
    return MultiTaskModel(
        Encoder(EncoderConfig(vocabulary=60, hidden=16, layers=2, heads=2, inner=32, positions=20))
    )


def test_the_learning_rate_rises_and_then_falls_on_a_line() -> None:
    assert [
        learning_rate_factor(completed, (1.0, 0.0), 0.1)
        for completed in (0.0, 0.05, 0.1, 0.55, 1.0)
    ] == pytest.approx([0, 0.5, 1, 0.5, 0])
    assert learning_rate_factor(0.505, (0.75, 0.25), 0.01) == pytest.approx(0.5)


def test_a_phase_is_over_by_its_batches_or_its_time() -> None:
    phase = PhaseClock(seconds=1e9, batches=4)
    phase.step = 2
    assert phase.completed_share == 0.5
    late = PhaseClock(seconds=1e-3, batches=1 << 30)
    late.began = time.monotonic() - 1
    assert late.completed_share == 1


def test_batches_that_are_made_ahead_keep_their_order() -> None:
    inputs = (torch.tensor([number]) for number in range(50))
    assert [int(batch) for batch in map_in_threads(lambda batch: batch * 2, inputs, 4)] == list(
        range(0, 100, 2)
    )


def test_the_mean_of_models_has_the_mean_of_their_weights(model: MultiTaskModel) -> None:
    other = MultiTaskModel(Encoder(model.encoder.config))
    mean = average_models([model, other])
    for name, weight in mean.state_dict().items():
        assert torch.allclose(weight, (model.state_dict()[name] + other.state_dict()[name]) / 2), (
            name
        )


def test_lower_layers_learn_slower_and_word_embeddings_may_stay(model: MultiTaskModel) -> None:
    model.encoder.words.requires_grad_(False)
    groups = parameter_groups(model)
    assert sorted({group["peak"] for group in groups}, reverse=True)[0] == 1e-3  # the heads
    assert sum(weight.numel() for group in groups for weight in group["params"]) == sum(  # type: ignore[attr-defined]
        weight.numel() for weight in model.parameters() if weight.requires_grad
    )


def test_a_student_that_says_what_the_teachers_say_has_nothing_to_learn(
    model: MultiTaskModel,
) -> None:
    ids = torch.randint(4, 60, (3, 7))
    model.eval()
    outputs = model(ids, torch.ones(3, 7, dtype=torch.bool))[1]
    teacher_probabilities = {
        name: values.detach() for name, values in mean_probabilities([outputs, outputs]).items()
    }
    loss = teacher_loss(outputs, teacher_probabilities)
    loss.backward()
    gradient = model.late.post[3].weight.grad
    assert gradient is not None
    assert gradient.abs().max() < 1e-6


def test_only_hidden_tokens_are_concealed() -> None:
    torch.manual_seed(2)
    ids = torch.randint(4, 59, (40, 50))
    hidden = torch.rand(ids.shape) < 0.15
    masked_ids = mask_tokens(ids, hidden, 60)
    assert torch.equal(masked_ids[~hidden], ids[~hidden])
    assert 0.7 < float((masked_ids[hidden] == 59).float().mean()) < 0.9


def test_the_embedding_is_the_linear_map_that_fits(model: MultiTaskModel) -> None:
    states = torch.randn(400, 16)
    expected = states @ torch.linalg.qr(torch.randn(16, 16))[0]
    set_embedding_head(model, states, expected)
    embeddings = model.embedding(states).detach()
    assert float(torch.nn.functional.cosine_similarity(embeddings, expected).mean()) > 0.97


def test_macro_f1_by_hand() -> None:
    labels, predictions = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1])
    assert macro_f1(labels, predictions) == pytest.approx((2 / 3 + 2 / 4 + 0) / 3)
