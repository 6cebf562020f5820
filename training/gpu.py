"""Train Folate's model on one GPU in minutes: ``python -m training.gpu --data PACK --out DIR --budget 540``.

From the pretrained encoder: continued masked-language pretraining on all texts; multi-task training of all
layers, first together and then twice with other seeds; the mean of the two; distillation of what all three say
together into both depths of the mean. The budget (seconds) is kept: learning rates follow the clock, and after
each phase the model is written, in 8-bit integers and in parts of at most 15 MiB, so that a run that is cut off
leaves the model of its last phase. With ``--folds`` whole groups of sets are then left out in turn, and
what a model says of sets that it never saw is written for the quantifier (`training.quantify`).

Needs torch, transformers (its tokenizers), numpy and safetensors; ``python -m training.pack`` makes the pack. Without
a GPU the same runs on the CPU, some hundred times slower: ``--batches`` stops each phase early for a rehearsal.
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
"""Peak learning rates of the last layer and of the heads; the part of it that each layer below has."""

PRETRAINING_RATE = 4e-4
MASKED_SHARE = 0.15
"""Share of tokens that pretraining hides (Devlin et al. 2019)."""

TEACHER_WEIGHT = 0.7
"""Weight of what the teachers say in distilling, beside the labels."""

EMBEDDING_LOSS_INTERVAL, EMBEDDING_LOSS_TEXTS = 8, 256
"""Steps between those that also draw the embedding to the encoder's own, and texts of such a step."""

PRETRAINED_FILE = "pretrained.pt"

BATCH_THREADS = 4
"""Threads that make batches."""

MIN_FULL_RUN_BATCHES = 1_000
"""Batches of a phase under which a run is a rehearsal: it measures and fits on few texts."""


@dataclass
class PhaseClock:
    """The clock of one phase: how much of it is done, by time or by batches."""

    seconds: float
    batches: int
    began: float = 0.0
    step: int = 0

    def __post_init__(self) -> None:
        self.began = time.monotonic()

    @property
    def completed_share(self) -> float:
        """Part of the phase that is over, 0 to 1."""
        return min(
            1.0, max((time.monotonic() - self.began) / self.seconds, self.step / self.batches)
        )


