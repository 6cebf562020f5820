"""A whole training run: the sets, the model over the pretrained encoder, the encoder itself as the teacher of the embedding, the loop."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoConfig

from nlp.model.encoder import Encoder, EncoderConfig, encoder_from_bert
from nlp.model.heads import MultiTaskModel
from training.distil import EmbeddingTeacher, fit_embedding_head, sample_embedding_texts
from training.sets.clean import drop_contradicted_labels
from training.sets.composed import compose_brand_samples
from training.sets.manifest import DatasetSplit, text_digest
from training.sets.sentences import compose_task_samples
from training.train import TrainingProgress, TrainingSettings, run_training_loop

BRAND_SAMPLE_COUNT, TASK_SAMPLE_COUNT = (
    4_000,
    6_000,
)  # made here: of two brands; of aspects, intents and emotions
EMBEDDING_FIT_TEXTS = 24_000  # texts, the last that the steps came to


def train_model(
    splits: list[DatasetSplit],
    data: Path,
    encoder: Path,
    work: Path,
    settings: TrainingSettings,
    layers: list[int] | None = None,
    averaged_checkpoints: Sequence[Path] = (),
) -> tuple[MultiTaskModel, TrainingProgress]:
    """Trains from the sets ``found`` under ``data`` and all or some layers of the transformers folder ``encoder``; the model comes back on
    the CPU. ``others``: checkpoints of finished runs, whose weights and its own are averaged before the embedding is fitted.
    """
    torch.manual_seed(settings.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    splits = _learnt(splits, work)
    model = MultiTaskModel(load_bert_encoder(encoder, layers)).to(device)
    model.encoder.words.requires_grad_(
        False
    )  # as it is it also knows the words that training never shows
    pool = sample_embedding_texts(
        data, tokenizer, [sample for split in splits for sample in split.train], settings.seed
    )
    autocast = torch.autocast(
        device.type, torch.bfloat16, enabled=device.type == "cuda" or bfloat16_is_faster(model)
    )
    print(
        f"training on {device.type}, bfloat16 {'on' if autocast._enabled else 'off'}",
        file=sys.stderr,
        flush=True,
    )
    teacher = EmbeddingTeacher(load_bert_encoder(encoder).to(device), tokenizer, pool, autocast)
    made = [
        *compose_brand_samples(BRAND_SAMPLE_COUNT, settings.seed),
        *compose_task_samples(TASK_SAMPLE_COUNT, settings.seed),
    ]
    state = run_training_loop(model, teacher, tokenizer, splits, made, settings, work)
    average_with_checkpoints(model, averaged_checkpoints)
    fit_embedding_head(model, teacher, pool[-EMBEDDING_FIT_TEXTS:])
    return model.cpu().eval(), state


def average_with_checkpoints(model: MultiTaskModel, checkpoints: Sequence[Path]) -> None:
    """Sets the weights of ``model`` to the mean of its own and those of some checkpoints: runs from the same start err each in its own way,
    and their mean often less than each (Wortsman et al. 2022, arXiv:2203.05482).
    """
    states = [
        torch.load(path, weights_only=True, map_location="cpu")["model"] for path in checkpoints
    ]
    its = model.state_dict()
    with torch.no_grad():
        for name, weight in its.items():
            weight.copy_(torch.stack([weight.cpu(), *(state[name] for state in states)]).mean(0))


def _learnt(found: list[DatasetSplit], work: Path) -> list[DatasetSplit]:
    """The sets as they are learnt, told on stderr; whose labels are doubted is kept, so that a resumed run learns from the same texts."""
    kept = work / "doubted.json"
    known = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    made = [drop_contradicted_labels(split, known.get(split.source.name)) for split in found]
    digests = [
        [{text_digest(its.text) for its in split.train} for split in pair]
        for pair in zip(found, made, strict=True)
    ]
    doubted = {
        split.source.name: sorted(before - after)
        for split, (before, after) in zip(found, digests, strict=True)
    }
    work.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(doubted, indent=0), encoding="utf-8")
    for split in made:
        told = ", ".join(
            f"{count:,} {reason}" for reason, count in split.dropped_counts.items() if count
        )
        print(
            f"{split.source.name}: {len(split.train):,} to learn from; dropped: {told or 'none'}",
            file=sys.stderr,
            flush=True,
        )
    return made


def load_bert_encoder(folder: Path, layers: list[int] | None = None) -> Encoder:
    """The encoder of a transformers folder, whole or with some of its layers."""
    about = AutoConfig.from_pretrained(folder, local_files_only=True)
    kept = list(range(about.num_hidden_layers)) if layers is None else layers
    config = EncoderConfig(
        about.vocab_size, about.hidden_size, len(kept), about.num_attention_heads, about.intermediate_size,
        about.max_position_embeddings, about.layer_norm_eps,
    )  # fmt: skip
    return encoder_from_bert(load_file(folder / "model.safetensors"), config, kept)


def bfloat16_is_faster(model: MultiTaskModel) -> bool:
    """Whether a training step is faster in bfloat16 on this CPU; without units for it (1: a hundred times slower) it is not even tried."""
    if not torch.cpu.get_capabilities().get("avx512_bf16"):
        return False
    ids = torch.arange(5, 5 + 16 * 48).view(16, 48) % model.encoder.config.vocabulary
    seconds = {}
    for enabled in (True, False, True, False):  # the first of each warms up
        began = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            loss: Tensor = model.train()(ids, None)[1].post.float().sum()
        loss.backward()
        seconds[enabled] = time.perf_counter() - began
        model.zero_grad()
    return seconds[True] < seconds[False]
