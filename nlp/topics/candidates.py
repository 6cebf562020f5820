"""Candidate terms of topics and their occurrences.

Candidates are words, pairs of words, Latin-script triples, hashtags and new Chinese words.
"""

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

# Words in an n-gram. Three only in Latin script: one Chinese word takes two or three English ones.
MAX_TERM_WORDS = 3
# From the first of the East Asian Unicode blocks on.
_EAST_ASIAN_PATTERN = r"[⺀-\x{10ffff}]"


@dataclass(frozen=True)
class CandidateTerms:
    """Candidate terms, sorted, and a search for their occurrences, one week at a time."""

    stream: PostStream
    terms: tuple[str, ...]
    # For each kind of term: the sequences, the search, and by length the term of each n-gram row.
    searches: tuple[tuple[WeeklySequence, NgramSearch, tuple[Codes, ...]], ...]

    def occurrences(self, week: int) -> tuple[Codes, Codes]:
        """Return the term and the post of each occurrence in a week, unordered, with repeats."""
        terms = [np.zeros(0, np.int32)]
        posts = [np.zeros(0, np.int32)]
        for weekly_sequence, search, term_of_row in self.searches:
            sequence = weekly_sequence(week)
            for n, (starts, rows) in enumerate(search.occurrences(sequence)):
                terms.append(term_of_row[n][rows])
                posts.append(sequence.post_of_code[starts])
        return np.concatenate(terms), np.concatenate(posts)

    @cached_property
    def current_occurrences(self) -> tuple[Codes, Codes]:
        """The distinct (term, post) pairs of the current week, sorted, as two arrays."""
        terms, posts = self.occurrences(self.stream.n_weeks - 1)
        n_posts = max(len(self.stream), 1)
        pairs = sorted_unique(terms.astype(np.int64) * n_posts + posts)
        return (pairs // n_posts).astype(np.int32), (pairs % n_posts).astype(np.int32)

    def posts_with_term(self, term: int) -> Codes:
        """Return the posts of the current week that contain a term, in the order of the stream."""
        terms, posts = self.current_occurrences
        first, end = np.searchsorted(terms, [term, term + 1])
        return posts[first:end]


CandidateSource = tuple[WeeklySequence, NgramSearch, list[pa.Array]]
"""Sequences, the n-grams to search in them, and the names of these by length."""


def find_candidates(stream: PostStream, min_count: int) -> CandidateTerms:
    """Return the terms with at least `min_count` occurrences within some week.

    A new word and a segmented word of the same name are one term.
    """
    sources = [
        _word_candidates(stream, min_count),
        _hashtag_candidates(stream, min_count),
        find_new_words(stream, stopwords(), min_count),
    ]
    name_chunks = [names for _, _, names_by_length in sources for names in names_by_length]
    terms = pc.unique(pa.chunked_array(name_chunks, pa.string())).sort()
    searches = []
    for weekly_sequence, search, names_by_length in sources:
        term_of_row = []
        for is_eligible, names in zip(search.selected, names_by_length, strict=True):
            term_indexes = np.full(len(is_eligible), -1, np.int32)
            term_indexes[is_eligible] = pc.index_in(names, terms).to_numpy()
            term_of_row.append(term_indexes)
        searches.append((weekly_sequence, search, tuple(term_of_row)))
    return CandidateTerms(stream, tuple(terms.to_pylist()), tuple(searches))


def _word_candidates(stream: PostStream, min_count: int) -> CandidateSource:
    """Return words and n-grams of adjacent words, with English plurals folded to the singular."""
    singular_codes, vocabulary = _singular_vocabulary(stream.words.vocabulary)

    def sequence_of_week(week: int) -> CodeSequence:
        codes, posts = stream.words.codes_between(*stream.week_offsets[week : week + 2])
        continues = np.append(posts[1:] == posts[:-1], False)[: len(posts)]
        return CodeSequence(singular_codes[codes], continues, posts)

    levels = frequent_ngrams(
        sequence_of_week, stream.n_weeks, MAX_TERM_WORDS, min_count, max(len(vocabulary), 1)
    )
    eligible = list(_eligible_ngrams(levels, vocabulary))
    names = [
        join_words(levels, n, is_eligible, vocabulary)
        for n, is_eligible in enumerate(eligible, start=1)
    ]
    return sequence_of_week, NgramSearch(levels, eligible), names


def _eligible_ngrams(levels: Sequence[FrequentNgrams], vocabulary: pa.Array) -> Iterator[Bools]:
    """Yield, for each length, which n-grams can be a term."""
    is_edge_excluded, is_latin, is_number = _classify_words(vocabulary)
    is_long = pc.utf8_length(vocabulary).to_numpy() > 1
    for n, level in enumerate(levels, start=1):
        codes = ngram_codes(levels, n, np.arange(len(level.keys)))
        is_eligible = ~is_edge_excluded[codes[:, 0]] & ~is_edge_excluded[codes[:, -1]]
        is_eligible &= ~is_number[codes].all(axis=1)
        if n == 1:
            is_eligible &= is_long[codes[:, 0]]
        if n > 2:
            is_eligible &= is_latin[codes].all(axis=1)
        yield is_eligible


def join_words(
    levels: Sequence[FrequentNgrams], n: int, eligible: Bools, vocabulary: pa.Array
) -> pa.Array:
    """Join the words of selected n-grams as people write them.

    A space goes only between two Latin words or numbers, and none before 's.
    """
    codes = ngram_codes(levels, n, np.flatnonzero(eligible))
    joins_left = _match_words(vocabulary, f"^(?:{_EAST_ASIAN_PATTERN}|['’])")
    joins_right = _match_words(vocabulary, f"{_EAST_ASIAN_PATTERN}$")
    columns = [vocabulary.take(pa.array(codes[:, 0]))]
    for i in range(1, n):
        is_joined = joins_right[codes[:, i - 1]] | joins_left[codes[:, i]]
        columns.append(pc.if_else(pa.array(is_joined), "", " "))
        columns.append(vocabulary.take(pa.array(codes[:, i])))
    return pc.binary_join_element_wise(*columns, "")


def _classify_words(vocabulary: pa.Array) -> tuple[Bools, Bools, Bools]:
    """Return for each word whether a term may not begin or end with it, is Latin, is a number."""
    is_number = _match_words(vocabulary, r"^[\p{N}\p{P}\p{S}]+$")
    is_bracketed = _match_words(vocabulary, r"^\[.*\]$")
    has_letters = _match_words(vocabulary, r"[\p{L}\p{N}]") & ~is_bracketed
    stopword_array = pa.array(sorted(stopwords()))
    is_stopword = pc.is_in(vocabulary, stopword_array).to_numpy(zero_copy_only=False)
    is_short = pc.utf8_length(vocabulary).to_numpy() < 2
    is_latin_letter = is_short & ~_match_words(vocabulary, rf"[{HAN_RANGES}]|\p{{N}}")
    is_latin = _match_words(vocabulary, r"^[\p{Latin}\p{N}'’.\-+&]+$")
    return is_stopword | ~has_letters | is_latin_letter, is_latin, is_number


def _match_words(vocabulary: pa.Array, pattern: str) -> Bools:
    matches: Bools = pc.match_substring_regex(vocabulary, pattern).to_numpy(zero_copy_only=False)
    return matches


def _singular_vocabulary(vocabulary: pa.Array) -> tuple[Codes, pa.Array]:
    """Map English plurals in -s to their singular, so that their authors are counted together.

    Words in -ss, -us, -is and -'s are left, and those of `UNCOUNTABLE_WORDS`. Returns the code of
    each word in the new vocabulary, and the new vocabulary.
    """
    is_exception = pc.is_in(vocabulary, pa.array(UNCOUNTABLE_WORDS, vocabulary.type))
    singulars = pc.replace_substring_regex(vocabulary, PLURAL_PATTERN, r"\1")
    words = pc.if_else(is_exception, vocabulary, singulars)
    names = pc.unique(words).sort()
    return pc.index_in(words, names).to_numpy().astype(np.int32), names


def _hashtag_candidates(stream: PostStream, min_count: int) -> CandidateSource:
    hashtags: EncodedLists = stream.hashtags

    def sequence_of_week(week: int) -> CodeSequence:
        codes, posts = hashtags.codes_between(*stream.week_offsets[week : week + 2])
        return CodeSequence(codes, np.zeros(len(codes), bool), posts)

    levels = frequent_ngrams(
        sequence_of_week, stream.n_weeks, 1, min_count, max(len(hashtags.vocabulary), 1)
    )
    names = hashtags.vocabulary.take(pa.array(levels[0].last_codes))
    search = NgramSearch(levels, [np.ones(len(names), bool)])
    return sequence_of_week, search, [pc.binary_join_element_wise("#", names, "")]
