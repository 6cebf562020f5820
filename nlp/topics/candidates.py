"""Terms that could be a topic: words, bigrams, Latin trigrams, hashtags and coinages, and the posts that hold each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from folate.core.text import HAN_RANGES
from nlp.text.plurals import PLURAL_PATTERN, UNCOUNTABLE_WORDS
from nlp.text.stopwords import stopwords
from nlp.topics.new_words import find_new_words
from nlp.topics.ngrams import (
    CodeSequence,
    FrequentNgrams,
    NgramSearch,
    WeeklySequence,
    frequent_ngrams,
    ngram_codes,
)
from nlp.topics.stream import Bools, Codes, EncodedLists, PostStream, sorted_unique

MAX_TERM_WORDS = (
    3  # words in an n-gram; three only in Latin script, where one Chinese word takes two or three
)
_WIDE = r"[⺀-\x{10ffff}]"  # from the first of the East Asian blocks on


@dataclass(frozen=True)
class CandidateTerms:
    """Terms, sorted, and where they occur, a week at a time."""

    stream: PostStream
    terms: tuple[str, ...]
    searches: tuple[
        tuple[WeeklySequence, NgramSearch, tuple[Codes, ...]], ...
    ]  # where to look, for what, and the term of each n-gram by length

    def occurrences(self, week: int) -> tuple[Codes, Codes]:
        """(term, post) of each occurrence in a week, in no order and with repeats."""
        terms, posts = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
        for text, search, term in self.searches:
            run = text(week)
            for n, (at, row) in enumerate(search.occurrences(run)):
                terms.append(term[n][row])
                posts.append(run.post_of_code[at])
        return np.concatenate(terms), np.concatenate(posts)

    @cached_property
    def current_occurrences(self) -> tuple[Codes, Codes]:
        """The distinct pairs of the week at hand, sorted."""
        term, post = self.occurrences(self.stream.n_weeks - 1)
        size = max(len(self.stream), 1)
        keys = sorted_unique(term.astype(np.int64) * size + post)
        return (keys // size).astype(np.int32), (keys % size).astype(np.int32)

    def posts_with_term(self, term: int) -> Codes:
        """The posts of the week at hand that hold a term, in the order of the stream."""
        low, high = np.searchsorted(self.current_occurrences[0], [term, term + 1])
        return self.current_occurrences[1][low:high]


def find_candidates(stream: PostStream, min_count: int) -> CandidateTerms:
    """Every term with at least `least` occurrences within some week, by name; a coinage and a word of one name are one term."""
    parts = [
        _words(stream, min_count),
        _hashtags(stream, min_count),
        find_new_words(stream, stopwords(), min_count),
    ]
    names = pc.unique(
        pa.chunked_array([name for part in parts for name in part[2]], pa.string())
    ).sort()
    texts = []
    for text, search, spelled in parts:
        terms = [np.full(len(want), -1, np.int32) for want in search.wanted]
        for term, want, name in zip(terms, search.wanted, spelled, strict=True):
            term[want] = pc.index_in(name, names).to_numpy()
        texts.append((text, search, tuple(terms)))
    return CandidateTerms(stream, tuple(names.to_pylist()), tuple(texts))


CandidateSource = tuple[WeeklySequence, NgramSearch, list[pa.Array]]
"""A text, what to look for in it, and the names of that by length."""


def _words(stream: PostStream, least: int) -> CandidateSource:
    number, vocabulary = _singular(stream.words.vocabulary)

    def text(week: int) -> CodeSequence:
        codes, post = stream.words.codes_between(*stream.week_offsets[week : week + 2])
        return CodeSequence(
            number[codes], np.append(post[1:] == post[:-1], False)[: len(post)], post
        )

    levels = frequent_ngrams(text, stream.n_weeks, MAX_TERM_WORDS, least, max(len(vocabulary), 1))
    wanted = list(_worthy(levels, vocabulary))
    names = [join_words(levels, n, want, vocabulary) for n, want in enumerate(wanted, start=1)]
    return text, NgramSearch(levels, wanted), names


def _worthy(levels: Sequence[FrequentNgrams], vocabulary: pa.Array) -> Iterator[Bools]:
    """Which n-grams of each length can be a term."""
    stop, latin, number = _classes(vocabulary)
    long = pc.utf8_length(vocabulary).to_numpy() > 1
    for n, level in enumerate(levels, start=1):
        codes = ngram_codes(levels, n, np.arange(len(level.keys)))
        good = ~stop[codes[:, 0]] & ~stop[codes[:, -1]] & ~number[codes].all(axis=1)
        if n == 1:
            good &= long[codes[:, 0]]
        if n > 2:
            good &= latin[codes].all(axis=1)
        yield good


def join_words(
    levels: Sequence[FrequentNgrams], n: int, wanted: Bools, vocabulary: pa.Array
) -> pa.Array:
    """Words as people write them: a space only where two Latin words or numbers meet, and none before 's."""
    codes = ngram_codes(levels, n, np.flatnonzero(wanted))
    begins, ends = _matches(vocabulary, f"^(?:{_WIDE}|['’])"), _matches(vocabulary, f"{_WIDE}$")
    parts = [vocabulary.take(pa.array(codes[:, 0]))]
    for i in range(1, n):
        closed = ends[codes[:, i - 1]] | begins[codes[:, i]]
        parts += [pc.if_else(pa.array(closed), "", " "), vocabulary.take(pa.array(codes[:, i]))]
    return pc.binary_join_element_wise(*parts, "")


