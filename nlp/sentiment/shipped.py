"""The reader of Folate's own models: one pass of the encoder over length buckets, every head on its states.

What the first half of the layers is sure of stands; only the other texts go through the second half.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from tokenizers import Tokenizer

from nlp.precision import NAMES, fastest
from nlp.quantized import quantize
from nlp.sentiment.about import describe
from nlp.sentiment.clauses import Span, clauses
from nlp.sentiment.heads import Outputs, TargetRows, padded, target_rows
from nlp.sentiment.labels import EMOTIONS, INTENTS
from nlp.sentiment.packed import TOKENIZER, Standing, load, version
from nlp.sentiment.reading import UNSURE, Probabilities, Reading, Targets, encodable, language, readable
from nlp.sentiment.totals import Total, sigmoid, softmax
from nlp.sentiment.windows import Window, buckets, windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW = 128  # tokens; what training saw
_FIXED = {"half": 0.0, "all": math.inf}  # how probable an early judgement must be to stand; where it is enough, what was learnt
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

    def __init__(self, folder: Path, dtype: torch.dtype | None = None, *, depth: str = "enough") -> None:
        dtype = dtype or fastest()
        about = describe(folder)
        self.name: str = about["name"]
        self.version = f"{version(folder)}-{NAMES[dtype]}" + ("" if depth == "enough" else f"-{depth}")
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
        """One Reading a text; see ``nlp.sentiment.reading.Reader``."""
        asked = targets if targets is not None else [()] * len(texts)
        keys = [(text, tuple(tuple(spans) for spans in its)) for text, its in zip(texts, asked, strict=True)]
        return _once(keys, itemgetter(0), self._read)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, hidden); see ``nlp.sentiment.reading.Reader``."""
        vectors = _once(list(texts), str, self._embed)
        return np.stack(vectors) if vectors else np.zeros((0, self.model.encoder.config.hidden), np.float32)

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
        """By the first half of the layers alone: where the early depth's embedding is from."""
        parts = windows([encodable(text) for text in texts], self.tokenizer, WINDOW)
        sums = np.zeros((len(texts), self.model.encoder.config.hidden), np.float32)
        for bucket in buckets(parts, _TOKENS):
            with torch.inference_mode():
                vectors = self.model.embed(*padded([parts[index].ids for index in bucket])).float().numpy()
            for index, vector in zip(bucket, vectors, strict=True):
                if len(parts[index].ids) > 2:
                    sums[parts[index].text] += parts[index].weight * vector
        return list(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12))

    def _pass(self, texts: Sequence[str], asked: Sequence[_Spans]) -> Iterator[tuple[Window, Outputs, NDArray[np.float32]]]:
        """Every window with its own outputs (post (3,), target (k, 4) and so on) and how many of its tokens each target touches (k,)."""
        parts = windows(texts, self.tokenizer, WINDOW, asked)
        asked = _read_of(asked, parts)
        around = [clauses(text, spans) for text, spans in zip(texts, asked, strict=True)]
        spoken = [language(text) for text in texts]
        for bucket in buckets(parts, _TOKENS):
            its = [parts[index] for index in bucket]
            rows = target_rows([part.offsets for part in its], [asked[part.text] for part in its], [around[part.text] for part in its])
            touched = _touched(rows, [len(asked[part.text]) for part in its])
            yield from zip(its, self._judged(its, rows, touched, [spoken[part.text] for part in its]), touched, strict=True)

    def _judged(
        self, its: Sequence[Window], rows: TargetRows | None, touched: Sequence[NDArray[np.float32]], spoken: Sequence[str]
    ) -> list[Outputs]:
        """The calibrated outputs of each window of one bucket.

        A judgement is of the late depth where the early one is not probable enough; the post's depth does not hang on what is asked beside.
        """
        ids, mask = padded([part.ids for part in its])
        sizes = [len(counts) for counts in touched]
        with torch.inference_mode():
            early, states = self.model.first(ids, mask, rows)
            found = [self.calibration.early.applied(*one) for one in zip(_apart(early, sizes), spoken, strict=True)]
            stand = [_probable(out, counts) >= self.threshold[its] for out, counts, its in zip(found, touched, spoken, strict=True)]
            found = [self.standing.applied(out, its) if sure.any() else out for out, its, sure in zip(found, spoken, stand, strict=True)]
            unsure = [row for row, stands in enumerate(stand) if not stands.all()]
            if unsure:
                some = torch.tensor(unsure)
                theirs = None if mask is None else mask[some], None if rows is None else rows.of(some)
                late = self.model.rest(states[some], *theirs, early.embedding[some])
                for row, out in zip(unsure, _apart(late, [sizes[row] for row in unsure]), strict=True):
                    found[row] = _joined(found[row], self.calibration.late.applied(out, spoken[row]), stand[row])
        return found

    def _reading(self, text: str, total: Total) -> Reading:
        post = Probabilities(*softmax(total.mean(total.post)))
        # a target without a place in the text: the page is about it, so what holds for the post holds for it
        judged = [Probabilities(*polarity(total.target_mean(position))) if seen else post for position, seen in enumerate(total.seen)]
        emotion = dict(zip(EMOTIONS, softmax(total.mean(total.emotion)), strict=True))
        intent = dict(zip(INTENTS, sigmoid(total.intent).tolist(), strict=True))
        return Reading(post, tuple(judged), total.aspects(text), emotion, intent, total.embedding(), total.share_read)


