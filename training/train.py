"""The training loop: seeded, resumable, and within a budget of minutes where one is given."""

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
EARLY_LOSS_WEIGHT = 0.5
"""Weight of the labels at the early depth."""

DISTILLATION_WEIGHT = 0.3
"""Weight of the late depth's probabilities as targets of the early depth."""

_MIN_LABELS = 8
"""Labels of a head in a batch: fewer weigh less, or one alone would steer the step."""


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of one training run."""

    seed: int = 20
    epochs: int = 2
    # the learning rate reaches zero after so many minutes of training, if not after the epochs
    minutes: float = float("inf")
    # tokens of a batch
    batch_tokens: int = 4096
    # tokens of a training text; in use longer texts are split into windows
    max_tokens: int = 128
    # peak learning rates of the encoder's last layer and of the heads
    rate: float = 1e-4
    head_rate: float = 1e-3
    # factor of the rate for each layer below the last, which keeps what both languages share
    # (arXiv:1801.06146)
    layer_decay: float = 0.9
    # share of the run in which the learning rate rises
    warmup: float = 0.04
    # every how many steps the embedding loss is added
    distil_every: int = 8
    checkpoint_minutes: float = 3.0
    # checkpoint of a finished run whose weights to start from
    start: Path | None = None


@dataclass
class TrainingProgress:
    """The progress of a run, saved in a checkpoint beside the weights."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    # moving averages of the losses, by head
    losses: dict[str, float] = field(default_factory=dict)
    # steps of the earlier runs whose weights this one started from
    before: int = 0

    def describe_training(self, settings: TrainingSettings) -> str:
        """Describe how the model was trained, for its card."""
        return (f"after {self.before:,} batches of another run " if self.before else "") + (
            f"{self.step:,} batches of about {settings.batch_tokens:,} tokens"
            f" in {self.seconds / 60:.0f} minutes"
            f" (seed {settings.seed}, peak rate {settings.rate:g})"
        )

    def completed_share(self, total_steps: int, settings: TrainingSettings) -> float:
        """Return the completed share of the run, from 0 to 1."""
        return max(self.step / total_steps, self.seconds / 60 / settings.minutes)


def run_training_loop(
    model: MultiTaskModel,
    teacher: EmbeddingTeacher,
    tokenizer: Any,
    splits: Sequence[DatasetSplit],
    composed: Sequence[Sample],
    *,
    settings: TrainingSettings,
    work: Path,
) -> TrainingProgress:
    """Train ``model`` in place and return the progress, resuming from ``work/checkpoint.pt``."""
    device = next(model.parameters()).device
    optimizer = _make_optimizer(model, settings)
    state = _resume_from_checkpoint(settings, work, model, optimizer)
    last_saved = time.monotonic()
    while state.epoch < settings.epochs:
        samples = draw_epoch_samples(splits, composed, settings.seed, state.epoch)
        batches = group_by_length(
            samples,
            tokenizer,
            settings.batch_tokens,
            settings.max_tokens,
            f"{settings.seed}/{state.epoch}",
        )
        total_steps = len(batches) * settings.epochs
        for group in track_items(batches[state.batch :], f"epoch {state.epoch + 1}", unit="batch"):
            if state.completed_share(total_steps, settings) >= 1:
                _save_checkpoint(work, model, optimizer, state)
                return state
            began = time.monotonic()
            _train_step(
                model,
                teacher,
                optimizer,
                collate(group),
                state=state,
                total_steps=total_steps,
                settings=settings,
                device=device,
            )
            state.batch += 1
            state.step += 1
            state.seconds += time.monotonic() - began
            if state.step % 50 == 0:
                _log_progress(state, total_steps, settings)
            if time.monotonic() - last_saved >= settings.checkpoint_minutes * 60:
                _save_checkpoint(work, model, optimizer, state)
                last_saved = time.monotonic()
        state.epoch += 1
        state.batch = 0
    _save_checkpoint(work, model, optimizer, state)
    return state


def _make_optimizer(model: MultiTaskModel, settings: TrainingSettings) -> torch.optim.AdamW:
    groups: dict[float, list[Tensor]] = {}
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            groups.setdefault(
                _peak_learning_rate(name, len(model.encoder.layers), settings), []
            ).append(weight)
    by_peak = [{"params": weights, "peak": peak} for peak, weights in groups.items()]
    return torch.optim.AdamW(
        by_peak, lr=settings.rate, weight_decay=0.01, betas=(0.9, 0.98), fused=True
    )


