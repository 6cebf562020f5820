"""Splitting of texts into windows of tokens, and sampling of windows of very long texts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from nlp.text.clauses import TextSpan

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_CHARACTERS_READ = 5_000
"""Characters of a text that the model processes: of a longer one, a sample of as many tokens."""

MENTION_WINDOW_SHARE = 0.75
"""Share of the windows of a sample that may be chosen for their mentions of targets."""

# Code points that are tokenized at once.
_SLICE_LENGTH = 20_000


@dataclass(frozen=True)
class TokenWindow:
    """A window of consecutive tokens of a text, with a special token at either end."""

    text_index: int
    # Token ids, the two special ones included.
    ids: list[int]
    # The span of each token in code points of the text; (0, 0) for special ones.
    offsets: list[TextSpan]
    # Windows of the whole text, those outside the sample included.
    window_count: int = 1

    @property
    def weight(self) -> int:
        """Number of tokens without the special ones, at least 1: weight in the mean over a text."""
        return max(len(self.ids) - 2, 1)


def split_into_windows(
    texts: Sequence[str],
    tokenizer: Tokenizer,
    max_tokens: int,
    targets: Sequence[Sequence[Sequence[TextSpan]]] | None = None,
) -> list[TokenWindow]:
    """Split every text into windows of equal size, at most ``max_tokens`` each, at least one.

    Of a text of more than MAX_CHARACTERS_READ code points only a sample is returned (see
    `sample_indices`): the windows with the first spans of each of its ``targets``, the first, the
    last, and others evenly between them.
    """
    first_special, last_special = tokenizer.encode("").ids
    windows = []
    for text_index, (ids, offsets) in enumerate(_tokenize_texts(texts, tokenizer)):
        count = max(-(-len(ids) // (max_tokens - 2)), 1)
        bounds = [len(ids) * index // count for index in range(count + 1)]
        chosen: Sequence[int] = range(count)
        if len(texts[text_index]) > MAX_CHARACTERS_READ:
            window_starts = [offsets[bound][0] for bound in bounds[:-1]]
            preferred = _windows_of_targets(window_starts, targets[text_index] if targets else [])
            max_window_tokens = -(-len(ids) // count)
            max_sampled_tokens = len(ids) * MAX_CHARACTERS_READ // len(texts[text_index])
            max_count = max_sampled_tokens // max(max_window_tokens, 1)
            chosen = sample_indices(count, preferred, max_count=max(max_count, 1))
        for index in chosen:
            start = bounds[index]
            end = bounds[index + 1]
            windows.append(
                TokenWindow(
                    text_index,
                    [first_special, *ids[start:end], last_special],
                    [(0, 0), *offsets[start:end], (0, 0)],
                    count,
                )
            )
    return windows


def _windows_of_targets(
    window_starts: Sequence[int], targets: Sequence[Sequence[TextSpan]]
) -> list[int]:
    """Return the windows with spans of targets: first of each target's first span, and so on."""

    def window_of(span: TextSpan) -> int:
        return bisect_right(window_starts, span[0]) - 1

    windows_by_target = [map(window_of, spans) for spans in targets]
    in_turn = chain.from_iterable(zip_longest(*windows_by_target, fillvalue=0))
    return [max(window, 0) for window in in_turn]


def sample_indices(count: int, preferred: Sequence[int] = (), *, max_count: int) -> list[int]:
    """Choose at most ``max_count`` of 0 to ``count`` - 1, in order.

    These are the first ``preferred`` ones (three quarters at most), the ends, and others evenly.

    >>> sample_indices(9, [4], max_count=5)
    [0, 2, 4, 6, 8]
    """
    if count <= max_count:
        return list(range(count))
    max_preferred = int(max_count * MENTION_WINDOW_SHARE)
    preferred_set = set(list(dict.fromkeys(preferred))[:max_preferred])
    spread_count = max_count
    while True:
        steps = max(spread_count - 1, 1)
        spread = {index * (count - 1) // steps for index in range(spread_count)}
        chosen = spread | preferred_set
        if len(chosen) <= max_count:
            return sorted(chosen)
        spread_count -= 1


def sample_text_parts(count: int, characters: int) -> list[int]:
    """Choose among the ``count`` parts of a text of so many ``characters``.

    All are chosen, or of a text longer than MAX_CHARACTERS_READ the share that these are of it.

    >>> sample_text_parts(4, 4_000), sample_text_parts(40, 20_000)
    ([0, 1, 2, 3], [0, 4, 8, 13, 17, 21, 26, 30, 34, 39])
    """
    max_count = count
    if characters > MAX_CHARACTERS_READ:
        max_count = max(count * MAX_CHARACTERS_READ // characters, 1)
    return sample_indices(count, max_count=max_count)


def _tokenize_texts(
    texts: Sequence[str], tokenizer: Tokenizer
) -> Iterator[tuple[list[int], list[TextSpan]]]:
    """Yield the token ids and offsets of each text; a very long text is tokenized in slices."""
    slices = []
    for text in texts:
        slices += [text[start : start + _SLICE_LENGTH] for start in _slice_starts(text)]
    encodings = iter(tokenizer.encode_batch(slices, add_special_tokens=False))
    for text in texts:
        ids: list[int] = []
        offsets: list[TextSpan] = []
        for slice_start in _slice_starts(text):
            encoding = next(encodings)
            ids += encoding.ids
            if slice_start:
                offsets += [
                    (start + slice_start, end + slice_start) for start, end in encoding.offsets
                ]
            else:
                offsets += encoding.offsets
        yield ids, offsets


def _slice_starts(text: str) -> range:
    return range(0, max(len(text), 1), _SLICE_LENGTH)


def length_buckets(windows: Sequence[TokenWindow], tokens_per_bucket: int) -> Iterator[list[int]]:
    """Group windows by length; yield their indices, about ``tokens_per_bucket`` tokens a bucket.

    The shortest windows come first.
    """
    by_length = sorted(range(len(windows)), key=lambda index: len(windows[index].ids))
    bucket: list[int] = []
    for index in by_length:
        if bucket and (len(bucket) + 1) * len(windows[index].ids) > tokens_per_bucket:
            yield bucket
            bucket = []
        bucket.append(index)
    if bucket:
        yield bucket
