"""Texts of any length to windows that the encoder takes: all of a text up to 5,000 characters, a sample of a longer one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from nlp.text.clauses import TextSpan

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_CHARACTERS_READ = 5_000  # a text up to here is read whole; of a longer one as many tokens as so many of its characters have
MENTION_WINDOW_SHARE = (
    0.75  # of the windows read at most for what is asked about, the rest for the text as a whole
)
_SLICE = 20_000  # code points tokenised at once


@dataclass(frozen=True)
class TokenWindow:
    """Part of text ``text``: its tokens, the two special ones included, and the code points that each covers (special ones none).

    ``of``: how many windows the text has, whether they are read or not.
    """

    text_index: int
    ids: list[int]
    offsets: list[TextSpan]
    window_count: int = 1

    @property
    def weight(self) -> int:
        """Tokens of the text in this window, at least one: its weight in the text's mean."""
        return max(len(self.ids) - 2, 1)


def split_into_windows(
    texts: Sequence[str],
    tokenizer: Tokenizer,
    max_tokens: int,
    targets: Sequence[Sequence[Sequence[TextSpan]]] | None = None,
) -> list[TokenWindow]:
    """The windows of every text, at most ``size`` tokens each; a longer text gives windows of equal size. Each text gives at least one.

    Of a text of more than ``CHARACTERS`` code points only a ``sample`` is given, of at most as many tokens as so many of its code points
    have on average: the windows that hold the first spans of each of its targets in ``asked``, the first, the last, and others evenly
    between them.
    """
    first, last = tokenizer.encode("").ids
    made = []
    for number, (ids, offsets) in enumerate(_tokens(texts, tokenizer)):
        count = max(-(-len(ids) // (max_tokens - 2)), 1)
        cuts = [len(ids) * part // count for part in range(count + 1)]
        chosen: Sequence[int] = range(count)
        if len(texts[number]) > MAX_CHARACTERS_READ:
            starts = [offsets[cut][0] for cut in cuts[:-1]]
            text_targets = targets[number] if targets else []
            wanted = [
                [bisect_right(starts, start) - 1 for start, _ in spans] for spans in text_targets
            ]
            places = [
                max(window, 0) for window in chain.from_iterable(zip_longest(*wanted, fillvalue=0))
            ]
            largest = -(-len(ids) // count)
            most = len(ids) * MAX_CHARACTERS_READ // len(texts[number]) // max(largest, 1)
            chosen = sample_indices(count, places, max_count=max(most, 1))
        for start, end in [(cuts[window], cuts[window + 1]) for window in chosen]:
            made.append(
                TokenWindow(
                    number,
                    [first, *ids[start:end], last],
                    [(0, 0), *offsets[start:end], (0, 0)],
                    count,
                )
            )
    return made


def sample_indices(count: int, preferred: Sequence[int] = (), *, max_count: int) -> list[int]:
    """At most ``most`` of 0 to ``count`` - 1, in order: the first ``wanted`` ones (three quarters at most), the ends, and others evenly.

    >>> sample(9, [4], most=5)
    [0, 2, 4, 6, 8]
    """
    if count <= max_count:
        return list(range(count))
    chosen = set(list(dict.fromkeys(preferred))[: int(max_count * MENTION_WINDOW_SHARE)])
    spread = max_count
    while (
        len(even := {place * (count - 1) // max(spread - 1, 1) for place in range(spread)} | chosen)
        > max_count
    ):
        spread -= 1
    return sorted(even)


def sample_text_parts(count: int, characters: int) -> list[int]:
    """Choose of the ``count`` parts of a text of so many ``characters``: all, or of a very long one as many as `CHARACTERS` of it have.

    >>> sampled(4, 4_000), sampled(40, 20_000)
    ([0, 1, 2, 3], [0, 4, 8, 13, 17, 21, 26, 30, 34, 39])
    """
    return sample_indices(
        count,
        max_count=count
        if characters <= MAX_CHARACTERS_READ
        else max(count * MAX_CHARACTERS_READ // characters, 1),
    )


def _tokens(
    texts: Sequence[str], tokenizer: Tokenizer
) -> Iterator[tuple[list[int], list[TextSpan]]]:
    """Token ids and offsets of each text; a very long text is tokenised in slices."""
    pieces = [
        (text[start : start + _SLICE], start)
        for text in texts
        for start in range(0, max(len(text), 1), _SLICE)
    ]
    encoded = iter(tokenizer.encode_batch([piece for piece, _ in pieces], add_special_tokens=False))
    for text in texts:
        ids: list[int] = []
        offsets: list[TextSpan] = []
        for start in range(0, max(len(text), 1), _SLICE):
            encoding = next(encoded)
            ids += encoding.ids
            offsets += (
                [(a + start, b + start) for a, b in encoding.offsets] if start else encoding.offsets
            )
        yield ids, offsets


def length_buckets(windows: Sequence[TokenWindow], tokens_per_bucket: int) -> Iterator[list[int]]:
    """Indices of windows of like length together, about ``tokens`` tokens a bucket, shortest first."""
    order = sorted(range(len(windows)), key=lambda index: len(windows[index].ids))
    bucket: list[int] = []
    for index in order:
        if bucket and (len(bucket) + 1) * len(windows[index].ids) > tokens_per_bucket:
            yield bucket
            bucket = []
        bucket.append(index)
    if bucket:
        yield bucket
