"""What a model says of whole sets that it never saw: what the quantifier learns of unknown domains."""

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
"""Judgements of a set: kept at most, needed at least."""

_GRID = torch.linspace(0.6, 3.0, 49)
"""Temperatures tried."""


def held_out_posteriors(
    model: MultiTaskModel,
    pack: TrainingPack,
    trained_sets: Sequence[int],
    held_out_sets: Sequence[int],
    tokens: int,
) -> dict[str, np.ndarray]:
    """Give posteriors of the sets ``unseen``, calibrated on the dev texts of the sets ``seen``.

    By set, under ``NAME|p`` the posteriors of the post, ``NAME|c`` those of the target (with the post's as in use,
    where it is the only one) and ``NAME|y`` the labels; of sets without targets both are the post's.
    """
    heat = _temperatures(model, pack, pack.text_indices(DEV, list(trained_sets)), tokens)
    found: dict[str, np.ndarray] = {}
    for number in held_out_sets:
        rows = torch.cat([pack.text_indices(part, [number]) for part in (DEV, TRAIN)])[
            : 2 * MAX_PREDICTIONS
        ]
        judged = _judged(model, pack, rows, tokens)
        judged = {name: values[:MAX_PREDICTIONS] for name, values in judged.items()}
        post, target, right = judged["post"], judged["target"], judged["label"]
        if len(right) < MIN_PREDICTIONS:
            continue
        chinese = judged["chinese"].bool()
        chances = _cooled(post, chinese, heat["post"])
        combined = chances
        if judged["has_target"].any():
            four = _cooled(target, chinese, heat["target"])
            three = four[:, :3].clone()
            three[:, NEUTRAL] += four[:, NOT_ABOUT]
            weight = torch.where(judged["alone"] > 0, POST_WEIGHT, 0.0)[:, None]
            combined = weight * chances + (1 - weight) * three
        name = pack.sets[number]["name"]
        found |= {
            f"{name}|p": chances.numpy(),
            f"{name}|c": combined.numpy(),
            f"{name}|y": right.numpy(),
        }
    return found


def _judged(
    model: MultiTaskModel, pack: TrainingPack, rows: Tensor, tokens: int
) -> dict[str, Tensor]:
    """Give logits and labels of each target of some texts, or of each post where a set has no targets."""
    parts: dict[str, list[Tensor]] = {}
    for batch_rows in pack.iter_batch_rows(rows, tokens, None):
        batch = pack.make_batch(batch_rows)
        late = _late(model, batch)
        post, chinese = late.post, pack.chinese[batch_rows]
        if batch.target_rows is None:
            known = batch.post.sum(1) > 0
            owner = known.nonzero()[:, 0]
            label = batch.post[owner].argmax(1)
            target = torch.zeros(len(owner), 4)
            alone = torch.zeros(len(owner))
        else:
            counts = torch.bincount(batch.target_rows.rows, minlength=len(batch_rows))
            known = batch.target.sum(1) > 0
            owner = batch.target_rows.rows[known]
            label = batch.target[known].argmax(1)
            label = torch.where(label == NOT_ABOUT, NEUTRAL, label)
            target = late.target[known]
            alone = (counts[owner] == 1).float()
        columns = {
            "post": post[owner], "target": target, "label": label, "alone": alone, "chinese": chinese[owner],
            "has_target": torch.full((len(owner),), batch.target_rows is not None),
        }  # fmt: skip
        for name, values in columns.items():
            parts.setdefault(name, []).append(values)
    whole = {name: torch.cat(values) for name, values in parts.items()}
    if whole["has_target"].any():  # a set of targets: its posts without one are not asked
        whole = {name: values[whole["has_target"]] for name, values in whole.items()}
    order = torch.randperm(len(whole["label"]), generator=torch.Generator().manual_seed(7))
    return {name: values[order] for name, values in whole.items()}


def _late(model: MultiTaskModel, batch: Batch) -> HeadOutputs:
    """Give the outputs of the late depth, on the CPU."""
    moved = batch.to(next(model.parameters()).device)
    with torch.no_grad():
        late = model(moved.ids, moved.mask, moved.target_rows)[1]
    return HeadOutputs(*(values.float().cpu() for values in late))


def _temperatures(
    model: MultiTaskModel, pack: TrainingPack, rows: Tensor, tokens: int
) -> dict[str, dict[bool, float]]:
    """Fit the temperature of posts and of targets, by whether a text is Chinese, on texts with labels."""
    posts: dict[bool, list[tuple[Tensor, Tensor]]] = {True: [], False: []}
    targets: dict[bool, list[tuple[Tensor, Tensor]]] = {True: [], False: []}
    for batch_rows in pack.iter_batch_rows(rows, tokens, None):
        batch = pack.make_batch(batch_rows)
        late = _late(model, batch)
        for chinese in (True, False):
            spoken = pack.chinese[batch_rows] == chinese
            known = (batch.post.sum(1) > 0) & spoken & ~pack.two_way[batch_rows]
            posts[chinese].append((late.post[known], batch.post[known].argmax(1)))
            if batch.target_rows is not None:
                asked = (batch.target.sum(1) > 0) & spoken[batch.target_rows.rows]
                targets[chinese].append((late.target[asked], batch.target[asked].argmax(1)))
    return {"post": _fitted(posts), "target": _fitted(targets)}


def _fitted(pairs: dict[bool, list[tuple[Tensor, Tensor]]]) -> dict[bool, float]:
    """Give the temperature of least negative log likelihood (Guo et al. 2017), 1 where nothing tells."""
    best = {}
    for chinese, each in pairs.items():
        if not sum(len(right) for _, right in each):
            best[chinese] = 1.0
            continue
        logits, right = torch.cat([pair[0] for pair in each]), torch.cat([pair[1] for pair in each])
        losses = [float(torch.nn.functional.cross_entropy(logits / heat, right)) for heat in _GRID]
        best[chinese] = float(_GRID[int(np.argmin(losses))])
    return best


def _cooled(logits: Tensor, chinese: Tensor, heat: dict[bool, float]) -> Tensor:
    divisor = torch.where(chinese, heat[True], heat[False])[:, None]
    return (logits / divisor).softmax(-1)