def _peak_learning_rate(name: str, layers: int, settings: TrainingSettings) -> float:
    """Return the peak learning rate of the weight of that name."""
    if not name.startswith("encoder."):
        return settings.head_rate
    part = name.split(".")
    above = layers - 1 - int(part[2]) if part[1] == "layers" else layers
    return settings.rate * settings.layer_decay**above


def _train_step(
    model: MultiTaskModel,
    teacher: EmbeddingTeacher,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    *,
    state: TrainingProgress,
    total_steps: int,
    settings: TrainingSettings,
    device: torch.device,
) -> None:
    # a resumed run drops out the same units
    torch.manual_seed(settings.seed * 1_000_003 + state.step)
    completed = state.completed_share(total_steps, settings)
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * min(
            completed / settings.warmup, (1 - completed) / (1 - settings.warmup)
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
    """Return the losses of both depths, by head.

    The early depth also learns from the late one's probabilities (Zhang et al. 2019,
    arXiv:1905.08094).
    """
    batch = batch.to(device)
    with autocast:
        early, late = model(batch.ids, batch.mask, batch.target_rows)
    losses = _head_losses(late, batch)
    losses |= {
        f"early {name}": EARLY_LOSS_WEIGHT * loss
        for name, loss in _head_losses(early, batch).items()
    }
    for name in ("post", "target"):
        student = getattr(early, name).float()
        teacher = getattr(late, name).float().detach()
        if len(student):
            losses[f"distilled {name}"] = DISTILLATION_WEIGHT * functional.cross_entropy(
                student, teacher.softmax(-1)
            )
    return losses


def _head_losses(outputs: HeadOutputs, batch: Batch) -> dict[str, Tensor]:
    """Return the weighted cross-entropy of each head that has labels in the batch."""
    losses = {}
    for name in ("post", "target", "emotion", "polarity"):
        labels = getattr(batch, name)
        if labels.any():
            logits, labels = getattr(outputs, name).float().flatten(0, -2), labels.flatten(0, -2)
            losses[name] = functional.cross_entropy(
                logits, labels, reduction="sum"
            ) / labels.sum().clamp(min=_MIN_LABELS)
    for name in ("intent", "spoken"):
        labels, weight = getattr(batch, name).unbind(-1)
        if weight.any():
            loss = functional.binary_cross_entropy_with_logits(
                getattr(outputs, name).float(), labels, weight, reduction="sum"
            )
            losses[name] = loss / weight.sum().clamp(min=_MIN_LABELS)
    has_clause = batch.place.any(-1)
    # the share of attention that falls on any token of the clause
    if has_clause.any():
        losses["place"] = (
            -(outputs.attention.float() * batch.place)
            .sum(-1)[has_clause]
            .clamp(min=1e-4)
            .log()
            .mean()
        )
    return {name: LOSS_WEIGHTS[name] * loss for name, loss in losses.items()}


def _log_progress(state: TrainingProgress, total_steps: int, settings: TrainingSettings) -> None:
    figures = " ".join(f"{name} {loss:.3f}" for name, loss in sorted(state.losses.items()))
    completed = state.completed_share(total_steps, settings)
    print(
        f"step {state.step} of {total_steps}, {completed:.1%},"
        f" {state.seconds / 60:.1f} min, {figures}",
        file=sys.stderr,
        flush=True,
    )


def _save_checkpoint(
    work: Path, model: MultiTaskModel, optimizer: torch.optim.Optimizer, state: TrainingProgress
) -> None:
    work.mkdir(parents=True, exist_ok=True)
    temporary_file = work / "checkpoint.tmp"
    torch.save(
        {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "progress": vars(state)},
        temporary_file,
    )
    # atomic: an interruption leaves the old checkpoint intact
    os.replace(temporary_file, work / "checkpoint.pt")  # noqa: PTH105


def _resume_from_checkpoint(
    settings: TrainingSettings, work: Path, model: MultiTaskModel, optimizer: torch.optim.Optimizer
) -> TrainingProgress:
    path = work / "checkpoint.pt"
    resumed = path.is_file()
    source = path if resumed else settings.start
    if source is None:
        return TrainingProgress()
    checkpoint = torch.load(source, weights_only=True, map_location="cpu")
    model.load_state_dict(checkpoint["model"])
    state = TrainingProgress(**checkpoint["progress"])
    if not resumed:
        return TrainingProgress(before=state.before + state.step)
    optimizer.load_state_dict(checkpoint["optimizer"])
    return state
