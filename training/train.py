"""The training loop: seeded, resumable, within a budget of minutes where one is given."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from folate.core.progress import track_items
from nlp.model.heads import HeadOutputs, MultiTaskModel
from training.batches import Batch, collate, draw_epoch_samples, group_by_length
from training.distil import EmbeddingTeacher
from training.sets.manifest import DatasetSplit
from training.sets.samples import Sample

# sentiment leads: the other heads may take from the body what they need, not bend it
LOSS_WEIGHTS = {
    "post": 1.0,
    "target": 1.0,
    "emotion": 0.5,
    "polarity": 0.5,
    "intent": 0.3,
    "spoken": 0.5,
    "place": 0.1,
}
EARLY_LOSS_WEIGHT, DISTILLATION_WEIGHT = (
    0.5,
    0.3,
)  # what the early depth's own labels weigh, and what the late depth tells it
_FEW = 8  # labels of a head in a batch: fewer weigh less, or one alone would steer the step


@dataclass(frozen=True)
class TrainingSettings:
    """What a run is made of. ``minutes``: the learning rate reaches zero after that much training, if not after the epochs. ``start``: the
    checkpoint of a finished run whose weights it starts from.
    """

    seed: int = 20
    epochs: int = 2
    minutes: float = float("inf")
    batch_tokens: int = 4096  # a batch
    max_tokens: int = 128  # tokens of a training text; reading has windows
    rate: float = 1e-4
    head_rate: float = 1e-3
    layer_decay: float = 0.9  # of the rate, by layer from the last to the first: what both languages share is kept (arXiv:1801.06146)
    warmup: float = 0.04
    distil_every: int = 8
    checkpoint_minutes: float = 3.0
    start: Path | None = None


@dataclass
class TrainingProgress:
    """Where a run is: what a checkpoint holds beside the weights. ``before``: the steps of the runs whose weights it started from."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    losses: dict[str, float] = field(default_factory=dict)
    before: int = 0

    def describe_training(self, settings: TrainingSettings) -> str:
        """How the model was trained, for its card."""
        return (f"after {self.before:,} batches of another run " if self.before else "") + (
            f"{self.step:,} batches of about {settings.batch_tokens:,} tokens in {self.seconds / 60:.0f} minutes"
            f" (seed {settings.seed}, peak rate {settings.rate:g})"
        )

    def completed_share(self, total_steps: int, settings: TrainingSettings) -> float:
        """The part of the run that is done, from 0 to 1."""
        return max(self.step / total_steps, self.seconds / 60 / settings.minutes)


def run_training_loop(
    model: MultiTaskModel,
    teacher: EmbeddingTeacher,
    tokenizer: Any,
    splits: Sequence[DatasetSplit],
    composed: Sequence[Sample],
    settings: TrainingSettings,
    work: Path,
) -> TrainingProgress:
    """Trains ``model`` in place, going on from ``work/checkpoint.pt`` if it is there; returns where it stopped."""
    device = next(model.parameters()).device
    optimizer = _optimizer(model, settings)
    state = _resume(settings, work, model, optimizer)
    saved = time.monotonic()
    while state.epoch < settings.epochs:
        samples = draw_epoch_samples(splits, composed, settings.seed, state.epoch)
        order = group_by_length(
            samples,
            tokenizer,
            settings.batch_tokens,
            settings.max_tokens,
            f"{settings.seed}/{state.epoch}",
        )
        total = len(order) * settings.epochs
        for group in track_items(order[state.batch :], f"epoch {state.epoch + 1}", unit="batch"):
            if state.completed_share(total, settings) >= 1:
                _save(work, model, optimizer, state)
                return state
            began = time.monotonic()
            _step(model, teacher, optimizer, collate(group), state, total, settings, device)
            state.batch, state.step, state.seconds = (
                state.batch + 1,
                state.step + 1,
                state.seconds + time.monotonic() - began,
            )
            if state.step % 50 == 0:
                _log(state, total, settings)
            if time.monotonic() - saved >= settings.checkpoint_minutes * 60:
                _save(work, model, optimizer, state)
                saved = time.monotonic()
        state.epoch, state.batch = state.epoch + 1, 0
    _save(work, model, optimizer, state)
    return state


def _optimizer(model: MultiTaskModel, settings: TrainingSettings) -> torch.optim.AdamW:
    groups: dict[float, list[Tensor]] = {}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            groups.setdefault(_peak(name, len(model.encoder.layers), settings), []).append(weight)
    by_peak = [{"params": weights, "peak": peak} for peak, weights in groups.items()]
    return torch.optim.AdamW(
        by_peak, lr=settings.rate, weight_decay=0.01, betas=(0.9, 0.98), fused=True
    )


