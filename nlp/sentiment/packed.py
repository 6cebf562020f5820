"""The model folder that ships: one safetensors file of an int8 word table and half-precision weights, tokenizer.json, config.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from folate.errors import ConfigError
from nlp.encoder import Encoder, EncoderConfig
from nlp.sentiment.about import CONFIG, KIND, describe
from nlp.sentiment.heads import Model
from nlp.sentiment.labels import ASPECTS, EMOTIONS, INTENTS
from nlp.sentiment.reading import BALANCED

WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"
_TABLE = "encoder.words"
_LABELS = {"aspects": list(ASPECTS), "emotions": list(EMOTIONS), "intents": list(INTENTS)}


@dataclass(frozen=True)
class Calibration:
    """By language, the temperatures that logits are divided by before the softmax (Guo et al. 2017, arXiv:1706.04599).

    Logits of an aspect's being spoken of have a scale and a shift (Platt 1999) instead; intents have nothing, for want of an annotated set
    to fit on. ``prior``: the
    prevalences of negative, neutral and positive that those of brands were fitted under, from which a quantifier corrects.
    """

    post: Mapping[str, float] = field(default_factory=lambda: {"zh": 1.0, "en": 1.0})
    target: Mapping[str, float] = field(default_factory=lambda: {"zh": 1.0, "en": 1.0})
    emotion: Mapping[str, float] = field(default_factory=lambda: {"zh": 1.0, "en": 1.0})
    polarity: Mapping[str, float] = field(default_factory=lambda: {"zh": 1.0, "en": 1.0})
    spoken: Mapping[str, Sequence[float]] = field(default_factory=lambda: {"zh": (1.0, 0.0), "en": (1.0, 0.0)})
    prior: tuple[float, ...] = BALANCED


def save(model: Model, calibration: Calibration, name: str, tokenizer: Path, folder: Path) -> None:
    """Writes a model folder. Each row of the word table keeps the int8 that its largest value scales to."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {key: value.detach().half().contiguous() for key, value in model.state_dict().items()}
    table = weights.pop(f"{_TABLE}.weight").float()
    scale = (table.abs().amax(1) / 127).clamp(min=1e-8).half()
    weights |= {f"{_TABLE}.int8": (table / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8), f"{_TABLE}.scale": scale}
    save_file(weights, folder / WEIGHTS)
    about = {"model_type": KIND, "name": name, "encoder": asdict(model.encoder.config), "calibration": asdict(calibration)}
    about["labels"] = _LABELS
    (folder / CONFIG).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    (folder / TOKENIZER).write_bytes(tokenizer.read_bytes())


def load(folder: Path) -> tuple[Model, Calibration]:
    """The model of a folder that ``save`` wrote, in fp32 and evaluation mode. Raises ConfigError where it judges by other labels."""
    about = describe(folder)
    if about["labels"] != _LABELS:
        raise ConfigError(f"{folder / CONFIG} should have the labels {_LABELS}, and has {about['labels']}: train the model again.")
    with torch.device("meta"):  # no memory, no time spent on random values that are replaced at once
        model = Model(Encoder(EncoderConfig(**about["encoder"])))
    stored = load_file(folder / WEIGHTS)
    table = stored.pop(f"{_TABLE}.int8").float() * stored.pop(f"{_TABLE}.scale").float()[:, None]
    weights: dict[str, Tensor] = {key: value.float() for key, value in stored.items()} | {f"{_TABLE}.weight": table}
    model.load_state_dict(weights, assign=True)
    return model.eval().requires_grad_(False), Calibration(**about["calibration"])


def version(folder: Path) -> str:
    """Twelve hex digits of the SHA-256 of everything that decides what a model answers."""
    digest = hashlib.sha256()
    for file in (WEIGHTS, CONFIG, TOKENIZER):
        digest.update((folder / file).read_bytes())
    return digest.hexdigest()[:12]
