"""Copies of texts: equal after stripping, or nearly so by the Jaccard of their 3-grams.

MinHash proposes candidates, the true Jaccard decides. Candidates come from an LSH forest (Bawa,
Condie, Ganesan 2005): sorted arrays of MinHash rows, in which the neighbours of a text share the
longest prefixes with it. Each text has a fixed number of neighbours, so the time is linear in the
number of texts whatever they have in common.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nlp.text.normalize import (
    FoldedText,
    fold_once,
    strip_for_duplicates,
    strip_plain_for_duplicates,
)

DUPLICATES_VERSION = "1"
"""Raised whenever signatures, or what counts as a copy, change: stored originals of another version
are dropped."""

# Jaccard similarity of character 3-grams from which a text is a copy.
MIN_SIMILARITY = 0.7
# The same for texts under SHORT_TEXT_LENGTH characters, of which two edits change a third.
MIN_SHORT_SIMILARITY = 0.85
SHORT_TEXT_LENGTH = 20
# Characters; only an equal text is a copy of a shorter one.
MIN_TEXT_LENGTH = 8

MINHASH_SEED = 1
# Sorted arrays over all 3-grams of a text, and the rows of MinHash in each.
TREES = 8
DEPTH = 8
# The same over the rare 3-grams of a text alone.
RARE_TREES = 16
RARE_DEPTH = 4
# Rows of MinHash over all 3-grams, for sketches; the first ones for trees too.
_ROWS = 128
# One byte a row.
SIGNATURE_BYTES = _ROWS + RARE_TREES * RARE_DEPTH
# Neighbours of a text in each array.
NEIGHBOURS_PER_SIDE = 8
# Originals whose true Jaccard similarity to a text is computed.
MAX_CANDIDATES = 6
# The same after one that is similar enough.
MAX_CANDIDATES_AFTER_MATCH = 2
# Share of the texts; a 3-gram that more of them have is not rare.
COMMON_TRIGRAM_SHARE = 0.05
# Texts from which common 3-grams are counted.
SAMPLE_TEXTS = 5_000
# No 3-gram of a smaller sample is common.
MIN_SAMPLE_TEXTS = 1_000
# Of the 128 pairs of bits that two sketches compare. Two texts with a Jaccard of .7 agree on 99.2
# of them on average, with a standard deviation of 4.7.
_MIN_AGREEING_PAIRS = 86
_LOW_BITS = np.uint64(0x5555555555555555)
# Texts of a block, whose sketches are compared with each other.
_MIN_BLOCK_TEXTS = 512
_MAX_BLOCK_TEXTS = 4096
# The last text of a block may exceed it.
_MAX_BLOCK_CHARACTERS = 4_000_000
# Texts of a block that are compared with the others at once.
_CHUNK_TEXTS = 128
# Texts of a block that are compared by compiled code, which takes a while to load.
_MIN_COMPILED_TEXTS = 400
# Characters of a text whose 3-grams are cached.
_MAX_CACHED_LENGTH = 1_000

Bytes = NDArray[np.uint8]
UInts = NDArray[np.uint64]
Ints = NDArray[np.int64]
DuplicateRow = tuple[str, str, float]


class OriginalMatch(NamedTuple):
    """The original that a text copies, or the text itself where it copies none."""

    number: int
    similarity: float


def exact_digest(text: str | FoldedText) -> str:
    """Return 16 hex digits that two texts share when `strip_for_duplicates` makes them equal."""
    return stripped_digest(strip_plain_for_duplicates(fold_once(text).plain.text))


def stripped_digest(stripped: str) -> str:
    """Return the same digest for a result of `strip_for_duplicates`."""
    return blake2b(stripped.encode(), digest_size=8).hexdigest()


def cluster_duplicates(
    ids: Sequence[str], texts: Sequence[str], published_at: Sequence[datetime] | None = None
) -> list[DuplicateRow]:
    """Return `(id, cluster, similarity)` of every text that copies an earlier one.

    `cluster` is the id of its original. Leader clustering: texts come by time, then id, whatever
    the order given; each joins the most similar original before it (Jaccard of character 3-grams, 1
    for equal texts), or becomes an original itself. A copy is always compared with the original, so
    that a chain of small changes can't join two texts that differ. Texts without a letter, digit or
    emoji copy nothing.
    """
    stripped = [strip_for_duplicates(text) for text in texts]
    moments: Sequence[Any] = published_at or [0] * len(ids)
    equal: dict[str, list[int]] = {}
    for row in sorted(range(len(ids)), key=lambda row: (moments[row], ids[row])):
        if stripped[row]:
            equal.setdefault(stripped[row], []).append(row)
    distinct = list(equal)
    originals = OriginalIndex(common_trigrams(distinct[:: -(-len(distinct) // SAMPLE_TEXTS) or 1]))
    copies: list[DuplicateRow] = []
    first: list[str] = []  # the earliest post of each original
    for rows, (number, similarity) in zip(
        equal.values(), originals.match_or_add(distinct), strict=True
    ):
        if number == len(first):
            first.append(ids[rows[0]])
        copies += [
            (ids[row], first[number], similarity) for row in rows if ids[row] != first[number]
        ]
    return copies


def common_trigrams(sample: Sequence[str]) -> UInts:
    """Return the 3-grams of more than `COMMON_TRIGRAM_SHARE` of the texts of a sample, sorted.

    None where the sample has under `MIN_SAMPLE_TEXTS` texts.
    """
    if len(sample) < MIN_SAMPLE_TEXTS:
        return np.zeros(0, np.uint64)
    grams, starts = _trigram_codes([text for text in sample if len(text) >= MIN_TEXT_LENGTH])
    owners = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    order = np.argsort(grams, kind="stable")  # by 3-gram, then by text
    grams = grams[order]
    owners = owners[order]
    new_gram = np.append(True, grams[1:] != grams[:-1])[: len(grams)]
    new_pair = new_gram | np.append(True, owners[1:] != owners[:-1])[: len(grams)]
    texts = np.add.reduceat(new_pair, np.flatnonzero(new_gram), dtype=np.int64)
    common: UInts = grams[new_gram][texts > COMMON_TRIGRAM_SHARE * len(sample)]
    return common


class OriginalIndex:
    """Originals, numbered from 0, and their signatures, by which copies find them.

    `signatures` (n, `SIGNATURE_BYTES`) are those of the originals 0 to n - 1, a row of zeros for a
    text under `MIN_TEXT_LENGTH` characters; `fetch_texts` returns the stripped texts of some of
    them. `common` are the 3-grams that are not rare (`common_trigrams`).
    """

    def __init__(
        self,
        common: UInts,
        signatures: Bytes | None = None,
        fetch_texts: Callable[[Sequence[int]], Sequence[str]] | None = None,
    ) -> None:
        stored = np.zeros((0, SIGNATURE_BYTES), np.uint8) if signatures is None else signatures
        self.common = common
        self._fetch_texts = fetch_texts
        self._texts: dict[int, str] = {}
        self._parts = [stored]
        self._sketches = _GrowingColumns(_make_sketches(stored))
        long = np.flatnonzero(stored.any(axis=1))
        self._trees = [_SortedKeys(keys, long) for keys in _tree_keys(stored[long])]

    def __len__(self) -> int:
        return len(self._sketches)

    @property
    def signatures(self) -> Bytes:
        """Return the signatures of all originals (n, `SIGNATURE_BYTES`), by number."""
        self._parts = [np.concatenate(self._parts)]
        return self._parts[0]

    def match_or_add(self, texts: Sequence[str]) -> Iterator[OriginalMatch]:
        """Yield for each stripped text the original that it copies; add one that copies none.

        Of the likeliest originals (`MAX_CANDIDATES`, `MAX_CANDIDATES_AFTER_MATCH`) it is the most
        similar one, and of equally similar ones the first. The texts must differ from each other
        and from all before them.
        """
        start = 0
        while start < len(texts):
            end = self._block_end(texts, start)
            yield from self._match_block(texts[start:end])
            start = end

    def _block_end(self, texts: Sequence[str], start: int) -> int:
        """Return where a block ends.

        Blocks grow with the originals, since each block is merged into arrays of all originals.
        """
        max_texts = min(max(_MIN_BLOCK_TEXTS, len(self) // 128), _MAX_BLOCK_TEXTS)
        characters = 0
        for end in range(start, min(start + max_texts, len(texts))):
            characters += len(texts[end])
            if characters > _MAX_BLOCK_CHARACTERS:
                return end + 1
        return min(start + max_texts, len(texts))

    def _match_block(self, texts: Sequence[str]) -> list[OriginalMatch]:
        """Return the originals of the texts of one block, new ones added."""
        long = np.array(
            [row for row, text in enumerate(texts) if len(text) >= MIN_TEXT_LENGTH], np.int64
        )
        signatures = np.zeros((len(texts), SIGNATURE_BYTES), np.uint8)
        signatures[long] = _compute_signatures([texts[row] for row in long], self.common)
        candidates = self._find_candidates(signatures, long)
        first_new = len(self)
        # Number of each text of the block that became an original, -1 for copies.
        new_numbers = [-1] * len(texts)
        matches: list[OriginalMatch] = []
        count = first_new
        for row, text in enumerate(texts):
            numbers = (
                number if number < first_new else new_numbers[number - first_new]
                for number in candidates[row]
            )
            original = self._best_match(text, (number for number in numbers if number >= 0))
            if original is None:
                original = OriginalMatch(count, 1.0)
                self._texts[count] = text
                new_numbers[row] = count
                count += 1
            matches.append(original)
        self._add_originals(signatures[np.array(new_numbers) >= 0])
        return matches

    def _find_candidates(self, signatures: Bytes, rows: Ints) -> list[list[int]]:
        """Return for each text of a block what it may copy, the likeliest first.

        That are numbers of originals, at most `MAX_CANDIDATES`, and of texts before it in the
        block, counted on from the originals.
        """
        sketches = _make_sketches(signatures)
        pairs = [_no_pairs()]
        row_sketches = np.ascontiguousarray(sketches[:, rows])
        for tree, keys in zip(self._trees, _tree_keys(signatures[rows]), strict=True):
            key_rows, originals, agreeing = tree.agreeing_neighbours(
                keys, row_sketches, self._sketches.values
            )
            pairs.append((rows[key_rows], originals, agreeing))
        row, original = _rank_pairs(pairs, MAX_CANDIDATES)
        self._load_texts(original.tolist())
        originals_of = (
            row,
            original,
            _agreeing_pairs(sketches[:, row], self._sketches.values[:, original]),
        )
        later, earlier, alike = _pairs_within_block(sketches, rows)
        row, candidate = _rank_pairs([originals_of, (later, earlier + len(self), alike)])
        ends = np.searchsorted(row, np.arange(len(signatures) + 1))
        return [candidate[start:end].tolist() for start, end in pairwise(ends)]

    def _load_texts(self, numbers: Sequence[int]) -> None:
        """Load the texts of some originals."""
        missing = [number for number in dict.fromkeys(numbers) if number not in self._texts]
        if missing and self._fetch_texts is not None:
            self._texts.update(zip(missing, self._fetch_texts(missing), strict=True))

    def _best_match(self, text: str, candidates: Iterable[int]) -> OriginalMatch | None:
        """Return the most similar candidate that `text` copies, the first of equals, or None."""
        best: OriginalMatch | None = None
        grams: frozenset[str] = frozenset()
        left = MAX_CANDIDATES
        for number in candidates:
            if not left:
                break
            left -= 1
            grams = grams or _trigrams(text)
            original = self._texts[number]
            similarity = _jaccard(grams, _trigrams(original))
            enough = (
                MIN_SHORT_SIMILARITY
                if min(len(text), len(original)) < SHORT_TEXT_LENGTH
                else MIN_SIMILARITY
            )
            if similarity >= enough and (
                best is None or (similarity, -number) > (best.similarity, -best.number)
            ):
                best = OriginalMatch(number, similarity)
                left = min(left, MAX_CANDIDATES_AFTER_MATCH)
        return best

    def _add_originals(self, signatures: Bytes) -> None:
        numbers = np.arange(len(self), len(self) + len(signatures))
        self._parts.append(signatures)
        self._sketches.extend(_make_sketches(signatures))
        long = signatures.any(axis=1)
        for tree, keys in zip(self._trees, _tree_keys(signatures[long]), strict=True):
            tree.add(keys, numbers[long])


class _GrowingColumns:
    """Columns of an array to which columns are appended in constant time each."""

    def __init__(self, columns: UInts) -> None:
        self._columns = columns
        self._count = columns.shape[1]

    def __len__(self) -> int:
        return int(self._count)

    @property
    def values(self) -> UInts:
        return self._columns[:, : self._count]

    def extend(self, columns: UInts) -> None:
        end = self._count + columns.shape[1]
        if end > self._columns.shape[1]:
            longer = np.empty(
                (len(self._columns), max(end, 2 * self._columns.shape[1])), self._columns.dtype
            )
            longer[:, : self._count] = self.values
            self._columns = longer
        self._columns[:, self._count : end] = columns
        self._count = end


class _SortedKeys:
    """Originals sorted by some rows of their MinHash: neighbours share the longest prefixes."""

    def __init__(self, keys: UInts, numbers: Ints) -> None:
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._numbers = numbers[order]

    def add(self, keys: UInts, numbers: Ints) -> None:
        """Merge further originals in."""
        order = np.argsort(keys, kind="stable")
        positions = np.searchsorted(self._keys, keys[order], side="right") + np.arange(len(keys))
        is_old = np.ones(len(self._keys) + len(keys), bool)
        is_old[positions] = False
        self._keys = _merge_sorted(self._keys, keys[order], positions, is_old)
        self._numbers = _merge_sorted(self._numbers, numbers[order], positions, is_old)

    def agreeing_neighbours(
        self, keys: UInts, sketches: UInts, original_sketches: UInts
    ) -> "_Pairs":
        """Return (row in `keys`, original, agreement) of likely originals near a key.

        They have the first row of the key and a sketch that agrees enough with the key's.
        """
        positions = np.searchsorted(self._keys, keys)
        if len(keys) < _MIN_COMPILED_TEXTS:
            return self._agreeing_neighbours_of_few(keys, positions, sketches, original_sketches)
        from nlp.text.compiled_copies import find_agreeing_neighbours

        rows, originals, agreeing = find_agreeing_neighbours(
            (self._keys, self._numbers),
            keys,
            positions,
            sketches,
            original_sketches,
            (NEIGHBOURS_PER_SIDE, _ROWS, _MIN_AGREEING_PAIRS),
        )
        return rows, originals, agreeing

    def _agreeing_neighbours_of_few(
        self, keys: UInts, places: Ints, sketches: UInts, original_sketches: UInts
    ) -> "_Pairs":
        """Do the same without compiled code."""
        positions = places[:, None] + np.arange(-NEIGHBOURS_PER_SIDE, NEIGHBOURS_PER_SIDE)
        is_inside = (positions >= 0) & (positions < len(self._keys))
        key_rows, column = np.nonzero(is_inside)
        positions = positions[key_rows, column]
        is_near = (self._keys[positions] ^ keys[key_rows]) >> np.uint64(56) == 0
        key_rows = key_rows[is_near]
        originals = self._numbers[positions[is_near]]
        agreeing = _agreeing_pairs(sketches[:, key_rows], original_sketches[:, originals])
        likely = np.flatnonzero(agreeing >= _MIN_AGREEING_PAIRS)
        return key_rows[likely], originals[likely], agreeing[likely]


def _merge_sorted(old: Any, new: Any, new_positions: Ints, is_old: NDArray[np.bool_]) -> Any:
    """Merge two arrays: `new` goes to `new_positions`, `old` to where `is_old` is true."""
    merged = np.empty(len(is_old), old.dtype)
    merged[new_positions] = new
    merged[is_old] = old
    return merged


_Pairs = tuple[Ints, Ints, Bytes]
"""Texts of a block, what they may copy, and on how many pairs of bits their sketches agree."""


def _no_pairs() -> _Pairs:
    return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8)


def _concatenate_pairs(pairs: Sequence[_Pairs]) -> _Pairs:
    row, candidate, agreeing = (np.concatenate(arrays) for arrays in zip(*pairs, strict=True))
    return row, candidate, agreeing


def _rank_pairs(pairs: Sequence[_Pairs], max_candidates: int | None = None) -> tuple[Ints, Ints]:
    """Return (row, candidate) of the distinct pairs by row, at most `max_candidates` a row.

    The likeliest candidates come first, and of equally likely ones the earlier.
    """
    row, candidate, agreeing = _concatenate_pairs(pairs)
    key = np.sort(row << 48 | (_ROWS - agreeing.astype(np.int64)) << 40 | candidate)
    fresh = np.ones(len(key), bool)
    fresh[1:] = key[1:] != key[:-1]
    key = key[fresh]
    row = key >> 48
    if max_candidates is not None:
        chosen = np.arange(len(row)) - np.searchsorted(row, row) < max_candidates
        key = key[chosen]
        row = row[chosen]
    return row, key & (1 << 40) - 1


def _pairs_within_block(sketches: UInts, rows: Ints) -> _Pairs:
    """Return the pairs of texts of a block that may be similar enough: later, earlier, agreement.

    `rows` are the texts to compare.
    """
    pairs = [_no_pairs()]
    row_sketches = np.ascontiguousarray(sketches[:, rows])
    if len(rows) >= _MIN_COMPILED_TEXTS:
        from nlp.text.compiled_copies import find_agreeing_within

        later, earlier, agreeing = find_agreeing_within(row_sketches, _ROWS, _MIN_AGREEING_PAIRS)
        return rows[later], rows[earlier], agreeing
    for start in range(0, len(rows), _CHUNK_TEXTS):
        agreeing = _agreeing_pairs(
            row_sketches[:, start : start + _CHUNK_TEXTS, None],
            row_sketches[:, None, : start + _CHUNK_TEXTS],
        )
        later, earlier = np.nonzero(agreeing >= _MIN_AGREEING_PAIRS)
        is_earlier = earlier < later + start
        later = later[is_earlier]
        earlier = earlier[is_earlier]
        pairs.append((rows[later + start], rows[earlier], agreeing[later, earlier]))
    return _concatenate_pairs(pairs)


def _compute_signatures(texts: Sequence[str], common: UInts) -> Bytes:
    """Return the low bytes of the MinHash rows (n, `SIGNATURE_BYTES`) of texts.

    First rows over all 3-grams of a text, then over its rare ones, or again over all where none is
    rare. Texts have 3 characters or more.
    """
    if not texts:
        return np.zeros((0, SIGNATURE_BYTES), np.uint8)
    grams, starts = _trigram_codes(texts)
    is_rare = np.isin(grams, common, invert=True)
    rare_counts = np.add.reduceat(is_rare, starts[:-1], dtype=np.int64)
    is_rare |= np.repeat(rare_counts == 0, np.diff(starts))
    rare_counts = np.add.reduceat(is_rare, starts[:-1], dtype=np.int64)
    rare_starts = np.concatenate([[0], np.cumsum(rare_counts)])
    return np.concatenate(
        [
            _minhash_rows(grams, starts, _ROWS),
            _minhash_rows(grams[is_rare], rare_starts, RARE_TREES * RARE_DEPTH),
        ],
        axis=1,
    )


def _minhash_rows(grams: UInts, starts: Ints, rows: int) -> Bytes:
    from rensa import RMinHash

    # Mixed, so that neighbours in the alphabet get unlike hashes.
    mixed = (grams ^ grams >> np.uint64(31)) * np.uint64(0x9E3779B97F4A7C15)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        mixed ^ mixed >> np.uint64(32), starts.astype(np.uint64), rows, MINHASH_SEED
    )
    return np.array(matrix.to_rows(), np.uint32).astype(np.uint8)


def _trigram_codes(texts: Sequence[str]) -> tuple[UInts, Ints]:
    """Return the character 3-grams of texts as numbers, and where the 3-grams of each text begin.

    21 bits a character, repeated 3-grams too. The last offset is the end of the last text. Texts
    have 3 characters or more.
    """
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32).astype(
        np.uint64
    )
    grams = points[:-2] << np.uint64(42) | points[1:-1] << np.uint64(21) | points[2:]
    sizes = np.array([len(text) for text in texts], np.int64)
    ends = np.cumsum(sizes)[:-1]
    inside = np.ones(len(grams), bool)
    inside[np.concatenate([ends - 1, ends - 2])] = False  # begin in one text and end in the next
    return grams[inside], np.concatenate([[0], np.cumsum(sizes - 2)])


def _tree_keys(signatures: Bytes) -> list[UInts]:
    """Return the sort key of each tree: rows of the signatures as a number of 64 bits."""
    all_keys = np.ascontiguousarray(signatures[:, : TREES * DEPTH]).view(">u8").astype(np.uint64)
    rare_keys = np.ascontiguousarray(signatures[:, _ROWS:]).view(">u4").astype(np.uint64)
    rare_keys <<= np.uint64(32)
    return [*all_keys.T.copy(), *rare_keys.T.copy()]


def _make_sketches(signatures: Bytes) -> UInts:
    """Return two low bits of each row over all 3-grams (4, n): b-bit MinHash (Li, König 2010)."""
    bits = signatures[:, :_ROWS] & 3
    packed = bits[:, 0::4] | bits[:, 1::4] << 2 | bits[:, 2::4] << 4 | bits[:, 3::4] << 6
    return np.ascontiguousarray(np.ascontiguousarray(packed).view(np.uint64).T)


def _agreeing_pairs(first: UInts, second: UInts) -> Bytes:
    """Return on how many of 128 pairs of bits sketches agree.

    A quarter of them, and three quarters of the Jaccard, on average.
    """
    agreeing = np.uint8(_ROWS)
    for first_word, second_word in zip(first, second, strict=True):
        differing = first_word ^ second_word
        agreeing = agreeing - np.bitwise_count((differing | differing >> np.uint64(1)) & _LOW_BITS)
    return np.asarray(agreeing)


def _trigrams(text: str) -> frozenset[str]:
    """Return the distinct 3-grams of a text; those of short texts are cached."""
    return (
        _cached_trigrams(text)
        if len(text) <= _MAX_CACHED_LENGTH
        else _cached_trigrams.__wrapped__(text)
    )


@lru_cache(maxsize=2048)
def _cached_trigrams(text: str) -> frozenset[str]:
    return frozenset(map("".join, zip(text, text[1:], text[2:], strict=False)))


def _jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared)