def main() -> None:
    """Train, write the model and say how good it is."""
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
        options.data, options.out, work, device, tokens, options.batches, options.seed
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
    """One run: the pack, the models, the log."""

    def __init__(
        self,
        pack: Path,
        out: Path,
        work: Path,
        device: torch.device,
        tokens: int,
        batches: int,
        seed: int,
    ) -> None:
        self.folder, self.out, self.work, self.device = pack, out, work, device
        self.tokens, self.most, self.seed = tokens, batches, seed
        self.log: list[str] = []
        self.autocast = torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")
        self.pack = TrainingPack(pack)
        if batches < MIN_FULL_RUN_BATCHES:
            for part in (DEV, POOL):
                self.pack.subsample_part(part, 20 * batches)
        self.source = unpack_encoder(pack, work / "encoder")
        self.teacher = load_bert_encoder(self.source).to(device).eval().requires_grad_(False)
        self.pool = self.pack.text_indices(POOL)
        self.centre = self._vectors(self.pool[:1024]).mean(0)
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
        """Run every phase; the model is written after each that makes one."""
        share = {name: seconds * part for name, part in PHASE_SHARES.items()}
        if pretraining:
            self._pretrain(share["pretraining"])
        else:
            share["together"] += share["pretraining"]
        torch.save(self.start.encoder.state_dict(), self.work / PRETRAINED_FILE)
        rows = self.pack.text_indices(TRAIN)
        model = copy.deepcopy(self.start)
        self._fit(model, rows, share["together"], self.seed, peak=(1.0, 0.75), name="together")
        self._finish(model, "trained together")
        branches = []
        for number, name in enumerate(("first", "second")):
            branch = copy.deepcopy(model)
            self._fit(
                branch, rows, share[name], self.seed + 1 + number, peak=(0.75, 0.0), name=name
            )
            self.log_line(f"{name}: {self._measured(branch)}")
            branches.append(branch)
        mean = average_models(branches)
        self._finish(mean, "the mean of two seeds")
        student = copy.deepcopy(mean)
        everything = torch.cat([rows, self.pack.text_indices(UNLABELLED)])
        teachers = [each.eval() for each in (*branches, mean)]
        self._fit(
            student,
            everything,
            share["distilling"],
            self.seed + 9,
            peak=(0.4, 0.0),
            name="distilling",
            teachers=teachers,
        )
        self._finish(student, "distilled from both seeds and their mean")

    def train_fold(self, number: int, count: int, seconds: float) -> None:
        """Train without one part of the sets, and keep what the model says of those."""
        out = set(self._groups()[number::count])
        unseen = [at for at, each in enumerate(self.pack.sets) if each["group"] in out]
        seen = [at for at, each in enumerate(self.pack.sets) if each["group"] not in out]
        model = copy.deepcopy(self.start)
        rows = self.pack.text_indices(TRAIN, seen)
        self._fit(
            model, rows, seconds, self.seed + 20 + number, peak=(1.0, 0.0), name=f"fold {number}"
        )
        names = ", ".join(self.pack.sets[at]["name"] for at in unseen)
        self.log_line(f"fold {number}, left out: {names}")
        with self.autocast:
            self.posteriors |= held_out_posteriors(
                model.eval(), self.pack, seen, unseen, self.tokens
            )
        self.log_line(describe_dev_scores(model, self.pack, self.autocast, self.tokens, unseen))
        np.savez_compressed(self.out / "posteriors.npz", **self.posteriors)

    def _groups(self) -> list[str]:
        """List the groups of sets that may be left out, the largest first."""
        texts = torch.bincount(
            self.pack.set[self.pack.text_indices(TRAIN)].long(), minlength=len(self.pack.sets)
        )
        sizes: dict[str, int] = {}
        for each, count in zip(self.pack.sets, texts.tolist(), strict=True):
            if each["name"] not in ("composed", "unlabelled", "pool"):
                sizes[each["group"]] = sizes.get(each["group"], 0) + count
        return sorted(sizes, key=lambda group: (-sizes[group], group))

    def _measured(self, model: MultiTaskModel) -> str:
        return describe_dev_scores(model, self.pack, self.autocast, self.tokens)

    def _finish(self, model: MultiTaskModel, what: str) -> None:
        """Fit the embedding, say how good the model is and write it."""
        self._fit_embedding(model)
        self.log_line(f"{what}: {self._measured(model)}")
        written = copy.deepcopy(model).float().cpu().eval()
        folder = self.work / "model"
        save_checkpoint(
            written,
            ModelCalibration(),
            name=MODEL_NAME,
            tokenizer=self.folder / "tokenizer.json",
            folder=folder,
            training_summary=f"{what}; seed {self.seed}",
        )
        data = (folder / WEIGHTS_FILE).read_bytes()
        for part in range(0, len(data), PART_BYTES):
            (self.out / f"{WEIGHTS_FILE}.{part // PART_BYTES}").write_bytes(
                data[part : part + PART_BYTES]
            )
        (self.out / "config.json").write_bytes((folder / "config.json").read_bytes())

    def _pretrain(self, seconds: float) -> None:
        """Go on with masked-language modelling over every text; the word embeddings stay as they are."""
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
        phase, losses = PhaseClock(seconds, self.most), []
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
            self._descend(loss, optimizer, [*parameters, *head.parameters()])
            losses.append(loss.detach())
        last = torch.stack(losses[-100:]).mean() if losses else torch.tensor(float("nan"))
        self.log_line(
            f"pretraining: {phase.step:,} batches, loss {last:.3f} (mean of the last 100)"
        )

    def _batches(
        self, rows: Tensor, seed: int, phase: PhaseClock, tokens: int, made: Callable[[Tensor], Any]
    ) -> Iterator[Any]:
        """Yield what ``made`` makes of batches of all rows, again and again until the phase is over."""
        generator = torch.Generator().manual_seed(seed)
        while phase.completed_share < 1:
            for batch in map_in_threads(
                made, self.pack.iter_batch_rows(rows, tokens, generator), BATCH_THREADS
            ):
                if phase.completed_share >= 1:
                    return
                yield self._moved(batch)
                phase.step += 1

    def _moved(self, batch: Any) -> Any:
        """Move a Batch, or ids with their mask, to the device."""
        if isinstance(batch, tuple):
            return tuple(part.to(self.device) for part in batch)
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
        """Train a model in place on some texts; ``peak``: parts of the learning rates at the start and the end."""
        torch.manual_seed(seed)
        optimizer = torch.optim.AdamW(
            parameter_groups(model), weight_decay=0.01, betas=(0.9, 0.98), fused=True
        )
        parameters = [weight for weight in model.parameters() if weight.requires_grad]
        phase = PhaseClock(seconds, self.most)
        model.train()
        warmup = 0.05 if peak[0] == 1.0 or teachers else 0.01
        total: Tensor | None = None
        for batch in self._batches(
            self._repeated(rows), seed, phase, self.tokens, self.pack.make_batch
        ):
            factor = learning_rate_factor(phase.completed_share, peak, warmup)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * factor
            loss = self._taught(model, batch, teachers) if teachers else self._loss(model, batch)
            if phase.step % EMBEDDING_LOSS_INTERVAL == 0:
                loss = loss + self._embedding_loss(model, phase.step // EMBEDDING_LOSS_INTERVAL)
            self._descend(loss, optimizer, parameters)
            total = loss.detach() if total is None else 0.99 * total + 0.01 * loss.detach()
        self.log_line(
            f"{name}: {phase.step:,} batches of {self.tokens:,} tokens, loss {float(total or 0):.3f}"
        )

    def _repeated(self, rows: Tensor) -> Tensor:
        """Repeat the rows of small sets as their sources say."""
        counts = torch.tensor([int(each["repeat"]) for each in self.pack.sets])
        return torch.repeat_interleave(rows, counts[self.pack.set[rows].long()])

    def _loss(self, model: MultiTaskModel, batch: Batch) -> Tensor:
        losses = task_losses(model, batch, self.autocast, self.device)
        return torch.stack(list(losses.values())).sum()

    def _taught(
        self, model: MultiTaskModel, batch: Batch, teachers: Sequence[MultiTaskModel]
    ) -> Tensor:
        """Loss of both depths against the labels and against what the teachers say together."""
        asked = (batch.ids, batch.mask, batch.target_rows)
        with torch.no_grad(), self.autocast:
            said = mean_probabilities([teacher(*asked)[1] for teacher in teachers])
        loss = (1 - TEACHER_WEIGHT) * self._loss(model, batch)
        with self.autocast:
            early, late = model(*asked)
        return loss + TEACHER_WEIGHT * (teacher_loss(late, said) + teacher_loss(early, said))

    def _embedding_loss(self, model: MultiTaskModel, step: int) -> Tensor:
        """Mean of 1 - cosine between the embeddings of some short texts and the encoder's own vectors."""
        first = step * EMBEDDING_LOSS_TEXTS % max(len(self.pool) - EMBEDDING_LOSS_TEXTS, 1)
        rows = self.pool[first : first + EMBEDDING_LOSS_TEXTS]
        wanted = self._vectors(rows) - self.centre
        with self.autocast:
            embedding = model.embed(*self._moved(self.pack.token_ids(rows))).float()
        return 1 - functional.cosine_similarity(embedding, wanted).mean()

    def _vectors(self, rows: Tensor) -> Tensor:
        """Give the mean-pooled vectors (n, hidden) of the encoder as it was."""
        ids, mask = self._moved(self.pack.token_ids(rows))
        with torch.no_grad(), self.autocast:
            return mean_pool(self.teacher(ids, mask), mask).float()

    def _fit_embedding(self, model: MultiTaskModel) -> None:
        """Set the embedding head to the ridge regression from pooled states to the encoder's own vectors."""
        model.eval()
        states, vectors = [], []
        for rows in self.pack.iter_batch_rows(self.pool, self.tokens, None):
            ids, mask = self._moved(self.pack.token_ids(rows))
            with torch.no_grad(), self.autocast:
                states.append(mean_pool(model.encoder.forward_early(ids, mask), mask).float())
            vectors.append(self._vectors(rows) - self.centre)
        set_embedding_head(model, torch.cat(states), torch.cat(vectors))

    @staticmethod
    def _descend(
        loss: Tensor, optimizer: torch.optim.Optimizer, parameters: Sequence[Tensor]
    ) -> None:
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


class MaskedHead(nn.Module):  # type: ignore[misc]  # torch is not type-checked here
    """Tell which token a state hides, by the encoder's own word embeddings."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        hidden = encoder.config.hidden
        self.words = [encoder.words.weight]  # in a list: not a weight of its own
        self.mix = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.LayerNorm(hidden))
        self.bias = nn.Parameter(torch.zeros(encoder.config.vocabulary))

    def forward(self, states: Tensor, wanted: Tensor) -> Tensor:
        """States (m, hidden) and the ids (m,) that they hide to the loss."""
        logits = self.mix(states) @ self.words[0].T + self.bias
        return functional.cross_entropy(logits.float(), wanted)


def mask_tokens(ids: Tensor, masked: Tensor, vocabulary: int) -> Tensor:
    """Hide tokens: eight of ten behind the mask, one of ten behind another word, one as it is."""
    draw = torch.rand(ids.shape, device=ids.device)
    mask_token = vocabulary - 1
    others = torch.randint(4, vocabulary - 1, ids.shape, device=ids.device)
    shown = torch.where(masked & (draw < 0.8), mask_token, ids)
    return torch.where(masked & (draw >= 0.9), others, shown)


def learning_rate_factor(completed_share: float, peak: tuple[float, float], warmup: float) -> float:
    """Give the part of the learning rate: up to the first of ``peak`` at first, then on a line to the second."""
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
    """Give the model whose weights are the means of those of ``models`` (Wortsman et al. 2022, arXiv:2203.05482)."""
    mean = copy.deepcopy(models[0])
    states = [model.state_dict() for model in models]
    with torch.no_grad():
        for name, weight in mean.state_dict().items():
            weight.copy_(torch.stack([state[name] for state in states]).mean(0))
    return mean


_CHOICES = ("post", "target", "emotion", "polarity")
_ANSWERS = ("intent", "spoken")


def mean_probabilities(outputs: Sequence[HeadOutputs]) -> dict[str, Tensor]:
    """Give the mean probabilities of some models, by head."""

    def mean(name: str, probability: Callable[[Tensor], Tensor]) -> Tensor:
        return torch.stack([probability(getattr(out, name).float()) for out in outputs]).mean(0)

    chances = {name: mean(name, lambda logits: logits.softmax(-1)) for name in _CHOICES}
    return chances | {name: mean(name, torch.sigmoid) for name in _ANSWERS}


def teacher_loss(outputs: HeadOutputs, teacher_probabilities: dict[str, Tensor]) -> Tensor:
    """Cross-entropy of one depth against the probabilities of the teachers, heads weighed as in training."""
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
