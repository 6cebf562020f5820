"""New words that no dictionary has, from runs of Chinese characters: cohesion, and freedom on both sides.

A string of characters is a word when its parts hold together (the pointwise mutual information of its weakest split)
and when many different authors put different characters on either side of it (the smaller of the two branch entropies).
No dictionary is asked, so 乳果糖奶盖 is found whatever the segmenter made of it. Only strings that rise are examined.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from folate.core.text import HAN_RANGES
from nlp.topics.ngrams import (
    CodeSequence,
    FrequentNgrams,
    NgramSearch,
    WeeklySequence,
    frequent_ngrams,
    ngram_codes,
)
from nlp.topics.stream import Bools, Codes, Floats, Ints, PostStream, sorted_unique

MAX_WORD_CHARACTERS = 6  # characters
MIN_COHESION = 3.0  # bits
MIN_BRANCHING = 1.0  # bits: as free as two equally likely neighbours
FUNCTION_CHARACTERS = frozenset(
    "们的了是在我你他她它们这那吗呢吧啊呀嘛和与及或但而把被让对从到就都也还又再才很太更最不没有会要能可过着得地"
)
MIN_RISE = 1.5  # occurrences in the week over those expected; below the gain asked of authors, so that it loses no topic


def find_new_words(
    stream: PostStream, stopwords: frozenset[str], min_count: int
) -> tuple[WeeklySequence, NgramSearch, list[pa.Array]]:
    """The text of Chinese characters, the new words in it, and their names by length."""
    text, alphabet = character_sequences(stream)
    levels = frequent_ngrams(
        text, stream.n_weeks, MAX_WORD_CHARACTERS, min_count, max(len(alphabet), 1)
    )
    total = levels[0].weekly_counts.sum(axis=0, dtype=np.int64)
    edges = np.isin(alphabet, [ord(character) for character in FUNCTION_CHARACTERS])
    peaks = [_peak(level.weekly_counts, total, min_count) for level in levels]
    wanted = [np.zeros(len(levels[0].keys), bool)]
    for n in range(2, MAX_WORD_CHARACTERS + 1):
        peak, rising = peaks[n - 1]
        rows = np.flatnonzero(rising)
        codes = ngram_codes(levels, n, rows)
        rows = rows[~(edges[codes[:, 0]] | edges[codes[:, -1]])]
        good = np.zeros(len(rising), bool)
        good[rows] = _cohesion(rows, peak[rows], levels[:n], total) >= MIN_COHESION
        wanted.append(good)
    _keep_free(text, levels, wanted, [peak for peak, _ in peaks], stream, min_count)
    names = [_names(levels, wanted[n - 1], n, alphabet) for n in range(1, MAX_WORD_CHARACTERS + 1)]
    for good, spelled in zip(wanted, names, strict=True):
        good[good] = [not _functional(name, stopwords) for name in spelled]
    return (
        text,
        NgramSearch(levels, wanted),
        [
            pa.array([n for n in spelled if not _functional(n, stopwords)], pa.string())
            for spelled in names
        ],
    )


def character_sequences(stream: PostStream) -> tuple[WeeklySequence, Ints]:
    """The runs of the Chinese characters of a stream, coded, and their code points."""
    vocabulary = stream.words.vocabulary
    chinese = pc.match_substring_regex(vocabulary, f"^[{HAN_RANGES}]+$").to_numpy(zero_copy_only=False)
    spelled = [np.frombuffer(word.encode("utf-32-le"), np.uint32) if han else np.zeros(0, np.uint32)
               for word, han in zip(vocabulary.to_pylist(), chinese, strict=True)]  # fmt: skip
    size = np.array([len(s) for s in spelled], np.int64)
    points, codes = np.unique(
        np.concatenate([np.zeros(0, np.uint32), *spelled]), return_inverse=True
    )
    start, codes = np.cumsum(size) - size, codes.astype(np.int32)

    def run(week: int) -> CodeSequence:
        words, post = stream.words.codes_between(*stream.week_offsets[week : week + 2])
        sizes = size[words]
        ends = np.cumsum(sizes)
        into = np.arange(ends[-1] if len(ends) else 0) + np.repeat(
            start[words] - ends + sizes, sizes
        )
        word = np.repeat(np.arange(len(words), dtype=np.int32), sizes)
        near = (word[1:] - word[:-1] <= 1) & (post[word[1:]] == post[word[:-1]])
        return CodeSequence(codes[into], np.append(near, False)[: len(word)], post[word])

    return run, points.astype(np.int64)


def _names(levels: Sequence[FrequentNgrams], wanted: Bools, n: int, alphabet: Ints) -> list[str]:
    points = alphabet[ngram_codes(levels, n, np.flatnonzero(wanted))]
    return ["".join(map(chr, name)) for name in points.tolist()]


def _functional(name: str, stop: frozenset[str]) -> bool:
    """Whether a name begins or ends with a function word of two characters or more."""
    return any(name[:cut] in stop or name[-cut:] in stop for cut in range(2, len(name) + 1))


def _peak(weekly: Codes, total: Ints, least: int) -> tuple[Ints, Bools]:
    """The week in which each n-gram stands out most, and whether it rises there.

    A count under `least` is not known and taken for none: more strings are examined than need be, never fewer.
    """
    rest = weekly.sum(axis=1, keepdims=True) - weekly
    expected = (rest + 0.5) * (total / np.maximum(total.sum() - total, 1))
    ratio = np.where(weekly >= least, weekly / np.maximum(expected, 1e-9), 0.0)
    return ratio.argmax(axis=1), ratio.max(axis=1, initial=0) >= MIN_RISE


def _cohesion(which: Ints, peak: Ints, levels: Sequence[FrequentNgrams], total: Ints) -> Floats:
    """log2 of count x characters / (count of left part x count of right part) at the weakest split, in the peak week.

    `which` are n-grams of the last of `levels`. The left parts are the head, its head and so on; the right ones the tails.
    """
    lefts, rights = [which], [which]
    for level in reversed(levels[1:]):
        lefts.append(level.prefix_rows[lefts[-1]])
        rights.append(level.suffix_rows[rights[-1]])
    n = len(levels)
    whole = levels[-1].weekly_counts[which, peak] * total[peak]
    weakest = np.full(len(which), np.inf)
    for cut in range(1, n):
        parts = (
            levels[cut - 1].weekly_counts[lefts[n - cut], peak].astype(np.int64)
            * levels[n - cut - 1].weekly_counts[rights[cut], peak]
        )
        weakest = np.minimum(weakest, np.log2(whole / np.maximum(parts, 1)))
    return weakest


def _keep_free(
    text: WeeklySequence,
    levels: list[FrequentNgrams],
    wanted: list[Bools],
    peaks: list[Ints],
    stream: PostStream,
    least: int,
) -> None:
    """Clear `wanted` of the n-grams that are not used freely in their peak week."""
    for week in range(stream.n_weeks):
        here = [want & (peak == week) for want, peak in zip(wanted, peaks, strict=True)]
        if not any(mask.any() for mask in here):
            continue
        run = text(week)
        for n, (at, row) in enumerate(NgramSearch(levels, here).occurrences(run), start=1):
            rows, which = np.unique(row, return_inverse=True)
            wanted[n - 1][rows] &= _free(run, at, which, n, len(rows), stream.author_codes, least)


def _free(
    run: CodeSequence, at: Ints, which: Ints, n: int, size: int, voice: Codes, least: int
) -> Bools:
    """Of `size` n-grams, given where each occurs: whether enough distinct authors use it, who branch on both sides."""
    last = at + n - 1
    speaker = voice[run.post_of_code[at]].astype(np.int64)
    before = np.where((at > 0) & run.continues[at - 1], run.codes[at - 1], -1 - speaker)
    after = np.where(
        run.continues[last], run.codes[np.minimum(last + 1, len(run.codes) - 1)], -1 - speaker
    )
    speakers = int(speaker.max(initial=0)) + 1
    authors = np.bincount(sorted_unique(which * speakers + speaker) // speakers, minlength=size)
    branching = np.minimum(
        _entropy(which, before, speaker, size), _entropy(which, after, speaker, size)
    )
    free: Bools = (authors >= least) & (branching >= MIN_BRANCHING)
    return free


def _entropy(which: Ints, neighbour: Ints | Codes, speaker: Ints, size: int) -> Floats:
    """Entropy in bits of the neighbours of each n-gram; an author counts once a neighbour, a boundary once an author."""
    order = np.lexsort((speaker, neighbour, which))
    which, neighbour, speaker = which[order], neighbour[order], speaker[order]
    new_pair = np.append(True, (which[1:] != which[:-1]) | (neighbour[1:] != neighbour[:-1]))[
        : len(which)
    ]
    new = new_pair | np.append(True, speaker[1:] != speaker[:-1])[: len(which)]
    owner = which[new_pair]
    counts = np.bincount((np.cumsum(new_pair) - 1)[new], minlength=len(owner))
    share = counts / np.bincount(which[new], minlength=size)[owner]
    entropy: Floats = np.bincount(owner, weights=-share * np.log2(share), minlength=size).astype(
        float
    )
    return entropy