def _read_of(asked: Sequence[_Spans], parts: Sequence[Window]) -> list[_Spans]:
    """What is asked of each text, without the spans that stand in none of the windows read of it."""
    left = list(asked)
    for number, of_text in groupby(parts, key=attrgetter("text")):
        its = list(of_text)
        if its[0].of > len(its) and asked[number]:
            bounds = [(part.offsets[1][0], part.offsets[-2][1]) for part in its]
            firsts = [first for first, _ in bounds]
            left[number] = tuple(
                tuple((start, end) for start, end in spans if start < bounds[max(bisect_right(firsts, start) - 1, 0)][1])
                for spans in asked[number]
            )
    return left


def _probable(out: Outputs, touched: NDArray[np.float32]) -> NDArray[np.float64]:
    """The probabilities of the labels that one window's outputs give: the post's, then each target's (1 where no token touches it)."""
    targets = [max(polarity(logits)) if seen else 1.0 for logits, seen in zip(out.target.numpy(), touched, strict=True)]
    return np.array([max(softmax(out.post.numpy())), *targets])


def _joined(early: Outputs, late: Outputs, stand: NDArray[np.bool_]) -> Outputs:
    """Of one window the early judgements that ``stand`` (the post's and what goes with it, then each target's) and the late others."""
    target = torch.where(torch.from_numpy(stand[1:, None]), early.target, late.target)
    return (early if stand[0] else late)._replace(target=target)


def polarity(logits: NDArray[np.floating]) -> tuple[float, float, float]:
    """Probabilities of a target's logits (4,): a text that is not about it says nothing for or against it."""
    negative, neutral, positive, beside = softmax(logits)
    return negative, neutral + beside, positive


def _touched(rows: TargetRows | None, sizes: Sequence[int]) -> list[NDArray[np.float32]]:
    """How many tokens of each window each of its targets touches; ``sizes``: the targets of each window."""
    counts = np.zeros(0, np.float32) if rows is None else (rows.mention > 0).sum(1).float().numpy()
    return np.split(counts, np.cumsum(sizes)[:-1])


def _apart(out: Outputs, sizes: Sequence[int]) -> list[Outputs]:
    """The outputs of each text of a batch; ``sizes``: the targets of each."""
    whole = Outputs(*(values.float() for values in out))
    return [Outputs(*its) for its in zip(whole.post, whole.target.split(list(sizes)), *whole[2:], strict=True)]


def _once(keys: Sequence[_K], text: Callable[[_K], str], compute: Callable[[Sequence[_K]], list[_V]]) -> list[_V]:
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
