"""Train Folate's model on one GPU: ``python -m training.gpu --data PACK --out DIR --budget 540``.

From the pretrained encoder: continued masked-language pretraining on all texts; multi-task
training of all layers, first together and then twice with other seeds; the mean of the two;
distillation of the predictions of all three into both depths of the mean. The budget (seconds) is
kept: learning rates follow the clock, and after each phase the model is written, in 8-bit integers
and in parts of at most 15 MiB, so that an interrupted run leaves the model of its last phase. With
``--folds`` whole groups of sets are then left out in turn, and the model's posteriors for those
unseen sets are written for the quantifier (`training.quantify`).

Needs torch, transformers (its tokenizers), numpy and safetensors; ``python -m training.pack`` makes
the pack. Without a GPU the same runs on the CPU, some hundred times slower: ``--batches`` stops
each phase early for a rehearsal.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nlp.model.checkpoint import WEIGHTS_FILE, ModelCalibration, save_checkpoint
from nlp.model.encoder import Encoder
from nlp.model.heads import HeadOutputs, MultiTaskModel, mean_pool
from nlp.model.threads import map_in_threads
from training.batches import Batch
from training.calibrate import MODEL_NAME
from training.distil import set_embedding_head
from training.expand import unpack_encoder
from training.gpu_scores import describe_dev_scores
from training.left_out_posteriors import held_out_posteriors
from training.pack_batches import DEV, POOL, TRAIN, UNLABELLED, TrainingPack
from training.run import load_bert_encoder
from training.train import task_losses

PART_BYTES = 15 * 2**20
"""Bytes of a part of the written model."""

PHASE_SHARES = {
    "pretraining": 0.16,
    "together": 0.24,
    "first": 0.19,
    "second": 0.19,
    "distilling": 0.22,
}
"""Shares of the time that is left for training."""

RESERVED_SECONDS = 40.0
"""Seconds of the budget for reading the pack, fitting the embedding, measuring and writing."""

ENCODER_RATE, HEAD_RATE, LAYER_DECAY = 2.5e-4, 1e-3, 0.9
"""Peak learning rates of the last layer and the heads; factor of the rate for each layer below."""

PRETRAINING_RATE = 4e-4
MASKED_SHARE = 0.15
"""Share of tokens that pretraining hides (Devlin et al. 2019)."""

TEACHER_WEIGHT = 0.7
"""Weight of the teachers' probabilities in distillation, beside the labels."""

EMBEDDING_LOSS_INTERVAL, EMBEDDING_LOSS_TEXTS = 8, 256
"""Every how many steps the embedding loss is added, and the number of texts it is taken over."""

PRETRAINED_FILE = "pretrained.pt"

BATCH_THREADS = 4
"""Threads that make batches."""

MIN_FULL_RUN_BATCHES = 1_000
"""Batches of a phase under which a run is a rehearsal: it measures and fits on few texts."""


@dataclass
class PhaseClock:
    """The clock of one phase: which share of it is completed, by time or by batches."""

    seconds: float
    batches: int
    began: float = 0.0
    step: int = 0

    def __post_init__(self) -> None:
        self.began = time.monotonic()

    @property
    def completed_share(self) -> float:
        """Return the completed share of the phase, 0 to 1."""
        return min(
            1.0, max((time.monotonic() - self.began) / self.seconds, self.step / self.batches)
        )


