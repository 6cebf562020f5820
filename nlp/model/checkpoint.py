"""Model folders: weights in one safetensors file, tokenizer.json and config.json.

Matrices of the encoder are int8 with a scale for each row, everything else is half precision.
"""

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
from nlp.model.reader import UNIFORM_PRIOR
from nlp.text.language import MODEL_LANGUAGES

WEIGHTS_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
# Prefixes and suffixes of the keys of the weights file.
_ENCODER_PREFIX = "encoder."
_INT8_SUFFIX = ".int8"
_SCALE_SUFFIX = ".scale"
_RANGES_PREFIX = "ranges."
_MAX_INT8 = 127
# Hexadecimal digits of a version.
_VERSION_LENGTH = 12
_LABELS = {"aspects": list(ASPECTS), "emotions": list(EMOTIONS), "intents": list(INTENTS)}


def _same_for_languages(value: object) -> Any:
    """Make a field whose default is `value` for each language."""
    return field(default_factory=lambda: dict.fromkeys(MODEL_LANGUAGES, value))


@dataclass(frozen=True)
class DepthCalibration:
    """Calibration of the heads of one depth, by language.

    Logits are divided by a temperature before the softmax (Guo et al. 2017, arXiv:1706.04599).
    Intents are not calibrated, for want of an annotated data set.
    """

    post: Mapping[str, float] = _same_for_languages(1.0)
    target: Mapping[str, float] = _same_for_languages(1.0)
    emotion: Mapping[str, float] = _same_for_languages(1.0)
    # Sentiment towards aspects.
    polarity: Mapping[str, float] = _same_for_languages(1.0)
    # Whether an aspect is mentioned: a scale and a bias of the logit (Platt 1999).
    spoken: Mapping[str, Sequence[float]] = _same_for_languages((1.0, 0.0))

    def calibrate(
        self, outputs: HeadOutputs, languages: Sequence[str], target_texts: Tensor
    ) -> HeadOutputs:
        """Scale the logits of a batch so that softmax or sigmoid give calibrated probabilities.

        ``languages`` (n,) are those of the texts, ``target_texts`` (m,) the index of the text of
        each target.
        """
        scale, bias = _parameters_by_text(self.spoken, languages).split(1, dim=1)
        target_temperatures = _parameters_by_text(self.target, languages)[target_texts]
        polarity_temperatures = _parameters_by_text(self.polarity, languages)[..., None]
        return outputs._replace(
            post=outputs.post / _parameters_by_text(self.post, languages),
            target=outputs.target / target_temperatures,
            emotion=outputs.emotion / _parameters_by_text(self.emotion, languages),
            spoken=scale * outputs.spoken + bias,
            polarity=outputs.polarity / polarity_temperatures,
        )


@dataclass(frozen=True)
class EarlyExitCalibration:
    """Per-language scale and biases for the logits of early exits.

    They are fitted so that the mean probability of the early predictions that are final equals the
    full model's. One temperature is right on average over all texts, not over the confident ones.
    """

    # The scale, then a bias for each label.
    post: Mapping[str, Sequence[float]] = _same_for_languages((1.0, *[0.0] * len(SENTIMENT_LABELS)))
    target: Mapping[str, Sequence[float]] = _same_for_languages((1.0, *[0.0] * len(TARGET_LABELS)))

    def calibrate(
        self, outputs: HeadOutputs, languages: Sequence[str], target_texts: Tensor
    ) -> HeadOutputs:
        """Correct calibrated early logits of a batch; see `DepthCalibration.calibrate`."""
        post = _parameters_by_text(self.post, languages)
        target = _parameters_by_text(self.target, languages)[target_texts]
        return outputs._replace(
            post=post[:, :1] * outputs.post + post[:, 1:],
            target=target[:, :1] * outputs.target + target[:, 1:],
        )


def _parameters_by_text(
    parameters: Mapping[str, float | Sequence[float]], languages: Sequence[str]
) -> Tensor:
    """Look up the parameters of each text by its language: (n, k)."""
    rows = {language: torch.tensor(value).reshape(-1) for language, value in parameters.items()}
    return torch.stack([rows[language] for language in languages])


@dataclass(frozen=True)
class ModelCalibration:
    """Calibration of a model, as config.json stores it."""

    early: DepthCalibration = field(default_factory=DepthCalibration)
    late: DepthCalibration = field(default_factory=DepthCalibration)
    # Probability of an early prediction, by language, from which it is final.
    threshold: Mapping[str, float] = _same_for_languages(1.0)
    # For early predictions that are final.
    standing: EarlyExitCalibration = field(default_factory=EarlyExitCalibration)
    # Prevalences of the labels under which the target head was calibrated: the quantifier corrects
    # from them.
    prior: tuple[float, ...] = UNIFORM_PRIOR


