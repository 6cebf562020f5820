"""The reader of Folate's own models: one pass of the encoder over length buckets, every head on its states.

What the first half of the layers is sure of stands; only the other texts go through the second half.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import accumulate, chain, groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

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
    is_readable,
    model_language,
    replace_surrogates,
)
from nlp.model.threads import map_in_threads
from nlp.model.windows import TokenWindow, length_buckets, split_into_windows
from nlp.text.clauses import TextSpan, target_clauses

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW_TOKENS = 128  # tokens; what training saw
_FIXED = {
    "half": 0.0,
    "all": math.inf,
}  # how probable an early judgement must be to stand; where it is enough, what was learnt
_TOKENS = 2048  # a bucket's: larger ones leave the cache
_TEXTS, _CHARACTERS = 512, 200_000  # in hand at once
_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")
_Spans = tuple[tuple[TextSpan, ...], ...]


class FolateReader:
    """A Reader over a model folder.

    ``dtype``: what the encoder multiplies in, torch.float32, bfloat16 or int8; by default the ``fastest``. The version names it, since the
    three agree to within rounding (docs/models.md), not to the last digit. ``depth``: ``half`` of the layers judge every text, or ``all``
    do, or ``enough``: all where half leave a doubt.
    """

    def __init__(
        self, folder: Path, dtype: torch.dtype | None = None, *, depth: str = "enough"
    ) -> None:
        dtype = dtype or fastest_dtype()
        about = read_model_config(folder)
        self.name: str = about["name"]
        self.version = f"{checkpoint_version(folder)}-{PRECISION_NAMES[dtype]}" + (
            "" if depth == "enough" else f"-{depth}"
        )
        self.model, self.calibration, ranges = load_checkpoint(folder)
        learnt = self.calibration.threshold
        self.exit_thresholds = dict.fromkeys(learnt, _FIXED[depth]) if depth in _FIXED else learnt
        self.early_exit_calibration = (
            EarlyExitCalibration() if depth in _FIXED else self.calibration.standing
        )
        self.tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
        if dtype == torch.int8:
            with torch.inference_mode():
                quantize_encoder(self.model.encoder, ranges)
        else:
            self.model.to(dtype)

    def read(
        self, texts: Sequence[str], targets: TargetSpans | None = None
    ) -> list[TextPrediction]:
        """One Reading a text; see ``nlp.model.reader.Reader``."""
        asked = targets if targets is not None else [()] * len(texts)
        keys = [
            (text, tuple(tuple(spans) for spans in its))
            for text, its in zip(texts, asked, strict=True)
        ]
        return _once(keys, itemgetter(0), self._read)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, hidden); see ``nlp.model.reader.Reader``."""
        vectors = _once(list(texts), str, self._embed)
        return (
            np.stack(vectors)
            if vectors
            else np.zeros((0, self.model.encoder.config.hidden), np.float32)
        )

    def _read(self, keys: Sequence[tuple[str, _Spans]]) -> list[TextPrediction]:
        found = [number for number, (text, _) in enumerate(keys) if is_readable(text)]
        readings = [
            TextPrediction(FALLBACK_PROBABILITIES, (FALLBACK_PROBABILITIES,) * len(spans))
            for _, spans in keys
        ]
        texts = [replace_surrogates(keys[number][0]) for number in found]
        asked = [keys[number][1] for number in found]
        for number, text, total in zip(found, texts, self.pool_logits(texts, asked), strict=True):
            readings[number] = self._reading(text, total)
        return readings

    def pool_logits(self, texts: Sequence[str], targets: Sequence[_Spans]) -> list[PooledLogits]:
        """The calibrated logits of each text and of its targets, over its windows."""
        totals = [PooledLogits(len(spans), self.model.encoder.config.hidden) for spans in targets]
        for part, out, seen in self._pass(texts, targets):
            totals[part.text_index].add_window(part, out, seen)
        return totals

    def _embed(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Embed by the early layers alone: where the early depth's embedding is from."""
        parts = split_into_windows(
            [replace_surrogates(text) for text in texts], self.tokenizer, WINDOW_TOKENS
        )
        sums = np.zeros((len(texts), self.model.encoder.config.hidden), np.float32)

        def embedded(bucket: Sequence[int]) -> tuple[Sequence[int], NDArray[np.float32]]:
            with torch.inference_mode():
                vectors = (
                    self.model.embed(*pad_sequences([parts[index].ids for index in bucket]))
                    .float()
                    .numpy()
                )
            return bucket, vectors

        for bucket, vectors in map_in_threads(embedded, length_buckets(parts, _TOKENS)):
            for index, vector in zip(bucket, vectors, strict=True):
                if len(parts[index].ids) > 2:
                    sums[parts[index].text_index] += parts[index].weight * vector
        return list(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12))

    def _pass(
        self, texts: Sequence[str], asked: Sequence[_Spans]
    ) -> Iterator[tuple[TokenWindow, HeadOutputs, NDArray[np.float32]]]:
        """Every window with its own outputs (post (3,), target (k, 4) and so on) and how many of its tokens each target touches (k,)."""
        parts = split_into_windows(texts, self.tokenizer, WINDOW_TOKENS, asked)
        asked = _read_of(asked, parts)
        around = [target_clauses(text, spans) for text, spans in zip(texts, asked, strict=True)]
        spoken = [model_language(text) for text in texts]

        def judged(
            bucket: Sequence[int],
        ) -> list[tuple[TokenWindow, HeadOutputs, NDArray[np.float32]]]:
            some = [parts[index] for index in bucket]
            targets = [asked[part.text_index] for part in some]
            rows = build_target_rows(
                [part.offsets for part in some], targets, [around[part.text_index] for part in some]
            )
            out, touched = self._judged(some, rows, [spoken[part.text_index] for part in some])
            sizes = [len(spans) for spans in targets]
            return list(zip(some, _apart(out, sizes), _split(touched, sizes), strict=True))

        return chain.from_iterable(map_in_threads(judged, length_buckets(parts, _TOKENS)))

    def _judged(
        self, some: Sequence[TokenWindow], rows: TargetRows | None, languages: Sequence[str]
    ) -> tuple[HeadOutputs, NDArray[np.float32]]:
        """Judge one bucket of windows: their calibrated outputs, and how many tokens each of their targets touches (m,).

        A judgement is of the late depth where the early one is not probable enough; the post's depth does not hang on
        what is asked beside.
        """
        ids, mask = pad_sequences([part.ids for part in some])
        with torch.inference_mode():
            owners = torch.zeros(0, dtype=torch.long) if rows is None else rows.rows
            touched = (
                np.zeros(0, np.float32)
                if rows is None
                else (rows.mention > 0).sum(1).float().numpy()
            )
            first, states = self.model.forward_early(ids, mask, rows)
            out = self.calibration.early.calibrate(_exact(first), languages, owners)
            needed = np.array([self.exit_thresholds[each] for each in languages])
            post_stands = softmax_rows(out.post.numpy()).max(1) >= needed
            target_stands = (
                np.where(touched > 0, _polarities(out.target.numpy()).max(1), 1.0) >= needed[owners]
            )
            out = self.early_exit_calibration.calibrate(out, languages, owners)
            stands = post_stands.copy()
            stands[owners.numpy()[~target_stands]] = False
            if stands.all():
                return out, touched
            deeper = torch.from_numpy(np.flatnonzero(~stands))  # texts of which a judgement is open
            rows = None if rows is None else rows.select_texts(deeper)
            late = self.model.forward_late(
                states[deeper],
                None if mask is None else mask[deeper],
                rows,
                first.embedding[deeper],
            )
            owners_left = owners[:0] if rows is None else rows.rows
            late = self.calibration.late.calibrate(
                _exact(late), [languages[index] for index in deeper], owners_left
            )
            asked = torch.isin(owners, deeper).numpy()
            _write_over(
                out,
                late,
                deeper,
                ~post_stands[~stands],
                asked & ~target_stands,
                ~target_stands[asked],
            )
        return out, touched

    def _reading(self, text: str, total: PooledLogits) -> TextPrediction:
        post = SentimentProbabilities(*softmax(total.mean_logits(total.post)))
        # a target without a place in the text: the page is about it, so what holds for the post holds for it
        judged = [
            SentimentProbabilities(*target_probabilities(total.mean_target_logits(position)))
            if seen
            else post
            for position, seen in enumerate(total.target_token_counts)
        ]
        emotion = dict(zip(EMOTIONS, softmax(total.mean_logits(total.emotion)), strict=True))
        intent = dict(zip(INTENTS, sigmoid(total.intent).tolist(), strict=True))
        return TextPrediction(
            post,
            tuple(judged),
            total.predicted_aspects(text),
            emotion,
            intent,
            total.embedding(),
            total.share_read,
        )


