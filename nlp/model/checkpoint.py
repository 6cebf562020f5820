"""The model folder that ships: one safetensors file of int8 matrices and half-precision vectors, tokenizer.json, config.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from folate.core.errors import ConfigError
from folate.core.labels import ASPECTS, EMOTIONS, INTENTS, SENTIMENT_LABELS, TARGET_LABELS
from nlp.model.encoder import Encoder, EncoderConfig
from nlp.model.folder import MODEL_CONFIG_FILE, MODEL_TYPE, read_model_config
from nlp.model.heads import HeadOutputs, MultiTaskModel
from nlp.model.quantized import (
    LINEAR_LAYERS,
    ActivationRange,
    ActivationRanges,
    observe_activation_ranges,
)
from nlp.model.reader import MODEL_LANGUAGES, UNIFORM_PRIOR

WEIGHTS_FILE, TOKENIZER_FILE = "model.safetensors", "tokenizer.json"
_BODY, _ROUNDED, _SCALE, _RANGES = "encoder.", ".int8", ".scale", "ranges."
_LABELS = {"aspects": list(ASPECTS), "emotions": list(EMOTIONS), "intents": list(INTENTS)}


def _each(value: object) -> Any:
    """The default of a field that holds the same for each language."""
    return field(default_factory=lambda: dict.fromkeys(MODEL_LANGUAGES, value))


@dataclass(frozen=True)
class DepthCalibration:
    """Of one depth, by language, the temperatures that logits are divided by before the softmax (Guo et al. 2017, arXiv:1706.04599).

    Logits of an aspect's being spoken of have a scale and a shift (Platt 1999) instead; intents have nothing, for want of an annotated set
    to fit on.
    """

    post: Mapping[str, float] = _each(1.0)
    target: Mapping[str, float] = _each(1.0)
    emotion: Mapping[str, float] = _each(1.0)
    polarity: Mapping[str, float] = _each(1.0)
    spoken: Mapping[str, Sequence[float]] = _each((1.0, 0.0))

    def calibrate(
        self, outputs: HeadOutputs, languages: Sequence[str], target_texts: Tensor
    ) -> HeadOutputs:
        """Divide the logits of a batch, so that their softmax or sigmoid gives calibrated probabilities.

        ``languages`` (n,) are those of its texts, ``rows`` (m,) says to which text each target belongs.
        """
        scale, shift = _by_text(self.spoken, languages).split(1, dim=1)
        return outputs._replace(
            post=outputs.post / _by_text(self.post, languages),
            target=outputs.target / _by_text(self.target, languages)[target_texts],
            emotion=outputs.emotion / _by_text(self.emotion, languages),
            spoken=scale * outputs.spoken + shift,
            polarity=outputs.polarity / _by_text(self.polarity, languages)[..., None],
        )


@dataclass(frozen=True)
class EarlyExitCalibration:
    """By language a factor and a shift for each logit, under which the early judgements that stand are on average as probable as the late
    depth would find them. One temperature for all is right on average over all, not over the sure ones.
    """

    post: Mapping[str, Sequence[float]] = _each((1.0, *[0.0] * len(SENTIMENT_LABELS)))
    target: Mapping[str, Sequence[float]] = _each((1.0, *[0.0] * len(TARGET_LABELS)))

    def calibrate(
        self, outputs: HeadOutputs, languages: Sequence[str], target_texts: Tensor
    ) -> HeadOutputs:
        """Correct calibrated early logits of a batch, as those that stand are; see ``Calibration.applied``."""
        post, target = (
            _by_text(self.post, languages),
            _by_text(self.target, languages)[target_texts],
        )
        return outputs._replace(
            post=post[:, :1] * outputs.post + post[:, 1:],
            target=target[:, :1] * outputs.target + target[:, 1:],
        )


def _by_text(parameters: Mapping[str, float | Sequence[float]], languages: Sequence[str]) -> Tensor:
    """Look up the parameters of each text by its language: (n, k)."""
    known = {language: torch.tensor(value).reshape(-1) for language, value in parameters.items()}
    return torch.stack([known[language] for language in languages])


@dataclass(frozen=True)
class ModelCalibration:
    """Of both depths. ``threshold``: by language, how probable an early judgement must be to stand. ``prior``: the prevalences of negative,
    neutral and positive that those of brands were fitted under, from which a quantifier corrects.
    """

    early: DepthCalibration = field(default_factory=DepthCalibration)
    late: DepthCalibration = field(default_factory=DepthCalibration)
    threshold: Mapping[str, float] = _each(1.0)
    standing: EarlyExitCalibration = field(default_factory=EarlyExitCalibration)
    prior: tuple[float, ...] = UNIFORM_PRIOR


def save_checkpoint(
    model: MultiTaskModel,
    calibration: ModelCalibration,
    name: str,
    tokenizer: Path,
    folder: Path,
    training_summary: str = "",
) -> None:
    """Writes a model folder: rows of the encoder's matrices in the int8 that their largest value scales to, heads in half precision.

    ``training``: how it was trained, for its card.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights: dict[str, Tensor] = {}
    for key, value in model.state_dict().items():
        weights |= (
            _int8(key, value.float())
            if key.startswith(_BODY) and value.dim() == 2
            else {key: value.half().contiguous()}
        )
    for index, layer in enumerate(
        observe_activation_ranges(
            model.encoder,
            _ordinary(Tokenizer.from_file(str(tokenizer)), model.encoder.config.positions),
        )
    ):
        weights |= {
            f"{_RANGES}{index}.{name}": torch.stack(its).half() for name, its in layer.items()
        }
    save_file(weights, folder / WEIGHTS_FILE)
    about = {
        "model_type": MODEL_TYPE,
        "name": name,
        "encoder": asdict(model.encoder.config),
        "calibration": asdict(calibration),
    }
    about |= {"labels": _LABELS, "training": training_summary}
    (folder / MODEL_CONFIG_FILE).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    (folder / TOKENIZER_FILE).write_bytes(tokenizer.read_bytes())