def save_checkpoint(
    model: MultiTaskModel,
    calibration: ModelCalibration,
    *,
    name: str,
    tokenizer: Path,
    folder: Path,
    training_summary: str = "",
) -> None:
    """Write a model folder.

    ``tokenizer`` is the path of tokenizer.json. ``training_summary`` says how the model was
    trained, for its card.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights: dict[str, Tensor] = {}
    for key, value in model.state_dict().items():
        if key.startswith(_ENCODER_PREFIX) and value.dim() == 2:
            weights |= _quantize_matrix(key, value.float())
        else:
            weights[key] = value.half().contiguous()
    sequences = _calibration_sequences(
        Tokenizer.from_file(str(tokenizer)), model.encoder.config.positions
    )
    for index, layer in enumerate(observe_activation_ranges(model.encoder, sequences)):
        for linear_name, activation_range in layer.items():
            key = f"{_RANGES_PREFIX}{index}.{linear_name}"
            weights[key] = torch.stack(activation_range).half()
    save_file(weights, folder / WEIGHTS_FILE)
    config = {
        "model_type": MODEL_TYPE,
        "name": name,
        "encoder": asdict(model.encoder.config),
        "calibration": asdict(calibration),
        "labels": _LABELS,
        "training": training_summary,
    }
    (folder / MODEL_CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / TOKENIZER_FILE).write_bytes(tokenizer.read_bytes())


def _calibration_sequences(tokenizer: Tokenizer, max_tokens: int) -> Iterator[Tensor]:
    """Yield the token ids (1, t) of posts of all kinds, on which activation ranges are observed."""
    path = resources.files("nlp") / "data" / "ordinary_posts.txt"
    for post in path.read_text(encoding="utf-8").splitlines():
        yield torch.tensor([tokenizer.encode(post).ids[:max_tokens]])


def _quantize_matrix(key: str, matrix: Tensor) -> dict[str, Tensor]:
    """Round a matrix to int8, each row scaled by its largest value."""
    scale = (matrix.abs().amax(1) / _MAX_INT8).clamp(min=1e-7).half()
    rounded = (matrix / scale.float()[:, None]).round().clamp(-_MAX_INT8, _MAX_INT8)
    return {key + _INT8_SUFFIX: rounded.to(torch.int8), key + _SCALE_SUFFIX: scale}


def load_checkpoint(folder: Path) -> tuple[MultiTaskModel, ModelCalibration, ActivationRanges]:
    """Load a folder that `save_checkpoint` wrote.

    Returns the model in fp32 and evaluation mode, its calibration, and the activation ranges for
    its quantization. Raises ConfigError where its labels are others.
    """
    config = read_model_config(folder)
    if config["labels"] != _LABELS:
        raise ConfigError(
            f"{folder / MODEL_CONFIG_FILE} should have the labels {_LABELS}, "
            f"and has {config['labels']}: train the model again."
        )
    with torch.device("meta"):  # spares random values that would be replaced at once
        model = MultiTaskModel(Encoder(EncoderConfig(**config["encoder"])))
    stored = load_file(folder / WEIGHTS_FILE)
    ranges = [_pop_ranges(stored, index) for index in range(len(model.encoder.layers))]
    model.load_state_dict(_dequantize_weights(stored), assign=True)
    return (
        model.eval().requires_grad_(False),
        _parse_calibration(config["calibration"]),
        ranges,
    )


def _pop_ranges(stored: dict[str, Tensor], layer_index: int) -> dict[str, ActivationRange]:
    """Remove the activation ranges of a layer from the stored tensors."""
    ranges = {}
    for name in LINEAR_LAYERS:
        ranges[name] = ActivationRange(*stored.pop(f"{_RANGES_PREFIX}{layer_index}.{name}").float())
    return ranges


def _dequantize_weights(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Convert the stored tensors of a state dict to fp32."""
    weights = {}
    for key, value in stored.items():
        if key.endswith(_INT8_SUFFIX):
            matrix_key = key.removesuffix(_INT8_SUFFIX)
            weights[matrix_key] = (
                value.float() * stored[matrix_key + _SCALE_SUFFIX].float()[:, None]
            )
        elif not key.endswith(_SCALE_SUFFIX):
            weights[key] = value.float()
    return weights


def _parse_calibration(table: Mapping[str, Any]) -> ModelCalibration:
    depths = {
        "early": DepthCalibration(**table["early"]),
        "late": DepthCalibration(**table["late"]),
        "standing": EarlyExitCalibration(**table["standing"]),
    }
    return ModelCalibration(**{**table, **depths})


def checkpoint_version(folder: Path) -> str:
    """Return twelve hexadecimal digits of the SHA-256 of weights, config and tokenizer."""
    digest = hashlib.sha256()
    for file in (WEIGHTS_FILE, MODEL_CONFIG_FILE, TOKENIZER_FILE):
        digest.update((folder / file).read_bytes())
    return digest.hexdigest()[:_VERSION_LENGTH]
