"""Posteriors of a model for whole sets that it never saw, for the quantifier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from nlp.model.heads import HeadOutputs, MultiTaskModel
from nlp.model.name_hiding import POST_WEIGHT
from training.batches import Batch
from training.pack_batches import DEV, TRAIN, TrainingPack
from training.sets.samples import NEUTRAL, NOT_ABOUT

MAX_PREDICTIONS, MIN_PREDICTIONS = 1_200, 120
"""Predictions of a set: used at most, needed at least."""

_TEMPERATURE_GRID = torch.linspace(0.6, 3.0, 49)
"""Temperatures tried."""


def held_out_posteriors(
    model: MultiTaskModel,
    pack: TrainingPack,
    trained_sets: Sequence[int],
    held_out_sets: Sequence[int],
    tokens: int,
) -> dict[str, np.ndarray]:
    """Return posteriors of unseen sets, calibrated on the dev texts of the trained ones.

    By set: ``NAME|p`` are the posteriors of the post, ``NAME|c`` those of the target (mixed with
    the post's where it is the only target, as in use) and ``NAME|y`` the labels; of sets without
    targets both are the post's.
    """
    temperatures = _fit_temperatures(
        model, pack, pack.text_indices(DEV, list(trained_sets)), tokens
    )
    posteriors: dict[str, np.ndarray] = {}
    for number in held_out_sets:
        rows = torch.cat([pack.text_indices(part, [number]) for part in (DEV, TRAIN)])[
            : 2 * MAX_PREDICTIONS
        ]
        predictions = _predict_rows(model, pack, rows, tokens)
        predictions = {name: values[:MAX_PREDICTIONS] for name, values in predictions.items()}
        labels = predictions["label"]
        if len(labels) < MIN_PREDICTIONS:
            continue
        chinese = predictions["chinese"].bool()
        post_probabilities = _calibrated_probabilities(
            predictions["post"], chinese, temperatures["post"]
        )
        combined = post_probabilities
        if predictions["has_target"].any():
            target_probabilities = _calibrated_probabilities(
                predictions["target"], chinese, temperatures["target"]
            )
            polarity = target_probabilities[:, :3].clone()
            polarity[:, NEUTRAL] += target_probabilities[:, NOT_ABOUT]
            weight = torch.where(predictions["alone"] > 0, POST_WEIGHT, 0.0)[:, None]
            combined = weight * post_probabilities + (1 - weight) * polarity
        name = pack.sets[number]["name"]
        posteriors |= {
            f"{name}|p": post_probabilities.numpy(),
            f"{name}|c": combined.numpy(),
            f"{name}|y": labels.numpy(),
        }
    return posteriors


def _predict_rows(
    model: MultiTaskModel, pack: TrainingPack, rows: Tensor, tokens: int
) -> dict[str, Tensor]:
    """Return logits and labels of each target, or of each post where a set has no targets."""
    parts: dict[str, list[Tensor]] = {}
    for batch_rows in pack.iter_batch_rows(rows, tokens, None):
        batch = pack.make_batch(batch_rows)
        late = _late_outputs(model, batch)
        post = late.post
        chinese = pack.chinese[batch_rows]
        if batch.target_rows is None:
            is_labelled = batch.post.sum(1) > 0
            text_rows = is_labelled.nonzero()[:, 0]
            label = batch.post[text_rows].argmax(1)
            target = torch.zeros(len(text_rows), 4)
            is_only_target = torch.zeros(len(text_rows))
        else:
            counts = torch.bincount(batch.target_rows.rows, minlength=len(batch_rows))
            is_labelled = batch.target.sum(1) > 0
            text_rows = batch.target_rows.rows[is_labelled]
            label = batch.target[is_labelled].argmax(1)
            label = torch.where(label == NOT_ABOUT, NEUTRAL, label)
            target = late.target[is_labelled]
            is_only_target = (counts[text_rows] == 1).float()
        columns = {
            "post": post[text_rows],
            "target": target,
            "label": label,
            "alone": is_only_target,
            "chinese": chinese[text_rows],
            "has_target": torch.full((len(text_rows),), batch.target_rows is not None),
        }
        for name, values in columns.items():
            parts.setdefault(name, []).append(values)
    columns_of_set = {name: torch.cat(values) for name, values in parts.items()}
    # a set of targets: posts without one are left out
    if columns_of_set["has_target"].any():
        columns_of_set = {
            name: values[columns_of_set["has_target"]] for name, values in columns_of_set.items()
        }
    order = torch.randperm(len(columns_of_set["label"]), generator=torch.Generator().manual_seed(7))
    return {name: values[order] for name, values in columns_of_set.items()}


def _late_outputs(model: MultiTaskModel, batch: Batch) -> HeadOutputs:
    """Return the outputs of the late depth, on the CPU."""
    on_device = batch.to(next(model.parameters()).device)
    with torch.no_grad():
        late = model(on_device.ids, on_device.mask, on_device.target_rows)[1]
    return HeadOutputs(*(values.float().cpu() for values in late))


def _fit_temperatures(
    model: MultiTaskModel, pack: TrainingPack, rows: Tensor, tokens: int
) -> dict[str, dict[bool, float]]:
    """Fit the temperatures of posts and of targets, for Chinese texts and for others."""
    posts: dict[bool, list[tuple[Tensor, Tensor]]] = {True: [], False: []}
    targets: dict[bool, list[tuple[Tensor, Tensor]]] = {True: [], False: []}
    for batch_rows in pack.iter_batch_rows(rows, tokens, None):
        batch = pack.make_batch(batch_rows)
        late = _late_outputs(model, batch)
        for chinese in (True, False):
            in_language = pack.chinese[batch_rows] == chinese
            is_labelled = (batch.post.sum(1) > 0) & in_language & ~pack.two_way[batch_rows]
            posts[chinese].append((late.post[is_labelled], batch.post[is_labelled].argmax(1)))
            if batch.target_rows is not None:
                has_label = (batch.target.sum(1) > 0) & in_language[batch.target_rows.rows]
                targets[chinese].append((late.target[has_label], batch.target[has_label].argmax(1)))
    return {"post": _best_temperatures(posts), "target": _best_temperatures(targets)}


def _best_temperatures(pairs: dict[bool, list[tuple[Tensor, Tensor]]]) -> dict[bool, float]:
    """Return the temperatures of least negative log likelihood (Guo et al. 2017), else 1."""
    temperatures = {}
    for chinese, batches in pairs.items():
        if not sum(len(labels) for _, labels in batches):
            temperatures[chinese] = 1.0
            continue
        logits = torch.cat([pair[0] for pair in batches])
        labels = torch.cat([pair[1] for pair in batches])
        losses = [
            float(torch.nn.functional.cross_entropy(logits / temperature, labels))
            for temperature in _TEMPERATURE_GRID
        ]
        temperatures[chinese] = float(_TEMPERATURE_GRID[int(np.argmin(losses))])
    return temperatures


def _calibrated_probabilities(
    logits: Tensor, chinese: Tensor, temperatures: dict[bool, float]
) -> Tensor:
    divisor = torch.where(chinese, temperatures[True], temperatures[False])[:, None]
    return (logits / divisor).softmax(-1)
