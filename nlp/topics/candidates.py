"""Terms that could be a topic: words, bigrams, Latin trigrams, hashtags and coinages, and the posts that hold each."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nlp.topics.coinages import coinages
from nlp.topics.ngrams import Level, levels
from nlp.topics.stream import Bools, Codes, Ints, Ragged, Stream, distinct

LONGEST = 3  # words in an n-gram; three only in Latin script, where one Chinese word takes two or three


@dataclass(frozen=True)
class Candidates:
    """Terms, sorted, and the distinct (term, post) pairs in that order."""

    terms: tuple[str, ...]
    term: Codes
    post: Codes

    def posts(self, term: int) -> Codes:
        """The posts that hold a term, in the order of the stream."""
        low, high = np.searchsorted(self.term, [term, term + 1])
        return self.post[low:high]


@cache
def stopwords() -> frozenset[str]:
    """Function words of Chinese and English: they can't be a term, nor begin or end one."""
    text = files("nlp.topics").joinpath("stopwords.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def find(stream: Stream, least: int) -> Candidates:
    """Every term with at least `least` occurrences within some week, by name; a coinage and a word of one name are one term."""
    parts = [*_word_terms(stream, least), _hashtags(stream, least), coinages(stream, stopwords(), least)]
    names = sorted({name for part in parts for name in part[0]})
    number = {name: i for i, name in enumerate(names)}
    pairs = [_pairs(part, number, len(stream)) for part in parts]
    keys = distinct(np.concatenate(pairs))
    size = max(len(stream), 1)
    return Candidates(tuple(names), (keys // size).astype(np.int32), (keys % size).astype(np.int32))


Part = tuple[list[str], Codes, Codes]
"""Names, and for each occurrence which of them it is and the post."""


def _pairs(part: Part, number: dict[str, int], posts: int) -> Ints:
    names, which, post = part
    renumber = np.array([number[name] for name in names], np.int64)
    return distinct(renumber[which] * posts + post) if len(names) else np.zeros(0, np.int64)


def _word_terms(stream: Stream, least: int) -> Iterator[Part]:
    words = _singular(stream.words)
    post = words.post
    joined = np.append(post[1:] == post[:-1], False) if len(post) else np.zeros(0, bool)
    stop, latin, number = _classes(words.vocabulary)
    long = pc.utf8_length(words.vocabulary).to_numpy() > 1
    for level in levels(words.codes, joined, stream.week[post], stream.weeks, LONGEST, least):
        spelled = level.spell
        good = ~stop[spelled[:, 0]] & ~stop[spelled[:, -1]] & ~number[spelled].all(axis=1)
        if level.n == 1:
            good &= long[spelled[:, 0]]
        if level.n > 2:
            good &= latin[spelled].all(axis=1)
        yield _chosen(level, good, words.vocabulary, post)


def _chosen(level: Level, good: Bools, vocabulary: pa.Array, post: Codes) -> Part:
    columns = [vocabulary.take(pa.array(level.spell[good][:, i])).to_pylist() for i in range(level.n)]
    names = [spell(parts) for parts in zip(*columns, strict=True)]
    renumber = np.full(len(good), -1, np.int32)
    renumber[good] = np.arange(good.sum(), dtype=np.int32)
    which = renumber[level.which]
    return names, which[which >= 0], post[level.at[which >= 0]]


def spell(words: tuple[str, ...]) -> str:
    """Words as people write them: a space only where two Latin words or numbers meet.

    >>> spell(("folic", "acid")), spell(("乳", "果糖")), spell(("vivo", "手机"))
    ('folic acid', '乳果糖', 'vivo手机')
    """
    text = words[0]
    for before, after in pairwise(words):
        text += f" {after}" if not (_wide(before[-1]) or _wide(after[0])) else after
    return text


def _wide(character: str) -> bool:
    return character >= "⺀"  # the first of the East Asian blocks


def _classes(vocabulary: pa.Array) -> tuple[Bools, Bools, Bools]:
    """For each word: can it not begin or end a term; is it of Latin letters; is it a number."""
    number = _matches(vocabulary, r"^[\p{N}\p{P}\p{S}]+$")
    letters = _matches(vocabulary, r"[\p{L}\p{N}]") & ~_matches(vocabulary, r"^\[.*\]$")
    stop = pc.is_in(vocabulary, pa.array(sorted(stopwords()))).to_numpy(zero_copy_only=False)
    single = pc.utf8_length(vocabulary).to_numpy() < 2
    return stop | ~letters | (single & ~_matches(vocabulary, r"\p{Han}|\p{N}")), _matches(vocabulary, r"^[\p{Latin}\p{N}'’.\-+&]+$"), number


def _matches(vocabulary: pa.Array, pattern: str) -> Bools:
    found: Bools = pc.match_substring_regex(vocabulary, pattern).to_numpy(zero_copy_only=False)
    return found


def _singular(words: Ragged) -> Ragged:
    """An English plural and its singular are one word, so that their authors add up: only -s, and not after s, u, i or '."""
    plural = pc.replace_substring_regex(words.vocabulary, r"^([a-z]{2,}[^\W\dsui_'])s$", r"\1")
    coded = pc.dictionary_encode(plural)
    return Ragged(coded.indices.to_numpy().astype(np.int32)[words.codes], words.starts, coded.dictionary)


def _hashtags(stream: Stream, least: int) -> Part:
    tags = stream.hashtags
    post = tags.post
    alone = np.zeros(len(post), bool)
    level = next(levels(tags.codes, alone, stream.week[post], stream.weeks, 1, least))
    names, which, at = _chosen(level, np.ones(len(level.spell), bool), tags.vocabulary, post)
    return [f"#{name}" for name in names], which, at