def _peak(name: str, layers: int, settings: TrainingSettings) -> float:
    """The highest learning rate of the weight of that name."""
    if not name.startswith("encoder."):
        return settings.head_rate
    part = name.split(".")
    above = layers - 1 - int(part[2]) if part[1] == "layers" else layers
    return settings.rate * settings.layer_decay**above


def _step(
    model: MultiTaskModel,
    teacher: EmbeddingTeacher,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    state: TrainingProgress,
    total: int,
    settings: TrainingSettings,
    device: torch.device,
) -> None:
    torch.manual_seed(
        settings.seed * 1_000_003 + state.step
    )  # so that a resumed run drops out the same units
    seen = state.completed_share(total, settings)
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * min(
            seen / settings.warmup, (1 - seen) / (1 - settings.warmup)
        )
    model.train()
    losses = task_losses(model, batch, teacher.autocast, device)
    if state.step % settings.distil_every == 0:
        losses["embedding"] = teacher.embedding_loss(model, state.step // settings.distil_every)
    torch.stack(list(losses.values())).sum().backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    for name, loss in losses.items():
        state.losses[name] = 0.98 * state.losses.get(name, loss.item()) + 0.02 * loss.item()


def task_losses(
    model: MultiTaskModel, batch: Batch, autocast: torch.autocast, device: torch.device
) -> dict[str, Tensor]:
    """The losses of both depths, by head; the early one also learns what the late one says (Zhang et al. 2019, arXiv:1905.08094)."""
    batch = batch.to(device)
    with autocast:
        early, late = model(batch.ids, batch.mask, batch.target_rows)
    losses = _head_losses(late, batch)
    losses |= {
        f"early {name}": EARLY_LOSS_WEIGHT * loss
        for name, loss in _head_losses(early, batch).items()
    }
    for name in ("post", "target"):
        student, teacher = getattr(early, name).float(), getattr(late, name).float().detach()
        if len(student):
            losses[f"distilled {name}"] = DISTILLATION_WEIGHT * functional.cross_entropy(
                student, teacher.softmax(-1)
            )
    return losses


def _head_losses(out: HeadOutputs, batch: Batch) -> dict[str, Tensor]:
    """Cross-entropy of what has a label, by head, times the head's weight."""
    losses = {}
    for name in ("post", "target", "emotion", "polarity"):
        wanted = getattr(batch, name)
        if wanted.any():
            logits, wanted = getattr(out, name).float().flatten(0, -2), wanted.flatten(0, -2)
            losses[name] = functional.cross_entropy(
                logits, wanted, reduction="sum"
            ) / wanted.sum().clamp(min=_FEW)
    for name in ("intent", "spoken"):
        wanted, weight = getattr(batch, name).unbind(-1)
        if weight.any():
            loss = functional.binary_cross_entropy_with_logits(
                getattr(out, name).float(), wanted, weight, reduction="sum"
            )
            losses[name] = loss / weight.sum().clamp(min=_FEW)
    placed = batch.place.any(-1)
    if placed.any():  # attention to the clause: its share, whichever of its tokens it falls on
        losses["place"] = (
            -(out.attention.float() * batch.place).sum(-1)[placed].clamp(min=1e-4).log().mean()
        )
    return {name: LOSS_WEIGHTS[name] * loss for name, loss in losses.items()}


def _log(state: TrainingProgress, total: int, settings: TrainingSettings) -> None:
    figures = " ".join(f"{name} {loss:.3f}" for name, loss in sorted(state.losses.items()))
    part = state.completed_share(total, settings)
    print(
        f"step {state.step} of {total}, {part:.1%}, {state.seconds / 60:.1f} min, {figures}",
        file=sys.stderr,
        flush=True,
    )


def _save(
    work: Path, model: MultiTaskModel, optimizer: torch.optim.Optimizer, state: TrainingProgress
) -> None:
    work.mkdir(parents=True, exist_ok=True)
    made = work / "checkpoint.tmp"
    torch.save(
        {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "progress": vars(state)},
        made,
    )
    os.replace(made, work / "checkpoint.pt")  # noqa: PTH105 - atomic: a cut leaves the old one whole


def _resume(
    settings: TrainingSettings, work: Path, model: MultiTaskModel, optimizer: torch.optim.Optimizer
) -> TrainingProgress:
    path = work / "checkpoint.pt"
    resumed = path.is_file()
    source = path if resumed else settings.start
    if source is None:
        return TrainingProgress()
    saved = torch.load(source, weights_only=True, map_location="cpu")
    model.load_state_dict(saved["model"])
    state = TrainingProgress(**saved["progress"])
    if not resumed:
        return TrainingProgress(before=state.before + state.step)
    optimizer.load_state_dict(saved["optimizer"])
    return state