def main() -> None:
    """Train the model, write it and print its scores."""
    parser = argparse.ArgumentParser(prog="python -m training.gpu", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder that `python -m training.pack` wrote"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the model, its log and its posteriors"
    )
    parser.add_argument(
        "--budget", type=float, default=540, help="seconds for everything but the folds"
    )
    parser.add_argument(
        "--batches", type=int, default=1 << 30, help="batches of a phase at most (a rehearsal)"
    )
    parser.add_argument(
        "--tokens", type=int, help="tokens of a batch (default: 16384 on a GPU, 1024 without)"
    )
    parser.add_argument("--seed", type=int, default=41)
    parser.add_argument(
        "--folds", type=int, default=0, help="parts in which sets are left out afterwards"
    )
    parser.add_argument(
        "--only-folds", action="store_true", help="train no model: go on with the folds of --work"
    )
    parser.add_argument(
        "--work", type=Path, help="folder of what is not handed out (default: a temporary one)"
    )
    parser.add_argument(
        "--fold-seconds", type=float, default=50, help="seconds of training of each fold"
    )
    parser.add_argument(
        "--no-pretraining", action="store_true", help="begin with the encoder as it is"
    )
    options = parser.parse_args()
    began = time.monotonic()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.set_float32_matmul_precision("high")
    if device.type == "cuda":
        torch.set_num_threads(1)  # the threads that make batches would wait for each other
    options.out.mkdir(parents=True, exist_ok=True)
    tokens = options.tokens or (16_384 if device.type == "cuda" else 1_024)
    work = options.work or Path(tempfile.mkdtemp(prefix="folate-"))
    run = TrainingRun(
        options.data,
        options.out,
        work,
        device=device,
        tokens=tokens,
        batches=options.batches,
        seed=options.seed,
    )
    run.log_line(f"pack read after {time.monotonic() - began:.0f} s on {device}")
    if options.only_folds:
        run.start.encoder.load_state_dict(
            torch.load(work / PRETRAINED_FILE, map_location=device, weights_only=True)
        )
    else:
        run.train(
            options.budget - (time.monotonic() - began) - RESERVED_SECONDS,
            pretraining=not options.no_pretraining,
        )
        run.log_line(f"trained after {time.monotonic() - began:.0f} s")
    for fold in range(options.folds):
        run.train_fold(fold, options.folds, options.fold_seconds)
    run.log_line(f"all done after {time.monotonic() - began:.0f} s")


