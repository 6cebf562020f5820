"""A reader over any sequence-classification model of transformers, in place of the model that ships."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
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
    is_readable,
    replace_surrogates,
)
from nlp.model.windows import MAX_CHARACTERS_READ, sample_text_parts
from nlp.text.clauses import TextSpan, target_clauses

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEGATIVE, NEUTRAL, POSITIVE = range(3)
_NAMES = (
    (NEGATIVE, re.compile(r"^(?:neg|bad|1 star|2 stars|负|消极|差评)", re.IGNORECASE)),
    (NEUTRAL, re.compile(r"^(?:neu|mixed|3 stars|中)", re.IGNORECASE)),
    (POSITIVE, re.compile(r"^(?:pos|good|4 stars|5 stars|正|积极|好评)", re.IGNORECASE)),
)
_BATCH = 16


def label_polarities(labels: Mapping[int, str], model: str) -> list[int]:
    """The polarity of each of a model's labels, by its name. Raises ConfigError where a name tells none, or a pole is missing."""
    found = [
        next((pole for pole, name in _NAMES if name.match(labels[index])), None)
        for index in sorted(labels)
    ]
    if None in found or not {NEGATIVE, POSITIVE} <= set(found):
        names = ", ".join(repr(labels[index]) for index in sorted(labels))
        raise ConfigError(
            f"[nlp] model {model!r} should have labels named negative, neutral and positive (or 1 star to 5 stars), and has {names}: "
            "rename them in the id2label of its config.json."
        )
    return [pole for pole in found if pole is not None]


class TransformersReader:
    """A Reader over a transformers folder or hub name. Targets are judged by the clauses around them; long texts by their windows."""

    def __init__(self, model: str) -> None:
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(model)
            self.model = AutoModelForSequenceClassification.from_pretrained(
                model, output_hidden_states=True
            ).eval()
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(
                f"[nlp] model should be a folder or hub name of a sequence-classification model, and {model!r} can't be loaded: "
                f"{str(error).splitlines()[0]}"
            ) from error
        if not any(
            str(kind).endswith("ForSequenceClassification")
            for kind in self.model.config.architectures or ()
        ):
            raise ConfigError(
                f"[nlp] model {model!r} should be a sequence-classification model, and is {self.model.config.architectures}."
            )
        self.poles = np.array(label_polarities(self.model.config.id2label, model))
        self.name = Path(model).name
        self.version = _digest(self.model)
        positions = getattr(self.model.config, "max_position_embeddings", 512)
        self.window = min(
            positions - 2, self.tokenizer.model_max_length, 510
        )  # some models keep two positions for themselves

    def read(
        self, texts: Sequence[str], targets: TargetSpans | None = None
    ) -> list[TextPrediction]:
        """One Reading a text; see ``nlp.model.reader.Reader``."""
        asked = targets if targets is not None else [()] * len(texts)
        pieces = [[text, *_around(text, its)] for text, its in zip(texts, asked, strict=True)]
        unique = list(dict.fromkeys(piece for its in pieces for piece in its))
        known = dict(zip(unique, self._probabilities(unique), strict=True))
        shares = [
            self._share_read(text) if len(text) > MAX_CHARACTERS_READ else 1.0 for text in texts
        ]
        return [
            TextPrediction(
                known[its[0]], tuple(known[piece] for piece in its[1:]), share_read=share
            )
            for its, share in zip(pieces, shares, strict=True)
        ]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, the model's hidden size), mean-pooled from its last layer."""
        made: NDArray[np.float32] = np.zeros(
            (len(texts), self.model.config.hidden_size), np.float32
        )
        for number, text in enumerate(texts):
            for ids in self._windows(text):
                with torch.inference_mode():
                    states = self.model(input_ids=torch.tensor([ids])).hidden_states[-1]
                made[number] += len(ids) * mean_pool(states, None)[0].float().numpy()
        lengths = np.linalg.norm(made, axis=1, keepdims=True)
        made /= np.where(lengths > 0, lengths, 1)
        return made

    def _windows(self, text: str) -> list[list[int]]:
        """The windows read of a text: all, or of a very long one some, evenly over it."""
        windows = self._all_windows(text)
        return [windows[chosen] for chosen in sample_text_parts(len(windows), len(text))]

    def _share_read(self, text: str) -> float:
        count = len(self._all_windows(text))
        return len(sample_text_parts(count, len(text))) / max(count, 1)

    def _all_windows(self, text: str) -> list[list[int]]:
        windows: list[list[int]] = self.tokenizer(
            replace_surrogates(text),
            truncation=True,
            max_length=self.window,
            return_overflowing_tokens=True,
        )["input_ids"]
        return windows

    def _probabilities(self, texts: Sequence[str]) -> list[SentimentProbabilities]:
        parts = [
            (number, ids)
            for number, text in enumerate(texts)
            if is_readable(text)
            for ids in self._windows(text)
        ]
        parts.sort(key=lambda part: len(part[1]))
        sums = np.zeros((len(texts), 3))
        for start in range(0, len(parts), _BATCH):
            batch = self.tokenizer.pad(
                {"input_ids": [ids for _, ids in parts[start : start + _BATCH]]},
                return_tensors="pt",
            )
            with torch.inference_mode():
                chances = self.model(**batch).logits.float().softmax(-1).numpy()
            for (number, ids), row in zip(parts[start : start + _BATCH], chances, strict=True):
                sums[number] += len(ids) * np.bincount(self.poles, weights=row, minlength=3)
        return [
            SentimentProbabilities(*(row / row.sum()).tolist())
            if row.any()
            else FALLBACK_PROBABILITIES
            for row in sums
        ]


def _around(text: str, targets: Sequence[Sequence[TextSpan]]) -> list[str]:
    """For each target the text of its clauses, of a very long text of some; the whole text where it has no place in it."""
    around = [
        [spans[chosen] for chosen in sample_text_parts(len(spans), len(text))]
        for spans in target_clauses(text, targets)
    ]
    return [" ".join(text[start:end] for start, end in spans) or text for spans in around]


def _digest(model: torch.nn.Module) -> str:
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(
            weight.contiguous().view(torch.uint8).numpy().tobytes()
            if weight.dim()
            else weight.numpy().tobytes()
        )
    return digest.hexdigest()[:12]