def _read_of(asked: Sequence[_Spans], parts: Sequence[TokenWindow]) -> list[_Spans]:
    """What is asked of each text, without the spans that stand in none of the windows read of it."""
    left = list(asked)
    for number, of_text in groupby(parts, key=attrgetter("text_index")):
        its = list(of_text)
        if its[0].window_count > len(its) and asked[number]:
            bounds = [(part.offsets[1][0], part.offsets[-2][1]) for part in its]
            firsts = [first for first, _ in bounds]
            left[number] = tuple(
                tuple(
                    (start, end)
                    for start, end in spans
                    if start < bounds[max(bisect_right(firsts, start) - 1, 0)][1]
                )
                for spans in asked[number]
            )
    return left


def target_probabilities(logits: NDArray[np.floating]) -> tuple[float, float, float]:
    """Probabilities of a target's logits (4,): a text that is not about it says nothing for or against it."""
    negative, neutral, positive, beside = softmax(logits)
    return negative, neutral + beside, positive


def _polarities(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probabilities (m, 3) of the logits (m, 4) of targets; see ``polarity``."""
    negative, neutral, positive, beside = softmax_rows(logits).T
    return np.stack([negative, neutral + beside, positive], axis=1)


def _exact(out: HeadOutputs) -> HeadOutputs:
    """The outputs in fp32."""
    return HeadOutputs(*(values.float() for values in out))


def _write_over(
    out: HeadOutputs,
    late: HeadOutputs,
    texts: Tensor,
    anew: NDArray[np.bool_],
    targets: NDArray[np.bool_],
    targets_anew: NDArray[np.bool_],
) -> None:
    """Write late judgements over early ones.

    ``late`` has the outputs of ``texts`` (k,) of the bucket; ``anew`` (k,) says for which of them the post's are
    taken. ``targets`` (m,) are those of the bucket that are written over, ``targets_anew`` the same among the late.
    """
    chosen = torch.from_numpy(anew)
    for name in set(HeadOutputs._fields) - {"target"}:
        getattr(out, name)[texts[chosen]] = getattr(late, name)[chosen]
    out.target[torch.from_numpy(targets)] = late.target[torch.from_numpy(targets_anew)]


def _apart(out: HeadOutputs, sizes: Sequence[int]) -> list[HeadOutputs]:
    """Split the outputs of a batch by its texts, as arrays; ``sizes``: the targets of each."""
    whole = HeadOutputs(*(values.numpy() for values in out))
    return [
        HeadOutputs(*its)
        for its in zip(whole.post, _split(whole.target, sizes), *whole[2:], strict=True)
    ]


def _split(values: NDArray[np.float32], sizes: Sequence[int]) -> list[NDArray[np.float32]]:
    """Split values of targets (m, ...) by the number of targets of each text."""
    ends = list(accumulate(sizes))
    return [values[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def _once(
    keys: Sequence[_K], text: Callable[[_K], str], compute: Callable[[Sequence[_K]], list[_V]]
) -> list[_V]:
    """``compute`` of each key, once for equal keys, so many at a time that their texts stay within bounds."""
    known: dict[_K, _V] = {}
    chunk: list[_K] = []
    size = 0
    for key in dict.fromkeys(keys):
        if chunk and (len(chunk) == _TEXTS or size + len(text(key)) > _CHARACTERS):
            known.update(zip(chunk, compute(chunk), strict=True))
            chunk, size = [], 0
        chunk.append(key)
        size += len(text(key))
    if chunk:
        known.update(zip(chunk, compute(chunk), strict=True))
    return [known[key] for key in keys]