def _classes(vocabulary: pa.Array) -> tuple[Bools, Bools, Bools]:
    """For each word: can it not begin or end a term; is it of Latin letters; is it a number."""
    number = _matches(vocabulary, r"^[\p{N}\p{P}\p{S}]+$")
    letters = _matches(vocabulary, r"[\p{L}\p{N}]") & ~_matches(vocabulary, r"^\[.*\]$")
    stop = pc.is_in(vocabulary, pa.array(sorted(stopwords()))).to_numpy(zero_copy_only=False)
    single = pc.utf8_length(vocabulary).to_numpy() < 2
    return (
        stop | ~letters | (single & ~_matches(vocabulary, rf"[{HAN_RANGES}]|\p{{N}}")),
        _matches(vocabulary, r"^[\p{Latin}\p{N}'’.\-+&]+$"),
        number,
    )


def _matches(vocabulary: pa.Array, pattern: str) -> Bools:
    found: Bools = pc.match_substring_regex(vocabulary, pattern).to_numpy(zero_copy_only=False)
    return found


def _singular(vocabulary: pa.Array) -> tuple[Codes, pa.Array]:
    """An English plural and its singular are one word, so that their authors add up: only -s, not after s, u, i or ', nor in `UNCOUNTABLE_WORDS`.

    Gives the code of each word in a new vocabulary, and that.
    """
    own = pc.is_in(vocabulary, pa.array(UNCOUNTABLE_WORDS, vocabulary.type))
    plural = pc.if_else(own, vocabulary, pc.replace_substring_regex(vocabulary, PLURAL_PATTERN, r"\1"))
    names = pc.unique(plural).sort()
    return pc.index_in(plural, names).to_numpy().astype(np.int32), names


def _hashtags(stream: PostStream, least: int) -> CandidateSource:
    tags: EncodedLists = stream.hashtags

    def text(week: int) -> CodeSequence:
        codes, post = tags.codes_between(*stream.week_offsets[week : week + 2])
        return CodeSequence(codes, np.zeros(len(codes), bool), post)

    levels = frequent_ngrams(text, stream.n_weeks, 1, least, max(len(tags.vocabulary), 1))
    names = tags.vocabulary.take(pa.array(levels[0].last_codes))
    return (
        text,
        NgramSearch(levels, [np.ones(len(names), bool)]),
        [pc.binary_join_element_wise("#", names, "")],
    )
