"""A whole training run: the sets, the model, the teacher of its embedding and the loop."""

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

BRAND_SAMPLE_COUNT, TASK_SAMPLE_COUNT = 4_000, 6_000
"""Composed sentences: of two brands; of aspects, intents and emotions."""

EMBEDDING_FIT_TEXTS = 24_000
"""Texts that the embedding head is fitted on: the last of the pool."""


def train_model(
    splits: list[DatasetSplit],
    data: Path,
    encoder: Path,
    work: Path,
    settings: TrainingSettings,
    *,
    layers: list[int] | None = None,
    averaged_checkpoints: Sequence[Path] = (),
) -> tuple[MultiTaskModel, TrainingProgress]:
    """Train a model and return it on the CPU, with the progress of its training.

    ``encoder``: a transformers folder, of which ``layers`` are used (all by default).
    ``averaged_checkpoints``: finished runs whose weights are averaged with this one's before the
    embedding is fitted.
    """
    torch.manual_seed(settings.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))
    splits = _drop_and_describe(splits, work)
    model = MultiTaskModel(load_bert_encoder(encoder, layers)).to(device)
    # frozen: pretrained embeddings also cover the words that training never shows
    model.encoder.words.requires_grad_(False)
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
    composed = [
        *compose_brand_samples(BRAND_SAMPLE_COUNT, settings.seed),
        *compose_task_samples(TASK_SAMPLE_COUNT, settings.seed),
    ]
    progress = run_training_loop(
        model, teacher, tokenizer, splits, composed, settings=settings, work=work
    )
    average_with_checkpoints(model, averaged_checkpoints)
    fit_embedding_head(model, teacher, pool[-EMBEDDING_FIT_TEXTS:])
    return model.cpu().eval(), progress


def average_with_checkpoints(model: MultiTaskModel, checkpoints: Sequence[Path]) -> None:
    """Set the weights of ``model`` to the mean of its own and those of some checkpoints.

    Runs from the same start differ in their errors, and their mean often has fewer than each
    (Wortsman et al. 2022, arXiv:2203.05482).
    """
    states = [
        torch.load(path, weights_only=True, map_location="cpu")["model"] for path in checkpoints
    ]
    weights = model.state_dict()
    with torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(torch.stack([weight.cpu(), *(state[name] for state in states)]).mean(0))


def _drop_and_describe(splits: list[DatasetSplit], work: Path) -> list[DatasetSplit]:
    """Drop contradicted labels from the sets and describe the sets on stderr.

    The digests of contradicted texts are saved, so that a resumed run learns from the same texts.
    """
    digest_file = work / "doubted.json"
    known_digests = (
        json.loads(digest_file.read_text(encoding="utf-8")) if digest_file.is_file() else {}
    )
    cleaned = [
        drop_contradicted_labels(split, known_digests.get(split.source.name)) for split in splits
    ]
    contradicted_digests: dict[str, list[str]] = {}
    for before, after in zip(splits, cleaned, strict=True):
        digests = {text_digest(sample.text) for sample in before.train}
        digests -= {text_digest(sample.text) for sample in after.train}
        contradicted_digests[before.source.name] = sorted(digests)
    work.mkdir(parents=True, exist_ok=True)
    digest_file.write_text(json.dumps(contradicted_digests, indent=0), encoding="utf-8")
    for split in cleaned:
        dropped = ", ".join(
            f"{count:,} {reason}" for reason, count in split.dropped_counts.items() if count
        )
        print(
            f"{split.source.name}: {len(split.train):,} to learn from;"
            f" dropped: {dropped or 'none'}",
            file=sys.stderr,
            flush=True,
        )
    return cleaned


def load_bert_encoder(folder: Path, layers: list[int] | None = None) -> Encoder:
    """Load the encoder of a transformers folder, whole or with some of its layers."""
    bert_config = AutoConfig.from_pretrained(folder, local_files_only=True)
    layer_indices = list(range(bert_config.num_hidden_layers)) if layers is None else layers
    config = EncoderConfig(
        bert_config.vocab_size,
        bert_config.hidden_size,
        len(layer_indices),
        bert_config.num_attention_heads,
        bert_config.intermediate_size,
        bert_config.max_position_embeddings,
        bert_config.layer_norm_eps,
    )
    return encoder_from_bert(load_file(folder / "model.safetensors"), config, layer_indices)


def bfloat16_is_faster(model: MultiTaskModel) -> bool:
    """Return whether a training step is faster in bfloat16 on this CPU.

    It is not tried on a CPU without units for it, where it can be a hundred times slower.
    """
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
