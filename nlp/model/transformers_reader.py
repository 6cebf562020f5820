"""A reader for any sequence-classification model of transformers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from folate.core.errors import ConfigError
from nlp.model.heads import mean_pool
from nlp.model.reader import (
    FALLBACK_PROBABILITIES,
    SentimentProbabilities,
    TargetSpans,
    TextPrediction,
)
from nlp.model.windows import MAX_CHARACTERS_READ, sample_text_parts
from nlp.text.clauses import TextSpan, target_clauses
from nlp.text.language import is_readable, replace_surrogates

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEGATIVE, NEUTRAL, POSITIVE = range(3)
_LABEL_PATTERNS = (
    (NEGATIVE, re.compile(r"^(?:neg|bad|1 star|2 stars|负|消极|差评)", re.IGNORECASE)),
    (NEUTRAL, re.compile(r"^(?:neu|mixed|3 stars|中)", re.IGNORECASE)),
    (POSITIVE, re.compile(r"^(?:pos|good|4 stars|5 stars|正|积极|好评)", re.IGNORECASE)),
)
_BATCH_SIZE = 16
# Positions, for models whose config names none.
_DEFAULT_POSITIONS = 512
# Tokens of a window; the tokenizer may allow fewer.
_MAX_WINDOW_TOKENS = 510
# Positions that some models reserve.
_RESERVED_POSITIONS = 2
# Hexadecimal digits of a version.
_VERSION_LENGTH = 12


def label_polarities(labels: Mapping[int, str], model: str) -> list[int]:
    """Return the polarity of each label of a model, in the order of its ids, by its name.

    Raises ConfigError for an unknown name, or where negative or positive is missing.
    """
    names = [labels[index] for index in sorted(labels)]
    polarities = [_polarity_of_name(name) for name in names]
    if None in polarities or not {NEGATIVE, POSITIVE} <= set(polarities):
        listed_names = ", ".join(map(repr, names))
        raise ConfigError(
            f"[nlp] model {model!r} should have labels named negative, neutral and positive "
            f"(or 1 star to 5 stars), and has {listed_names}: "
            "rename them in the id2label of its config.json."
        )
    return [polarity for polarity in polarities if polarity is not None]


def _polarity_of_name(name: str) -> int | None:
    for polarity, pattern in _LABEL_PATTERNS:
        if pattern.match(name):
            return polarity
    return None


class TransformersReader:
    """A Reader for a folder or hub name of transformers.

    The prediction for a target is that of the clauses around it, the one for a long text the mean
    of its windows.
    """

    def __init__(self, model: str) -> None:
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(model)
            self.model = AutoModelForSequenceClassification.from_pretrained(
                model, output_hidden_states=True
            ).eval()
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(
                "[nlp] model should be a folder or hub name of a sequence-classification model, "
                f"and {model!r} can't be loaded: {str(error).splitlines()[0]}"
            ) from error
        config = self.model.config
        architectures = map(str, config.architectures or ())
        if not any(name.endswith("ForSequenceClassification") for name in architectures):
            raise ConfigError(
                f"[nlp] model {model!r} should be a sequence-classification model, "
                f"and is {config.architectures}."
            )
        self.polarities = np.array(label_polarities(config.id2label, model))
        self.name = Path(model).name
        self.version = _digest_weights(self.model)
        positions = getattr(config, "max_position_embeddings", _DEFAULT_POSITIONS)
        self.window_tokens = min(
            positions - _RESERVED_POSITIONS,
            self.tokenizer.model_max_length,
            _MAX_WINDOW_TOKENS,
        )

    def read(
        self, texts: Sequence[str], targets: TargetSpans | None = None
    ) -> list[TextPrediction]:
        """Predict for each text and its targets; see ``nlp.model.reader.Reader``."""
        if targets is None:
            targets = [()] * len(texts)
        # For each text: the text itself, then the clauses of each of its targets.
        inputs = []
        for text, text_targets in zip(texts, targets, strict=True):
            inputs.append([text, *_texts_around_targets(text, text_targets)])
        unique_inputs = list(dict.fromkeys(chain.from_iterable(inputs)))
        predictions = self._predict_probabilities(unique_inputs)
        by_input = dict(zip(unique_inputs, predictions, strict=True))
        readings = []
        for text, text_inputs in zip(texts, inputs, strict=True):
            post, *target_predictions = [by_input[input_text] for input_text in text_inputs]
            share_read = self._share_read(text) if len(text) > MAX_CHARACTERS_READ else 1.0
            readings.append(TextPrediction(post, tuple(target_predictions), share_read=share_read))
        return readings

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts as unit vectors (n, hidden), mean-pooled from the last layer."""
        vectors: NDArray[np.float32] = np.zeros(
            (len(texts), self.model.config.hidden_size), np.float32
        )
        for text_index, text in enumerate(texts):
            for ids in self._sample_windows(text):
                with torch.inference_mode():
                    states = self.model(input_ids=torch.tensor([ids])).hidden_states[-1]
                vectors[text_index] += len(ids) * mean_pool(states, None)[0].float().numpy()
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors /= np.where(lengths > 0, lengths, 1)
        return vectors

    def _sample_windows(self, text: str) -> list[list[int]]:
        """Return the windows of a text to process: all, or a sample of a very long one."""
        windows = self._split_into_windows(text)
        return [windows[index] for index in sample_text_parts(len(windows), len(text))]

    def _share_read(self, text: str) -> float:
        count = len(self._split_into_windows(text))
        return len(sample_text_parts(count, len(text))) / max(count, 1)

    def _split_into_windows(self, text: str) -> list[list[int]]:
        windows: list[list[int]] = self.tokenizer(
            replace_surrogates(text),
            truncation=True,
            max_length=self.window_tokens,
            return_overflowing_tokens=True,
        )["input_ids"]
        return windows

    def _predict_probabilities(self, texts: Sequence[str]) -> list[SentimentProbabilities]:
        windows = []  # (index of the text, token ids)
        for text_index, text in enumerate(texts):
            if is_readable(text):
                windows += [(text_index, ids) for ids in self._sample_windows(text)]
        windows.sort(key=lambda window: len(window[1]))
        sums = np.zeros((len(texts), 3))
        for start in range(0, len(windows), _BATCH_SIZE):
            batch = windows[start : start + _BATCH_SIZE]
            inputs = self.tokenizer.pad(
                {"input_ids": [ids for _, ids in batch]}, return_tensors="pt"
            )
            with torch.inference_mode():
                probabilities = self.model(**inputs).logits.float().softmax(-1).numpy()
            for (text_index, ids), row in zip(batch, probabilities, strict=True):
                by_polarity = np.bincount(self.polarities, weights=row, minlength=3)
                sums[text_index] += len(ids) * by_polarity
        return [_normalize_sums(row) for row in sums]


def _normalize_sums(sums: NDArray[np.float64]) -> SentimentProbabilities:
    if not sums.any():
        return FALLBACK_PROBABILITIES
    return SentimentProbabilities(*(sums / sums.sum()).tolist())


def _texts_around_targets(text: str, targets: Sequence[Sequence[TextSpan]]) -> list[str]:
    """Return the text of the clauses of each target, or the whole text without a clause.

    Of a very long text a sample of the clauses is taken.
    """
    texts = []
    for clauses in target_clauses(text, targets):
        chosen = [clauses[index] for index in sample_text_parts(len(clauses), len(text))]
        texts.append(" ".join(text[start:end] for start, end in chosen) or text)
    return texts


def _digest_weights(model: torch.nn.Module) -> str:
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        digest.update(name.encode())
        if weight.dim():
            weight = weight.contiguous().view(torch.uint8)
        digest.update(weight.numpy().tobytes())
    return digest.hexdigest()[:_VERSION_LENGTH]