class TrainingRun:
    """One run: the pack, the models and the log."""

    def __init__(
        self,
        pack: Path,
        out: Path,
        work: Path,
        *,
        device: torch.device,
        tokens: int,
        batches: int,
        seed: int,
    ) -> None:
        self.folder = pack
        self.out = out
        self.work = work
        self.device = device
        self.tokens = tokens
        self.max_batches = batches
        self.seed = seed
        self.log: list[str] = []
        self.autocast = torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")
        self.pack = TrainingPack(pack)
        if batches < MIN_FULL_RUN_BATCHES:
            for part in (DEV, POOL):
                self.pack.subsample_part(part, 20 * batches)
        self.source = unpack_encoder(pack, work / "encoder")
        self.teacher = load_bert_encoder(self.source).to(device).eval().requires_grad_(False)
        self.pool = self.pack.text_indices(POOL)
        self.centre = self._teacher_vectors(self.pool[:1024]).mean(0)
        torch.manual_seed(seed)
        self.start = MultiTaskModel(load_bert_encoder(self.source)).to(device)
        self.start.encoder.words.requires_grad_(False)
        self.posteriors: dict[str, Any] = {}

    def log_line(self, line: str) -> None:
        """Print a line and keep it in the log."""
        self.log.append(line)
        print(line, flush=True)
        (self.out / "log.txt").write_text("\n".join(self.log) + "\n", encoding="utf-8")

    def train(self, seconds: float, *, pretraining: bool) -> None:
        """Run every phase and write the model after each phase that changes it."""
        share = {name: seconds * part for name, part in PHASE_SHARES.items()}
        if pretraining:
            self._pretrain(share["pretraining"])
        else:
            share["together"] += share["pretraining"]
        torch.save(self.start.encoder.state_dict(), self.work / PRETRAINED_FILE)
        rows = self.pack.text_indices(TRAIN)
        model = copy.deepcopy(self.start)
        self._fit(model, rows, share["together"], self.seed, peak=(1.0, 0.75), name="together")
        self._write_model(model, "trained together")
        branches = []
        for number, name in enumerate(("first", "second")):
            branch = copy.deepcopy(model)
            self._fit(
                branch, rows, share[name], self.seed + 1 + number, peak=(0.75, 0.0), name=name
            )
            self.log_line(f"{name}: {self._describe_scores(branch)}")
            branches.append(branch)
        mean_model = average_models(branches)
        self._write_model(mean_model, "the mean of two seeds")
        student = copy.deepcopy(mean_model)
        all_rows = torch.cat([rows, self.pack.text_indices(UNLABELLED)])
        teacher_models = [teacher.eval() for teacher in (*branches, mean_model)]
        self._fit(
            student,
            all_rows,
            share["distilling"],
            self.seed + 9,
            peak=(0.4, 0.0),
            name="distilling",
            teachers=teacher_models,
        )
        self._write_model(student, "distilled from both seeds and their mean")

    def train_fold(self, fold: int, count: int, seconds: float) -> None:
        """Train without one part of the sets, and keep the posteriors of that part."""
        left_out_groups = set(self._left_out_groups()[fold::count])
        held_out_sets = [
            number
            for number, dataset in enumerate(self.pack.sets)
            if dataset["group"] in left_out_groups
        ]
        trained_sets = [
            number
            for number, dataset in enumerate(self.pack.sets)
            if dataset["group"] not in left_out_groups
        ]
        model = copy.deepcopy(self.start)
        rows = self.pack.text_indices(TRAIN, trained_sets)
        self._fit(model, rows, seconds, self.seed + 20 + fold, peak=(1.0, 0.0), name=f"fold {fold}")
        names = ", ".join(self.pack.sets[number]["name"] for number in held_out_sets)
        self.log_line(f"fold {fold}, left out: {names}")
        with self.autocast:
            self.posteriors |= held_out_posteriors(
                model.eval(), self.pack, trained_sets, held_out_sets, self.tokens
            )
        self.log_line(
            describe_dev_scores(model, self.pack, self.autocast, self.tokens, held_out_sets)
        )
        np.savez_compressed(self.out / "posteriors.npz", **self.posteriors)

    def _left_out_groups(self) -> list[str]:
        """List the groups of sets that may be left out, the largest first."""
        texts = torch.bincount(
            self.pack.set[self.pack.text_indices(TRAIN)].long(), minlength=len(self.pack.sets)
        )
        sizes: dict[str, int] = {}
        for dataset, count in zip(self.pack.sets, texts.tolist(), strict=True):
            if dataset["name"] not in ("composed", "unlabelled", "pool"):
                sizes[dataset["group"]] = sizes.get(dataset["group"], 0) + count
        return sorted(sizes, key=lambda group: (-sizes[group], group))

    def _describe_scores(self, model: MultiTaskModel) -> str:
        return describe_dev_scores(model, self.pack, self.autocast, self.tokens)

    def _write_model(self, model: MultiTaskModel, description: str) -> None:
        """Fit the embedding, log the dev scores and write the model in parts."""
        self._fit_embedding(model)
        self.log_line(f"{description}: {self._describe_scores(model)}")
        saved_model = copy.deepcopy(model).float().cpu().eval()
        folder = self.work / "model"
        save_checkpoint(
            saved_model,
            ModelCalibration(),
            name=MODEL_NAME,
            tokenizer=self.folder / "tokenizer.json",
            folder=folder,
            training_summary=f"{description}; seed {self.seed}",
        )
        weight_bytes = (folder / WEIGHTS_FILE).read_bytes()
        for start_offset in range(0, len(weight_bytes), PART_BYTES):
            (self.out / f"{WEIGHTS_FILE}.{start_offset // PART_BYTES}").write_bytes(
                weight_bytes[start_offset : start_offset + PART_BYTES]
            )
        (self.out / "config.json").write_bytes((folder / "config.json").read_bytes())

    def _pretrain(self, seconds: float) -> None:
        """Continue masked-language pretraining over every text, with frozen word embeddings."""
        encoder = self.start.encoder
        head = MaskedHead(encoder).to(self.device)
        parameters = [weight for weight in encoder.parameters() if weight.requires_grad]
        optimizer = torch.optim.AdamW(
            [*parameters, *head.parameters()],
            lr=PRETRAINING_RATE,
            weight_decay=0.01,
            betas=(0.9, 0.98),
            fused=True,
        )
        rows = torch.cat([self.pack.text_indices(part) for part in (TRAIN, UNLABELLED)])
        phase = PhaseClock(seconds, self.max_batches)
        losses: list[Tensor] = []
        encoder.train()
        for ids, mask in self._batches(
            rows, self.seed, phase, 2 * self.tokens, self.pack.token_ids
        ):
            for group in optimizer.param_groups:
                group["lr"] = PRETRAINING_RATE * learning_rate_factor(
                    phase.completed_share, (1.0, 0.0), 0.06
                )
            hidden = mask & (ids > 3) & (torch.rand(ids.shape, device=self.device) < MASKED_SHARE)
            if not hidden.any():
                continue
            with self.autocast:
                loss = head(
                    encoder(mask_tokens(ids, hidden, encoder.config.vocabulary), mask)[hidden],
                    ids[hidden],
                )
            self._take_step(loss, optimizer, [*parameters, *head.parameters()])
            losses.append(loss.detach())
        last = torch.stack(losses[-100:]).mean() if losses else torch.tensor(float("nan"))
        self.log_line(
            f"pretraining: {phase.step:,} batches, loss {last:.3f} (mean of the last 100)"
        )

    def _batches(
        self,
        rows: Tensor,
        seed: int,
        phase: PhaseClock,
        tokens: int,
        make_batch: Callable[[Tensor], Any],
    ) -> Iterator[Any]:
        """Yield what ``make_batch`` returns for batches of all rows until the phase is over."""
        generator = torch.Generator().manual_seed(seed)
        while phase.completed_share < 1:
            for batch in map_in_threads(
                make_batch, self.pack.iter_batch_rows(rows, tokens, generator), BATCH_THREADS
            ):
                if phase.completed_share >= 1:
                    return
                yield self._move_to_device(batch)
                phase.step += 1

    def _move_to_device(self, batch: Any) -> Any:
        """Move a Batch, or ids with their mask, to the device."""
        if isinstance(batch, tuple):
            return tuple(tensor.to(self.device) for tensor in batch)
        return batch.to(self.device)

    def _fit(
        self,
        model: MultiTaskModel,
        rows: Tensor,
        seconds: float,
        seed: int,
        *,
        peak: tuple[float, float],
        name: str,
        teachers: Sequence[MultiTaskModel] = (),
    ) -> None:
        """Train a model in place; ``peak``: factors of the learning rate at start and end."""
        torch.manual_seed(seed)
        optimizer = torch.optim.AdamW(
            parameter_groups(model), weight_decay=0.01, betas=(0.9, 0.98), fused=True
        )
        parameters = [weight for weight in model.parameters() if weight.requires_grad]
        phase = PhaseClock(seconds, self.max_batches)
        model.train()
        warmup = 0.05 if peak[0] == 1.0 or teachers else 0.01
        total: Tensor | None = None
        for batch in self._batches(
            self._repeat_small_sets(rows), seed, phase, self.tokens, self.pack.make_batch
        ):
            factor = learning_rate_factor(phase.completed_share, peak, warmup)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * factor
            loss = (
                self._distillation_loss(model, batch, teachers)
                if teachers
                else self._label_loss(model, batch)
            )
            if phase.step % EMBEDDING_LOSS_INTERVAL == 0:
                loss = loss + self._embedding_loss(model, phase.step // EMBEDDING_LOSS_INTERVAL)
            self._take_step(loss, optimizer, parameters)
            total = loss.detach() if total is None else 0.99 * total + 0.01 * loss.detach()
        mean_loss = float(total or 0)
        self.log_line(
            f"{name}: {phase.step:,} batches of {self.tokens:,} tokens, loss {mean_loss:.3f}"
        )

    def _repeat_small_sets(self, rows: Tensor) -> Tensor:
        """Repeat the rows of small sets as often as their sources state."""
        counts = torch.tensor([int(dataset["repeat"]) for dataset in self.pack.sets])
        return torch.repeat_interleave(rows, counts[self.pack.set[rows].long()])

    def _label_loss(self, model: MultiTaskModel, batch: Batch) -> Tensor:
        losses = task_losses(model, batch, self.autocast, self.device)
        return torch.stack(list(losses.values())).sum()

    def _distillation_loss(
        self, model: MultiTaskModel, batch: Batch, teachers: Sequence[MultiTaskModel]
    ) -> Tensor:
        """Return the loss of both depths against labels and the teachers' mean probabilities."""
        inputs = (batch.ids, batch.mask, batch.target_rows)
        with torch.no_grad(), self.autocast:
            teacher_probabilities = mean_probabilities(
                [teacher(*inputs)[1] for teacher in teachers]
            )
        loss = (1 - TEACHER_WEIGHT) * self._label_loss(model, batch)
        with self.autocast:
            early, late = model(*inputs)
        return loss + TEACHER_WEIGHT * (
            teacher_loss(late, teacher_probabilities) + teacher_loss(early, teacher_probabilities)
        )

    def _embedding_loss(self, model: MultiTaskModel, step: int) -> Tensor:
        """Return the mean of 1 - cosine between embeddings and the pretrained encoder's vectors."""
        start_row = step * EMBEDDING_LOSS_TEXTS % max(len(self.pool) - EMBEDDING_LOSS_TEXTS, 1)
        rows = self.pool[start_row : start_row + EMBEDDING_LOSS_TEXTS]
        teacher_vectors = self._teacher_vectors(rows) - self.centre
        with self.autocast:
            embedding = model.embed(*self._move_to_device(self.pack.token_ids(rows))).float()
        return 1 - functional.cosine_similarity(embedding, teacher_vectors).mean()

    def _teacher_vectors(self, rows: Tensor) -> Tensor:
        """Return the mean-pooled vectors (n, hidden) of the pretrained encoder."""
        ids, mask = self._move_to_device(self.pack.token_ids(rows))
        with torch.no_grad(), self.autocast:
            return mean_pool(self.teacher(ids, mask), mask).float()

    def _fit_embedding(self, model: MultiTaskModel) -> None:
        """Fit the embedding head by ridge regression onto the pretrained encoder's vectors."""
        model.eval()
        states: list[Tensor] = []
        vectors: list[Tensor] = []
        for rows in self.pack.iter_batch_rows(self.pool, self.tokens, None):
            ids, mask = self._move_to_device(self.pack.token_ids(rows))
            with torch.no_grad(), self.autocast:
                states.append(mean_pool(model.encoder.forward_early(ids, mask), mask).float())
            vectors.append(self._teacher_vectors(rows) - self.centre)
        set_embedding_head(model, torch.cat(states), torch.cat(vectors))

    @staticmethod
    def _take_step(
        loss: Tensor, optimizer: torch.optim.Optimizer, parameters: Sequence[Tensor]
    ) -> None:
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


class MaskedHead(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """Predict masked tokens from hidden states, with the encoder's own word embeddings."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        hidden = encoder.config.hidden
        self.words = [encoder.words.weight]  # in a list: not a weight of its own
        self.mix = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.LayerNorm(hidden))
        self.bias = nn.Parameter(torch.zeros(encoder.config.vocabulary))

    def forward(self, states: Tensor, token_ids: Tensor) -> Tensor:
        """Return the loss of predicting the token ids (m,) from the states (m, hidden)."""
        logits = self.mix(states) @ self.words[0].T + self.bias
        return functional.cross_entropy(logits.float(), token_ids)


def mask_tokens(ids: Tensor, masked: Tensor, vocabulary: int) -> Tensor:
    """Mask tokens: eight of ten by the mask token, one by a random token, one left as it is."""
    draw = torch.rand(ids.shape, device=ids.device)
    mask_token = vocabulary - 1
    random_ids = torch.randint(4, vocabulary - 1, ids.shape, device=ids.device)
    with_masks = torch.where(masked & (draw < 0.8), mask_token, ids)
    return torch.where(masked & (draw >= 0.9), random_ids, with_masks)


def learning_rate_factor(completed_share: float, peak: tuple[float, float], warmup: float) -> float:
    """Return the factor of the learning rate: warm up to ``peak[0]``, then move to ``peak[1]``."""
    if completed_share < warmup:
        return peak[0] * completed_share / warmup
    return peak[0] + (peak[1] - peak[0]) * (completed_share - warmup) / (1 - warmup)


def parameter_groups(model: MultiTaskModel) -> list[dict[str, object]]:
    """Group the weights of a model by their peak learning rate."""
    layers = len(model.encoder.layers)
    groups: dict[float, list[Tensor]] = {}
    for name, weight in model.named_parameters():
        if not weight.requires_grad:
            continue
        part = name.split(".")
        if part[0] != "encoder":
            rate = HEAD_RATE
        else:
            above = layers - 1 - int(part[2]) if part[1] == "layers" else layers
            rate = ENCODER_RATE * LAYER_DECAY**above
        groups.setdefault(rate, []).append(weight)
    return [{"params": weights, "peak": rate, "lr": 0.0} for rate, weights in groups.items()]


def average_models(models: Sequence[MultiTaskModel]) -> MultiTaskModel:
    """Return a model whose weights are the means of those of ``models``.

    Wortsman et al. 2022, arXiv:2203.05482.
    """
    mean = copy.deepcopy(models[0])
    states = [model.state_dict() for model in models]
    with torch.no_grad():
        for name, weight in mean.state_dict().items():
            weight.copy_(torch.stack([state[name] for state in states]).mean(0))
    return mean


_SOFTMAX_HEADS = ("post", "target", "emotion", "polarity")
_SIGMOID_HEADS = ("intent", "spoken")


def mean_probabilities(outputs: Sequence[HeadOutputs]) -> dict[str, Tensor]:
    """Return the mean probabilities of several models, by head."""

    def mean_of_head(name: str, activation: Callable[[Tensor], Tensor]) -> Tensor:
        return torch.stack([activation(getattr(out, name).float()) for out in outputs]).mean(0)

    probabilities: dict[str, Tensor] = {}
    for name in _SOFTMAX_HEADS:
        probabilities[name] = mean_of_head(name, lambda logits: logits.softmax(-1))
    for name in _SIGMOID_HEADS:
        probabilities[name] = mean_of_head(name, torch.sigmoid)
    return probabilities


def teacher_loss(outputs: HeadOutputs, teacher_probabilities: dict[str, Tensor]) -> Tensor:
    """Return the cross-entropy of one depth against the teachers, heads weighted as in training."""
    post = functional.cross_entropy(outputs.post.float(), teacher_probabilities["post"])
    loss = post + 0.5 * functional.cross_entropy(
        outputs.emotion.float(), teacher_probabilities["emotion"]
    )
    if len(teacher_probabilities["target"]):
        loss = loss + functional.cross_entropy(
            outputs.target.float(), teacher_probabilities["target"]
        )
    speaks = teacher_probabilities["spoken"][..., None]
    polarity = -(
        teacher_probabilities["polarity"] * outputs.polarity.float().log_softmax(-1) * speaks
    ).sum() / speaks.sum().clamp(min=1)
    loss = loss + 0.5 * polarity
    for name, weight in (("intent", 0.3), ("spoken", 0.5)):
        loss = loss + weight * functional.binary_cross_entropy_with_logits(
            getattr(outputs, name).float(), teacher_probabilities[name]
        )
    return loss


if __name__ == "__main__":
    main()
