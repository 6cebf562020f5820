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
from nlp.model.checkpoint import TOKENIZER, Standing, load, version
from nlp.model.cpu import NAMES, fastest
from nlp.model.folder import describe
from nlp.model.heads import Outputs, TargetRows, padded, target_rows
from nlp.model.pooling import Total, sigmoid, softmax, softmax_rows
from nlp.model.quantized import quantize
from nlp.model.reader import UNSURE, Probabilities, Reading, Targets, encodable, language, readable
from nlp.model.threads import in_threads
from nlp.model.windows import Window, buckets, windows
from nlp.text.clauses import Span, clauses

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW = 128  # tokens; what training saw
_FIXED = {
    "half": 0.0,
    "all": math.inf,
}  # how probable an early judgement must be to stand; where it is enough, what was learnt
_TOKENS = 2048  # a bucket's: larger ones leave the cache
_TEXTS, _CHARACTERS = 512, 200_000  # in hand at once
_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")
_Spans = tuple[tuple[Span, ...], ...]


class ShippedReader:
    """A Reader over a model folder.

    ``dtype``: what the encoder multiplies in, torch.float32, bfloat16 or int8; by default the ``fastest``. The version names it, since the
    three agree to within rounding (docs/models.md), not to the last digit. ``depth``: ``half`` of the layers judge every text, or ``all``
    do, or ``enough``: all where half leave a doubt.
    """

    def __init__(
        self, folder: Path, dtype: torch.dtype | None = None, *, depth: str = "enough"
    ) -> None:
        dtype = dtype or fastest()
        about = describe(folder)
        self.name: str = about["name"]
        self.version = f"{version(folder)}-{NAMES[dtype]}" + (
            "" if depth == "enough" else f"-{depth}"
        )
        self.model, self.calibration, ranges = load(folder)
        learnt = self.calibration.threshold
        self.threshold = dict.fromkeys(learnt, _FIXED[depth]) if depth in _FIXED else learnt
        self.standing = Standing() if depth in _FIXED else self.calibration.standing
        self.tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        if dtype == torch.int8:
            with torch.inference_mode():
                quantize(self.model.encoder, ranges)
        else:
            self.model.to(dtype)

    def read(self, texts: Sequence[str], targets: Targets | None = None) -> list[Reading]:
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

    def _read(self, keys: Sequence[tuple[str, _Spans]]) -> list[Reading]:
        found = [number for number, (text, _) in enumerate(keys) if readable(text)]
        readings = [Reading(UNSURE, (UNSURE,) * len(spans)) for _, spans in keys]
        texts = [encodable(keys[number][0]) for number in found]
        asked = [keys[number][1] for number in found]
        for number, text, total in zip(found, texts, self.totals(texts, asked), strict=True):
            readings[number] = self._reading(text, total)
        return readings

    def totals(self, texts: Sequence[str], asked: Sequence[_Spans]) -> list[Total]:
        """The calibrated logits of each text and of its targets, over its windows."""
        totals = [Total(len(spans), self.model.encoder.config.hidden) for spans in asked]
        for part, out, seen in self._pass(texts, asked):
            totals[part.text].add(part, out, seen)
        return totals

    def _embed(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Embed by the early layers alone: where the early depth's embedding is from."""
        parts = windows([encodable(text) for text in texts], self.tokenizer, WINDOW)
        sums = np.zeros((len(texts), self.model.encoder.config.hidden), np.float32)

        def embedded(bucket: Sequence[int]) -> tuple[Sequence[int], NDArray[np.float32]]:
            with torch.inference_mode():
                vectors = (
                    self.model.embed(*padded([parts[index].ids for index in bucket]))
                    .float()
                    .numpy()
                )
            return bucket, vectors

        for bucket, vectors in in_threads(embedded, buckets(parts, _TOKENS)):
            for index, vector in zip(bucket, vectors, strict=True):
                if len(parts[index].ids) > 2:
                    sums[parts[index].text] += parts[index].weight * vector
        return list(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12))

    def _pass(
        self, texts: Sequence[str], asked: Sequence[_Spans]
    ) -> Iterator[tuple[Window, Outputs, NDArray[np.float32]]]:
        """Every window with its own outputs (post (3,), target (k, 4) and so on) and how many of its tokens each target touches (k,)."""
        parts = windows(texts, self.tokenizer, WINDOW, asked)
        asked = _read_of(asked, parts)
        around = [clauses(text, spans) for text, spans in zip(texts, asked, strict=True)]
        spoken = [language(text) for text in texts]

        def judged(bucket: Sequence[int]) -> list[tuple[Window, Outputs, NDArray[np.float32]]]:
            some = [parts[index] for index in bucket]
            targets = [asked[part.text] for part in some]
            rows = target_rows(
                [part.offsets for part in some], targets, [around[part.text] for part in some]
            )
            out, touched = self._judged(some, rows, [spoken[part.text] for part in some])
            sizes = [len(spans) for spans in targets]
            return list(zip(some, _apart(out, sizes), _split(touched, sizes), strict=True))

        return chain.from_iterable(in_threads(judged, buckets(parts, _TOKENS)))

    def _judged(
        self, some: Sequence[Window], rows: TargetRows | None, languages: Sequence[str]
    ) -> tuple[Outputs, NDArray[np.float32]]:
        """Judge one bucket of windows: their calibrated outputs, and how many tokens each of their targets touches (m,).

        A judgement is of the late depth where the early one is not probable enough; the post's depth does not hang on
        what is asked beside.
        """
        ids, mask = padded([part.ids for part in some])
        with torch.inference_mode():
            owners = torch.zeros(0, dtype=torch.long) if rows is None else rows.rows
            touched = (
                np.zeros(0, np.float32)
                if rows is None
                else (rows.mention > 0).sum(1).float().numpy()
            )
            first, states = self.model.first(ids, mask, rows)
            out = self.calibration.early.applied(_exact(first), languages, owners)
            needed = np.array([self.threshold[each] for each in languages])
            post_stands = softmax_rows(out.post.numpy()).max(1) >= needed
            target_stands = (
                np.where(touched > 0, _polarities(out.target.numpy()).max(1), 1.0) >= needed[owners]
            )
            out = self.standing.applied(out, languages, owners)
            stands = post_stands.copy()
            stands[owners.numpy()[~target_stands]] = False
            if stands.all():
                return out, touched
            deeper = torch.from_numpy(np.flatnonzero(~stands))  # texts of which a judgement is open
            rows = None if rows is None else rows.of(deeper)
            late = self.model.rest(
                states[deeper],
                None if mask is None else mask[deeper],
                rows,
                first.embedding[deeper],
            )
            owners_left = owners[:0] if rows is None else rows.rows
            late = self.calibration.late.applied(
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

    def _reading(self, text: str, total: Total) -> Reading:
        post = Probabilities(*softmax(total.mean(total.post)))
        # a target without a place in the text: the page is about it, so what holds for the post holds for it
        judged = [
            Probabilities(*polarity(total.target_mean(position))) if seen else post
            for position, seen in enumerate(total.seen)
        ]
        emotion = dict(zip(EMOTIONS, softmax(total.mean(total.emotion)), strict=True))
        intent = dict(zip(INTENTS, sigmoid(total.intent).tolist(), strict=True))
        return Reading(
            post,
            tuple(judged),
            total.aspects(text),
            emotion,
            intent,
            total.embedding(),
            total.share_read,
        )


def _read_of(asked: Sequence[_Spans], parts: Sequence[Window]) -> list[_Spans]:
    """What is asked of each text, without the spans that stand in none of the windows read of it."""
    left = list(asked)
    for number, of_text in groupby(parts, key=attrgetter("text")):
        its = list(of_text)
        if its[0].of > len(its) and asked[number]:
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


def polarity(logits: NDArray[np.floating]) -> tuple[float, float, float]:
    """Probabilities of a target's logits (4,): a text that is not about it says nothing for or against it."""
    negative, neutral, positive, beside = softmax(logits)
    return negative, neutral + beside, positive


def _polarities(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probabilities (m, 3) of the logits (m, 4) of targets; see ``polarity``."""
    negative, neutral, positive, beside = softmax_rows(logits).T
    return np.stack([negative, neutral + beside, positive], axis=1)


def _exact(out: Outputs) -> Outputs:
    """The outputs in fp32."""
    return Outputs(*(values.float() for values in out))


def _write_over(
    out: Outputs,
    late: Outputs,
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
    for name in set(Outputs._fields) - {"target"}:
        getattr(out, name)[texts[chosen]] = getattr(late, name)[chosen]
    out.target[torch.from_numpy(targets)] = late.target[torch.from_numpy(targets_anew)]


def _apart(out: Outputs, sizes: Sequence[int]) -> list[Outputs]:
    """Split the outputs of a batch by its texts, as arrays; ``sizes``: the targets of each."""
    whole = Outputs(*(values.numpy() for values in out))
    return [
        Outputs(*its)
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
