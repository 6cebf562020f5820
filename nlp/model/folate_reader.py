"""The reader of Folate's own models: one pass of the encoder over length buckets, for all heads.

Early exit: texts whose predictions are confident after half of the layers skip the rest.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import accumulate, chain, groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import torch
from tokenizers import Tokenizer

from folate.core.labels import EMOTIONS, INTENTS
from nlp.model.checkpoint import (
    TOKENIZER_FILE,
    EarlyExitCalibration,
    checkpoint_version,
    load_checkpoint,
)
from nlp.model.cpu import PRECISION_NAMES, fastest_dtype
from nlp.model.folder import read_model_config
from nlp.model.heads import HeadOutputs, TargetRows, build_target_rows, pad_sequences
from nlp.model.pooling import PooledLogits, sigmoid, softmax, softmax_rows
from nlp.model.quantized import quantize_encoder
from nlp.model.reader import (
    FALLBACK_PROBABILITIES,
    SentimentProbabilities,
    TargetSpans,
    TextPrediction,
)
from nlp.model.threads import map_in_threads
from nlp.model.windows import TokenWindow, length_buckets, split_into_windows
from nlp.text.clauses import TextSpan, target_clauses
from nlp.text.language import is_readable, model_language, replace_surrogates

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW_TOKENS = 128
"""Tokens of a window, as in training."""

# Probability from which early predictions are final; the calibration's with depth "enough".
_FIXED_THRESHOLDS = {"half": 0.0, "all": math.inf}
# Larger buckets don't fit the CPU cache.
_TOKENS_PER_BUCKET = 2048
# Bounds of the texts that are processed at once.
_MAX_TEXTS = 512
_MAX_CHARACTERS = 200_000
_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")
# The targets of one text, each the spans of its mentions.
_Targets = tuple[tuple[TextSpan, ...], ...]


class FolateReader:
    """A Reader for a model folder of Folate.

    ``dtype`` is the number format of the encoder's products: torch.float32, bfloat16 or int8, by
    default the fastest. The version includes it, since the three agree to within rounding only
    (docs/models.md). ``depth`` is ``half`` or ``all`` of the layers for every text, or ``enough``:
    all for texts whose early predictions are not confident.
    """

    def __init__(
        self, folder: Path, dtype: torch.dtype | None = None, *, depth: str = "enough"
    ) -> None:
        dtype = dtype or fastest_dtype()
        self.name: str = read_model_config(folder)["name"]
        self.version = f"{checkpoint_version(folder)}-{PRECISION_NAMES[dtype]}"
        if depth != "enough":
            self.version += f"-{depth}"
        self.model, self.calibration, ranges = load_checkpoint(folder)
        self.exit_thresholds = self.calibration.threshold
        self.early_exit_calibration = self.calibration.standing
        if depth in _FIXED_THRESHOLDS:
            self.exit_thresholds = dict.fromkeys(self.exit_thresholds, _FIXED_THRESHOLDS[depth])
            self.early_exit_calibration = EarlyExitCalibration()
        self.tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        if dtype == torch.int8:
            with torch.inference_mode():
                quantize_encoder(self.model.encoder, ranges)
        else:
            self.model.to(dtype)

    def read(
        self, texts: Sequence[str], targets: TargetSpans | None = None
    ) -> list[TextPrediction]:
        """Predict for each text and its targets; see ``nlp.model.reader.Reader``."""
        if targets is None:
            targets = [()] * len(texts)
        keys: list[tuple[str, _Targets]] = []
        for text, text_targets in zip(texts, targets, strict=True):
            keys.append((text, tuple(map(tuple, text_targets))))
        return _compute_once(keys, itemgetter(0), self._read_unique)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts as unit vectors (n, hidden); see ``nlp.model.reader.Reader``."""
        vectors = _compute_once(list(texts), str, self._embed_unique)
        if not vectors:
            return np.zeros((0, self.model.encoder.config.hidden), np.float32)
        return np.stack(vectors)

    def _read_unique(self, keys: Sequence[tuple[str, _Targets]]) -> list[TextPrediction]:
        readable_indices = [index for index, (text, _) in enumerate(keys) if is_readable(text)]
        predictions = [
            TextPrediction(FALLBACK_PROBABILITIES, (FALLBACK_PROBABILITIES,) * len(targets))
            for _, targets in keys
        ]
        texts = [replace_surrogates(keys[index][0]) for index in readable_indices]
        targets = [keys[index][1] for index in readable_indices]
        pooled = self.pool_logits(texts, targets)
        for index, text, logits in zip(readable_indices, texts, pooled, strict=True):
            predictions[index] = _prediction_from_logits(text, logits)
        return predictions

    def pool_logits(self, texts: Sequence[str], targets: Sequence[_Targets]) -> list[PooledLogits]:
        """Compute the calibrated logits of each text and of its targets, over its windows."""
        hidden = self.model.encoder.config.hidden
        pooled = [PooledLogits(len(text_targets), hidden) for text_targets in targets]
        for window, outputs, token_counts in self._predict_windows(texts, targets):
            pooled[window.text_index].add_window(window, outputs, token_counts)
        return pooled

    def _embed_unique(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Embed texts by the early layers alone, behind which the embedding is."""
        windows = split_into_windows(
            [replace_surrogates(text) for text in texts], self.tokenizer, WINDOW_TOKENS
        )
        sums = np.zeros((len(texts), self.model.encoder.config.hidden), np.float32)

        def embed_bucket(bucket: Sequence[int]) -> tuple[Sequence[int], NDArray[np.float32]]:
            ids, mask = pad_sequences([windows[index].ids for index in bucket])
            with torch.inference_mode():
                return bucket, self.model.embed(ids, mask).float().numpy()

        buckets = length_buckets(windows, _TOKENS_PER_BUCKET)
        for bucket, vectors in map_in_threads(embed_bucket, buckets):
            for index, vector in zip(bucket, vectors, strict=True):
                if len(windows[index].ids) > 2:
                    sums[windows[index].text_index] += windows[index].weight * vector
        return list(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12))

    def _predict_windows(
        self, texts: Sequence[str], targets: Sequence[_Targets]
    ) -> Iterator[_WindowOutputs]:
        windows = split_into_windows(texts, self.tokenizer, WINDOW_TOKENS, targets)
        targets = _drop_spans_outside_windows(targets, windows)
        clauses = list(map(target_clauses, texts, targets))
        languages = [model_language(text) for text in texts]

        def predict_bucket(bucket: Sequence[int]) -> list[_WindowOutputs]:
            bucket_windows = [windows[index] for index in bucket]
            text_indices = [window.text_index for window in bucket_windows]
            bucket_targets = [targets[index] for index in text_indices]
            rows = build_target_rows(
                [window.offsets for window in bucket_windows],
                bucket_targets,
                [clauses[index] for index in text_indices],
            )
            outputs, token_counts = self._predict_with_early_exit(
                bucket_windows, rows, [languages[index] for index in text_indices]
            )
            target_counts = list(map(len, bucket_targets))
            return list(
                map(
                    _WindowOutputs,
                    bucket_windows,
                    _split_outputs(outputs, target_counts),
                    _split_by_text(token_counts, target_counts),
                )
            )

        buckets = length_buckets(windows, _TOKENS_PER_BUCKET)
        return chain.from_iterable(map_in_threads(predict_bucket, buckets))

    def _predict_with_early_exit(
        self, windows: Sequence[TokenWindow], rows: TargetRows | None, languages: Sequence[str]
    ) -> tuple[HeadOutputs, NDArray[np.float32]]:
        """Predict for one bucket of windows.

        Returns their calibrated outputs, and the number of tokens of each target (m,). Predictions
        are those of the late depth where the early probability is below the threshold. The depth of
        the prediction for a text does not depend on its targets.
        """
        ids, mask = pad_sequences([window.ids for window in windows])
        with torch.inference_mode():
            if rows is None:
                target_texts = torch.zeros(0, dtype=torch.long)
                token_counts = np.zeros(0, np.float32)
            else:
                target_texts = rows.rows
                token_counts = (rows.mention > 0).sum(1).float().numpy()
            early, states = self.model.forward_early(ids, mask, rows)
            outputs = self.calibration.early.calibrate(_to_float32(early), languages, target_texts)
            thresholds = np.array([self.exit_thresholds[language] for language in languages])
            post_is_final = softmax_rows(outputs.post.numpy()).max(1) >= thresholds
            target_probability = _target_probability_rows(outputs.target.numpy()).max(1)
            target_is_final = (
                np.where(token_counts > 0, target_probability, 1.0) >= thresholds[target_texts]
            )
            outputs = self.early_exit_calibration.calibrate(outputs, languages, target_texts)
            text_is_final = post_is_final.copy()
            text_is_final[target_texts.numpy()[~target_is_final]] = False
            if text_is_final.all():
                return outputs, token_counts
            late_texts = torch.from_numpy(np.flatnonzero(~text_is_final))
            late_rows = None if rows is None else rows.select_texts(late_texts)
            late = self.model.forward_late(
                states[late_texts],
                None if mask is None else mask[late_texts],
                late_rows,
                early.embedding[late_texts],
            )
            late = self.calibration.late.calibrate(
                _to_float32(late),
                [languages[index] for index in late_texts],
                target_texts[:0] if late_rows is None else late_rows.rows,
            )
            replaced = torch.from_numpy(~post_is_final[~text_is_final])
            for name in set(HeadOutputs._fields) - {"target"}:
                getattr(outputs, name)[late_texts[replaced]] = getattr(late, name)[replaced]
            is_late_target = torch.isin(target_texts, late_texts).numpy()
            outputs.target[torch.from_numpy(is_late_target & ~target_is_final)] = late.target[
                torch.from_numpy(~target_is_final[is_late_target])
            ]
        return outputs, token_counts


class _WindowOutputs(NamedTuple):
    """A window, its outputs without the dimension of the batch, and the tokens of each target."""

    window: TokenWindow
    outputs: HeadOutputs
    target_token_counts: NDArray[np.float32]


def _prediction_from_logits(text: str, pooled: PooledLogits) -> TextPrediction:
    post = SentimentProbabilities(*softmax(pooled.mean_logits(pooled.post)))
    targets = []
    for index, token_count in enumerate(pooled.target_token_counts):
        if token_count:
            probabilities = target_probabilities(pooled.mean_target_logits(index))
            targets.append(SentimentProbabilities(*probabilities))
        else:
            # The page is about a target that the text does not name: the whole text is about it.
            targets.append(post)
    emotion = softmax(pooled.mean_logits(pooled.emotion))
    intent = sigmoid(pooled.intent).tolist()
    return TextPrediction(
        post=post,
        targets=tuple(targets),
        aspects=pooled.predicted_aspects(text),
        emotion=dict(zip(EMOTIONS, emotion, strict=True)),
        intent=dict(zip(INTENTS, intent, strict=True)),
        embedding=pooled.embedding(),
        share_read=pooled.share_read,
    )


def _drop_spans_outside_windows(
    targets: Sequence[_Targets], windows: Sequence[TokenWindow]
) -> list[_Targets]:
    """Remove the spans of targets that are in no window of the sample of a very long text."""
    remaining = list(targets)
    for text_index, group in groupby(windows, key=attrgetter("text_index")):
        text_windows = list(group)
        is_sample = text_windows[0].window_count > len(text_windows)
        if is_sample and targets[text_index]:
            remaining[text_index] = tuple(
                _spans_in_windows(spans, text_windows) for spans in targets[text_index]
            )
    return remaining


def _spans_in_windows(
    spans: Sequence[TextSpan], windows: Sequence[TokenWindow]
) -> tuple[TextSpan, ...]:
    """Select the spans that start in a window or, before the first, in the text ahead of it."""
    starts = [window.offsets[1][0] for window in windows]
    ends = [window.offsets[-2][1] for window in windows]
    selected = []
    for start, end in spans:
        window_index = max(bisect_right(starts, start) - 1, 0)
        if start < ends[window_index]:
            selected.append((start, end))
    return tuple(selected)


def target_probabilities(logits: NDArray[np.floating]) -> tuple[float, float, float]:
    """Compute the probabilities of a target's logits (4,); "not about it" counts as neutral."""
    negative, neutral, positive, not_about = softmax(logits)
    return negative, neutral + not_about, positive


def _target_probability_rows(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Compute `target_probabilities` (m, 3) for the logits (m, 4) of several targets."""
    negative, neutral, positive, not_about = softmax_rows(logits).T
    return np.stack([negative, neutral + not_about, positive], axis=1)


def _to_float32(outputs: HeadOutputs) -> HeadOutputs:
    return HeadOutputs(*(values.float() for values in outputs))


def _split_outputs(outputs: HeadOutputs, target_counts: Sequence[int]) -> list[HeadOutputs]:
    """Split the outputs of a batch by its texts, as arrays, given the targets of each."""
    arrays = HeadOutputs(*(values.numpy() for values in outputs))
    targets = _split_by_text(arrays.target, target_counts)
    return list(map(HeadOutputs, arrays.post, targets, *arrays[2:]))


def _split_by_text(
    values: NDArray[np.float32], target_counts: Sequence[int]
) -> list[NDArray[np.float32]]:
    """Split values of targets (m, ...) by the number of targets of each text."""
    ends = accumulate(target_counts)
    return [values[end - count : end] for end, count in zip(ends, target_counts, strict=True)]


def _compute_once(
    keys: Sequence[_Key],
    text_of_key: Callable[[_Key], str],
    compute: Callable[[Sequence[_Key]], list[_Value]],
) -> list[_Value]:
    """Compute a value for each key, once for equal keys, in chunks of bounded text length."""
    values: dict[_Key, _Value] = {}
    chunk: list[_Key] = []
    chunk_length = 0
    for key in dict.fromkeys(keys):
        length = len(text_of_key(key))
        if chunk and (len(chunk) == _MAX_TEXTS or chunk_length + length > _MAX_CHARACTERS):
            values.update(zip(chunk, compute(chunk), strict=True))
            chunk = []
            chunk_length = 0
        chunk.append(key)
        chunk_length += length
    if chunk:
        values.update(zip(chunk, compute(chunk), strict=True))
    return [values[key] for key in keys]
