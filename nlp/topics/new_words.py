"""Detection of new Chinese words that no dictionary has, by cohesion and branching entropy.

A string of characters is a word when its parts belong together (the pointwise mutual information of
its weakest split) and when many different authors put different characters on either side of it
(the smaller of the two branching entropies). No dictionary is used, so 乳果糖奶盖 is found however
the segmenter splits it. Only strings that rise are examined.
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

MAX_WORD_CHARACTERS = 6
# Pointwise mutual information of the weakest split, in bits.
MIN_COHESION = 3.0
# Entropy of the neighbours on either side, in bits: as free as two equally likely neighbours.
MIN_BRANCHING = 1.0
# Characters that a new word neither begins nor ends with.
FUNCTION_CHARACTERS = frozenset(
    "们的了是在我你他她它们这那吗呢吧啊呀嘛和与及或但而把被让对从到就都也还又再才很太更最不没有会要能可过着得地"
)
# Occurrences in the week over those expected. Below the gain asked of authors, so that no topic is
# lost here.
MIN_RISE = 1.5


def find_new_words(
    stream: PostStream, stopwords: frozenset[str], min_count: int
) -> tuple[WeeklySequence, NgramSearch, list[pa.Array]]:
    """Find the new words with at least `min_count` occurrences and authors within some week.

    Returns the sequences of Chinese characters, a search for the new words in them, and by length
    the names of the new words.
    """
    sequences, alphabet = character_sequences(stream)
    levels = frequent_ngrams(
        sequences, stream.n_weeks, MAX_WORD_CHARACTERS, min_count, max(len(alphabet), 1)
    )
    total_counts = levels[0].weekly_counts.sum(axis=0, dtype=np.int64)
    is_function = np.isin(alphabet, [ord(character) for character in FUNCTION_CHARACTERS])
    peaks = [_peak_weeks(level.weekly_counts, total_counts, min_count) for level in levels]
    selected = [np.zeros(len(levels[0].keys), bool)]
    for n in range(2, MAX_WORD_CHARACTERS + 1):
        peak_week, is_rising = peaks[n - 1]
        rows = np.flatnonzero(is_rising)
        codes = ngram_codes(levels, n, rows)
        rows = rows[~(is_function[codes[:, 0]] | is_function[codes[:, -1]])]
        is_cohesive = np.zeros(len(is_rising), bool)
        cohesion = _weakest_cohesion(rows, peak_week[rows], levels[:n], total_counts)
        is_cohesive[rows] = cohesion >= MIN_COHESION
        selected.append(is_cohesive)
    _drop_bound_ngrams(
        sequences,
        levels,
        selected,
        peak_weeks=[peak_week for peak_week, _ in peaks],
        author_codes=stream.author_codes,
        min_authors=min_count,
    )
    names_by_length = []
    for n, is_selected in enumerate(selected, start=1):
        spelled = _spell_ngrams(levels, is_selected, n, alphabet)
        names = [name for name in spelled if not _has_stopword_edge(name, stopwords)]
        is_selected[is_selected] = [not _has_stopword_edge(name, stopwords) for name in spelled]
        names_by_length.append(pa.array(names, pa.string()))
    return sequences, NgramSearch(levels, selected), names_by_length


def character_sequences(stream: PostStream) -> tuple[WeeklySequence, Ints]:
    """Return the weekly sequences of Chinese characters of a stream, and the characters by code.

    Characters continue each other within a word and between adjacent Chinese words of one post.
    The characters are code points.
    """
    vocabulary = stream.words.vocabulary
    is_chinese = pc.match_substring_regex(vocabulary, f"^[{HAN_RANGES}]+$").to_numpy(
        zero_copy_only=False
    )
    code_points_by_word = [
        _code_points(word) if chinese else np.zeros(0, np.uint32)
        for word, chinese in zip(vocabulary.to_pylist(), is_chinese, strict=True)
    ]
    word_sizes = np.array([len(points) for points in code_points_by_word], np.int64)
    alphabet, inverse = np.unique(
        np.concatenate([np.zeros(0, np.uint32), *code_points_by_word]), return_inverse=True
    )
    character_codes = inverse.astype(np.int32)
    word_starts = np.cumsum(word_sizes) - word_sizes

    def sequence_of_week(week: int) -> CodeSequence:
        words, posts = stream.words.codes_between(*stream.week_offsets[week : week + 2])
        sizes = word_sizes[words]
        ends = np.cumsum(sizes)
        positions = np.arange(ends[-1] if len(ends) else 0)
        positions += np.repeat(word_starts[words] - ends + sizes, sizes)
        word_of_character = np.repeat(np.arange(len(words), dtype=np.int32), sizes)
        post_of_character = posts[word_of_character]
        continues = (word_of_character[1:] - word_of_character[:-1] <= 1) & (
            post_of_character[1:] == post_of_character[:-1]
        )
        continues = np.append(continues, False)[: len(word_of_character)]
        return CodeSequence(character_codes[positions], continues, post_of_character)

    return sequence_of_week, alphabet.astype(np.int64)


def _code_points(word: str) -> np.ndarray:
    return np.frombuffer(word.encode("utf-32-le"), np.uint32)


def _spell_ngrams(
    levels: Sequence[FrequentNgrams], is_selected: Bools, n: int, alphabet: Ints
) -> list[str]:
    code_points = alphabet[ngram_codes(levels, n, np.flatnonzero(is_selected))]
    return ["".join(map(chr, points)) for points in code_points.tolist()]


def _has_stopword_edge(name: str, stopwords: frozenset[str]) -> bool:
    """Return whether a name begins or ends with a stopword of two characters or more."""
    return any(
        name[:length] in stopwords or name[-length:] in stopwords
        for length in range(2, len(name) + 1)
    )


def _peak_weeks(weekly_counts: Codes, total_counts: Ints, min_count: int) -> tuple[Ints, Bools]:
    """Return the week in which each n-gram rises most, and whether it rises enough there.

    Counts under `min_count` are not recorded and taken as 0: more n-grams than necessary are
    examined, never fewer.
    """
    counts_elsewhere = weekly_counts.sum(axis=1, keepdims=True) - weekly_counts
    totals_elsewhere = np.maximum(total_counts.sum() - total_counts, 1)
    expected = (counts_elsewhere + 0.5) * (total_counts / totals_elsewhere)
    ratio = np.where(weekly_counts >= min_count, weekly_counts / np.maximum(expected, 1e-9), 0.0)
    return ratio.argmax(axis=1), ratio.max(axis=1, initial=0) >= MIN_RISE


def _weakest_cohesion(
    rows: Ints, peak_week: Ints, levels: Sequence[FrequentNgrams], total_counts: Ints
) -> Floats:
    """Return the pointwise mutual information of the weakest split of n-grams, in bits.

    It is log2(count x all characters / (count of left part x count of right part)) in the peak
    week. `rows` are n-grams of the last of `levels`.
    """
    n = len(levels)
    # Rows of the prefixes and of the suffixes of length n, n - 1, ... 1.
    prefixes = [rows]
    suffixes = [rows]
    for level in reversed(levels[1:]):
        prefixes.append(level.prefix_rows[prefixes[-1]])
        suffixes.append(level.suffix_rows[suffixes[-1]])
    joint = levels[-1].weekly_counts[rows, peak_week] * total_counts[peak_week]
    weakest = np.full(len(rows), np.inf)
    for cut in range(1, n):
        left = levels[cut - 1].weekly_counts[prefixes[n - cut], peak_week].astype(np.int64)
        right = levels[n - cut - 1].weekly_counts[suffixes[cut], peak_week]
        weakest = np.minimum(weakest, np.log2(joint / np.maximum(left * right, 1)))
    return weakest


def _drop_bound_ngrams(
    sequences: WeeklySequence,
    levels: list[FrequentNgrams],
    selected: list[Bools],
    *,
    peak_weeks: list[Ints],
    author_codes: Codes,
    min_authors: int,
) -> None:
    """Clear `selected`, in place, of the n-grams that are not used freely in their peak week."""
    for week in range(levels[0].weekly_counts.shape[1]):
        in_week = [
            is_selected & (peak_week == week)
            for is_selected, peak_week in zip(selected, peak_weeks, strict=True)
        ]
        if not any(mask.any() for mask in in_week):
            continue
        sequence = sequences(week)
        occurrences = NgramSearch(levels, in_week).occurrences(sequence)
        for n, (starts, occurrence_rows) in enumerate(occurrences, start=1):
            rows, ngrams = np.unique(occurrence_rows, return_inverse=True)
            authors = author_codes[sequence.post_of_code[starts]].astype(np.int64)
            author_range = int(authors.max(initial=0)) + 1
            distinct_pairs = sorted_unique(ngrams * author_range + authors)
            author_counts = np.bincount(distinct_pairs // author_range, minlength=len(rows))
            left, right = _neighbours(sequence, starts, n, authors)
            branching = np.minimum(
                _neighbour_entropy(ngrams, left, authors, len(rows)),
                _neighbour_entropy(ngrams, right, authors, len(rows)),
            )
            selected[n - 1][rows] &= (author_counts >= min_authors) & (branching >= MIN_BRANCHING)


def _neighbours(sequence: CodeSequence, starts: Ints, n: int, authors: Ints) -> tuple[Ints, Ints]:
    """Return the codes before and after each occurrence of an n-gram.

    The edge of a text has a code of its author's own: -1 - author.
    """
    text_edge = -1 - authors
    has_left = (starts > 0) & sequence.continues[starts - 1]
    left = np.where(has_left, sequence.codes[starts - 1], text_edge)
    last = starts + n - 1
    next_position = np.minimum(last + 1, len(sequence.codes) - 1)
    right = np.where(sequence.continues[last], sequence.codes[next_position], text_edge)
    return left, right


def _neighbour_entropy(ngrams: Ints, neighbours: Ints, authors: Ints, n_ngrams: int) -> Floats:
    """Return the entropy, in bits, of the neighbours of each n-gram.

    `ngrams`, `neighbours` and `authors` have an entry per occurrence. An author counts once per
    neighbour.
    """
    order = np.lexsort((authors, neighbours, ngrams))
    ngrams = ngrams[order]
    neighbours = neighbours[order]
    authors = authors[order]
    is_new_pair = np.append(
        True, (ngrams[1:] != ngrams[:-1]) | (neighbours[1:] != neighbours[:-1])
    )[: len(ngrams)]
    is_new_author = np.append(True, authors[1:] != authors[:-1])[: len(ngrams)]
    is_counted = is_new_pair | is_new_author
    ngram_of_pair = ngrams[is_new_pair]
    pair_of_entry = np.cumsum(is_new_pair) - 1
    counts = np.bincount(pair_of_entry[is_counted], minlength=len(ngram_of_pair))
    totals = np.bincount(ngrams[is_counted], minlength=n_ngrams)
    share = counts / totals[ngram_of_pair]
    entropy: Floats = np.bincount(
        ngram_of_pair, weights=-share * np.log2(share), minlength=n_ngrams
    ).astype(float)
    return entropy