def _ordinary(tokenizer: Tokenizer, longest: int) -> Iterator[Tensor]:
    """Posts of our own, of all kinds, that show what ranges the encoder's values have: ids, (1, t) each, at most ``longest``."""
    posts = (
        (resources.files("nlp") / "data" / "ordinary_posts.txt")
        .read_text(encoding="utf-8")
        .splitlines()
    )
    yield from (torch.tensor([tokenizer.encode(post).ids[:longest]]) for post in posts)


def _int8(key: str, matrix: Tensor) -> dict[str, Tensor]:
    scale = (matrix.abs().amax(1) / 127).clamp(min=1e-7).half()
    return {
        key + _ROUNDED: (matrix / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8),
        key + _SCALE: scale,
    }


def load_checkpoint(folder: Path) -> tuple[MultiTaskModel, ModelCalibration, ActivationRanges]:
    """The model of a folder that ``save`` wrote, in fp32 and evaluation mode, and the ranges that integers are made by.

    Raises ConfigError where it judges by other labels.
    """
    about = read_model_config(folder)
    if about["labels"] != _LABELS:
        raise ConfigError(
            f"{folder / MODEL_CONFIG_FILE} should have the labels {_LABELS}, and has {about['labels']}: train the model again."
        )
    with torch.device(
        "meta"
    ):  # no memory, no time spent on random values that are replaced at once
        model = MultiTaskModel(Encoder(EncoderConfig(**about["encoder"])))
    stored = load_file(folder / WEIGHTS_FILE)
    ranges = [
        {
            name: ActivationRange(*stored.pop(f"{_RANGES}{index}.{name}").float())
            for name in LINEAR_LAYERS
        }
        for index in range(len(model.encoder.layers))
    ]
    rounded = [key.removesuffix(_ROUNDED) for key in stored if key.endswith(_ROUNDED)]
    matrices = {
        key: stored.pop(key + _ROUNDED).float() * stored.pop(key + _SCALE).float()[:, None]
        for key in rounded
    }
    model.load_state_dict(
        {key: value.float() for key, value in stored.items()} | matrices, assign=True
    )
    its = about["calibration"]
    parts = {"early": DepthCalibration, "late": DepthCalibration, "standing": EarlyExitCalibration}
    calibration = ModelCalibration(
        **its | {name: kind(**its[name]) for name, kind in parts.items()}
    )
    return model.eval().requires_grad_(False), calibration, ranges


def checkpoint_version(folder: Path) -> str:
    """Twelve hex digits of the SHA-256 of everything that decides what a model answers."""
    digest = hashlib.sha256()
    for file in (WEIGHTS_FILE, MODEL_CONFIG_FILE, TOKENIZER_FILE):
        digest.update((folder / file).read_bytes())
    return digest.hexdigest()[:12]
