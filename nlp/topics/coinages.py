"""New words that no dictionary has, from runs of Chinese characters: cohesion, and freedom on both sides.

A string of characters is a word when its parts hold together (the pointwise mutual information of its weakest split)
and when many different authors put different characters on either side of it (the smaller of the two branch entropies).
No dictionary is asked, so 乳果糖奶盖 is found whatever the segmenter made of it. Only strings that rise are examined.
"""

import numpy as np
import pyarrow.compute as pc

from nlp.topics.ngrams import Level, levels
from nlp.topics.stream import Bools, Codes, Floats, Ints, Ragged, Stream, distinct

LONGEST = 6  # characters
MIN_COHESION = 3.0  # bits
MIN_BRANCHING = 1.0  # bits: as free as two equally likely neighbours
GRAMMATICAL = frozenset("们的了是在我你他她它们这那吗呢吧啊呀嘛和与及或但而把被让对从到就都也还又再才很太更最不没有会要能可过着得地")
RISE = 1.5  # occurrences in the week over those expected; below the gain asked of authors, so that it loses no topic

Spelled = tuple[list[str], Codes, Codes]


def coinages(stream: Stream, stop: frozenset[str], least: int) -> Spelled:
    """Names of the new words, and for each occurrence in any week which of them it is and its post."""
    characters, joined, post, alphabet = _characters(stream.words)
    week = stream.week[post]
    edges = np.array([character in GRAMMATICAL for character in alphabet], bool)
    total = np.bincount(week, minlength=stream.weeks)
    names: list[str] = []
    found: list[tuple[Codes, Codes]] = [(np.zeros(0, np.int32), np.zeros(0, np.int32))]
    below: list[Level] = []
    for level in levels(characters, joined, week, stream.weeks, LONGEST, least):
        below.append(level)
        if level.n == 1:
            continue
        peak, rising = _peak(level.weekly, total, least)
        rising &= ~(edges[level.spell[:, 0]] | edges[level.spell[:, -1]])
        rising[rising] = _cohesion(np.flatnonzero(rising), peak[rising], below, total) >= MIN_COHESION
        rising[rising] = _free(level, rising, peak, stream.voice[post], characters, joined, week, least)
        spelled = ["".join(alphabet[c] for c in spell) for spell in level.spell[rising]]
        rising[rising] = [not _functional(name, stop) for name in spelled]
        number = np.full(len(rising), -1, np.int32)
        number[rising] = len(names) + np.arange(rising.sum(), dtype=np.int32)
        names += [name for name in spelled if not _functional(name, stop)]
        here = number[level.which] >= 0
        found.append((number[level.which[here]], post[level.at[here]]))
    return names, np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])


def _characters(words: Ragged) -> tuple[Codes, Bools, Codes, list[str]]:
    """The characters of the Chinese words: codes, whether the next one continues the run, the post, the alphabet."""
    chinese = pc.match_substring_regex(words.vocabulary, r"^\p{Han}+$").to_numpy(zero_copy_only=False)
    spelled = [np.frombuffer(word.encode("utf-32-le"), np.uint32) if han else np.zeros(0, np.uint32)
               for word, han in zip(words.vocabulary.to_pylist(), chinese, strict=True)]  # fmt: skip
    size = np.array([len(s) for s in spelled], np.int64)
    points, codes = np.unique(np.concatenate([np.zeros(0, np.uint32), *spelled]), return_inverse=True)
    start = np.cumsum(size) - size
    sizes = size[words.codes]
    ends = np.cumsum(sizes)
    into = np.arange(sizes.sum()) - np.repeat(ends - sizes, sizes)
    token = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    characters = codes[start[words.codes[token]] + into].astype(np.int32)
    post = words.post[token]
    near = (token[1:] - token[:-1] <= 1) & (post[1:] == post[:-1])
    return characters, np.append(near, False) if len(token) else np.zeros(0, bool), post, [chr(p) for p in points]


def _functional(name: str, stop: frozenset[str]) -> bool:
    """Whether a name begins or ends with a function word of two characters or more."""
    return any(name[:cut] in stop or name[-cut:] in stop for cut in range(2, len(name) + 1))


def _peak(weekly: Ints, total: Ints, least: int) -> tuple[Ints, Bools]:
    """The week in which each n-gram stands out most, and whether it rises there."""
    rest = weekly.sum(axis=1, keepdims=True) - weekly
    expected = (rest + 0.5) * (total / np.maximum(total.sum() - total, 1))
    ratio = np.where(weekly >= least, weekly / np.maximum(expected, 1e-9), 0.0)
    return ratio.argmax(axis=1), ratio.max(axis=1, initial=0) >= RISE


def _cohesion(which: Ints, peak: Ints, levels: list[Level], total: Ints) -> Floats:
    """log2 of count x characters / (count of left part x count of right part) at the weakest split, in the peak week.

    `which` are n-grams of the last of `levels`. The left parts are the head, its head and so on; the right ones the tails.
    """
    lefts, rights = [which], [which]
    for level in reversed(levels[1:]):
        lefts.append(level.head[lefts[-1]])
        rights.append(level.tail[rights[-1]])
    n = len(levels)
    whole = levels[-1].weekly[which, peak] * total[peak]
    weakest = np.full(len(which), np.inf)
    for cut in range(1, n):
        parts = levels[cut - 1].weekly[lefts[n - cut], peak] * levels[n - cut - 1].weekly[rights[cut], peak]
        weakest = np.minimum(weakest, np.log2(whole / np.maximum(parts, 1)))
    return weakest


def _free(level: Level, rising: Bools, peak: Ints, voice: Codes, characters: Codes, joined: Bools, week: Codes, least: int) -> Bools:
    """Of the rising n-grams: enough distinct authors in the peak week, who branch on both sides."""
    keep = rising[level.which] & (week[level.at] == peak[level.which])
    at, which = level.at[keep], level.which[keep]
    last = at + level.n - 1
    speaker = voice[at].astype(np.int64)
    speakers = int(voice.max(initial=0)) + 1
    before = np.where((at > 0) & joined[at - 1], characters[at - 1], -1 - speaker)
    after = np.where(joined[last], characters[np.minimum(last + 1, len(characters) - 1)], -1 - speaker)
    authors = np.bincount(distinct(which * np.int64(speakers) + speaker) // speakers, minlength=len(rising))
    branching = np.minimum(_entropy(which, before, speaker, len(rising)), _entropy(which, after, speaker, len(rising)))
    free: Bools = ((authors >= least) & (branching >= MIN_BRANCHING))[rising]
    return free


def _entropy(which: Codes, neighbour: Ints | Codes, speaker: Ints, size: int) -> Floats:
    """Entropy in bits of the neighbours of each n-gram; an author counts once a neighbour, a boundary once an author."""
    order = np.lexsort((speaker, neighbour, which))
    which, neighbour, speaker = which[order], neighbour[order], speaker[order]
    new_pair = np.append(True, (which[1:] != which[:-1]) | (neighbour[1:] != neighbour[:-1]))[: len(which)]
    new = new_pair | np.append(True, speaker[1:] != speaker[:-1])[: len(which)]
    owner = which[new_pair]
    counts = np.bincount((np.cumsum(new_pair) - 1)[new], minlength=len(owner))
    share = counts / np.bincount(which[new], minlength=size)[owner]
    entropy: Floats = np.bincount(owner, weights=-share * np.log2(share), minlength=size).astype(float)
    return entropy
