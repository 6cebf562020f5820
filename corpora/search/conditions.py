"""Conditions of one word, tested and found in a segment."""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpora.index.layout import PARTS_OF_SPEECH
from corpora.index.lexicon import Lexicon
from corpora.index.segment import Positions, Postings, Segment
from corpora.query.syntax import (
    Flags,
    Wildcard,
    Word,
    WordAll,
    WordCondition,
    WordMatch,
    WordNot,
)
from corpora.search.forms import (
    PUBLISHED_FLAGS,
    literal_word,
    wildcard_expression,
    without_diacritics,
    word_expression,
    word_form,
)
from corpora.search.lookup import ranges
from folate.core.errors import InputError

Mask = npt.NDArray[np.bool_]

# A part of a segment above which its words are read in order instead of their postings.
_DENSE_SHARE = 1 / 16
_PUBLISHED_AT_ONCE = 100_000


class LexiconMasks:
    """Which words of the lexicon match, found once for all segments of a search."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._masks: dict[tuple[str, bool], Mask] = {}
        self._ids: dict[tuple[str, bool], Positions] = {}
        self._numbers: dict[str, int] = {}

    def id(self, word: str) -> int:
        """Return the number of a word, or -1."""
        if word not in self._numbers:
            self._numbers[word] = self._lexicon.id(word)
        return self._numbers[word]

    def mask(self, expression: str, *, stripped: bool) -> Mask:
        """Return for each word whether an expression matches it, or it without its diacritics."""
        key = (expression, stripped)
        if key not in self._masks:
            if stripped:
                self._masks[key] = matches_whole(self._stripped_words, expression)
            else:
                self._masks[key] = self._matching(expression)
        return self._masks[key]

    def ids(self, expression: str, *, stripped: bool) -> Positions:
        """Return the numbers of the words for which `mask` is true."""
        key = (expression, stripped)
        if key not in self._ids:
            self._ids[key] = np.flatnonzero(self.mask(expression, stripped=stripped))
        return self._ids[key]

    def _matching(self, expression: str) -> Mask:
        try:
            return self._lexicon.matching(expression)
        except pa.ArrowInvalid as error:
            raise _invalid(expression, error) from error

    @cached_property
    def _stripped_words(self) -> pa.Array:
        words = self._lexicon.strings(np.arange(len(self._lexicon)))
        return pa.array(list(map(without_diacritics, words)), pa.string())


def matches_whole(texts: pa.Array, expression: str) -> Mask:
    """Return for each text whether an RE2 expression matches all of it. Raises InputError."""
    try:
        mask = pc.match_substring_regex(texts, f"^(?:{expression})$")
    except pa.ArrowInvalid as error:
        raise _invalid(expression, error) from error
    values: Mask = mask.to_numpy(zero_copy_only=False).astype(bool)
    return values


def _invalid(expression: str, error: Exception) -> InputError:
    return InputError(f"wanted a regular expression, got {expression!r}: {error}.")


class WordTest(ABC):
    """A condition of one word, in one segment."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment

    @abstractmethod
    def test(self, positions: Positions) -> Mask:
        """Return for word positions whether their words meet the condition."""

    @abstractmethod
    def test_stretch(self, low: int, high: int) -> Mask:
        """Return likewise for all word positions from `low` to before `high`."""

    @property
    def count(self) -> int:
        """How many words `find` reads in the whole segment, at most."""
        return len(self._segment.array("words"))

    def find(self, low: int, high: int) -> Positions:
        """Return the positions from `low` to before `high` whose words meet the condition."""
        return np.flatnonzero(self.test_stretch(low, high)) + low


class AnyWordTest(WordTest):
    """The condition that every word meets."""

    def test(self, positions: Positions) -> Mask:
        return np.ones(len(positions), np.bool_)

    def test_stretch(self, low: int, high: int) -> Mask:
        return np.ones(high - low, np.bool_)


class LexiconTest(WordTest):
    """The word or the lemma is one of some entries of the lexicon."""

    def __init__(
        self,
        segment: Segment,
        attribute: Literal["word", "lemma"],
        ids: Positions,
        mask: Mask | None,
    ) -> None:
        """Take the numbers of the entries and a mask of the lexicon; one entry needs no mask."""
        super().__init__(segment)
        self._attribute = attribute
        self._ids = ids
        self._mask = mask

    def test(self, positions: Positions) -> Mask:
        return self._among(self._values[positions])

    def test_stretch(self, low: int, high: int) -> Mask:
        return self._among(self._values[low:high])

    @cached_property
    def count(self) -> int:
        offsets = self._postings.offsets
        keys = self._key_indexes
        return int((offsets[keys + 1] - offsets[keys]).sum())

    def find(self, low: int, high: int) -> Positions:
        if self.count > _DENSE_SHARE * super().count and len(self._ids) > 1:
            return super().find(low, high)
        first, last = np.searchsorted(self._positions, np.array([low, high], np.uint32))
        return np.asarray(self._positions[first:last], np.int64)

    @property
    def _values(self) -> npt.NDArray[Any]:
        return self._segment.array("words" if self._attribute == "word" else "lemmas")

    @property
    def _postings(self) -> Postings:
        return self._segment.words if self._attribute == "word" else self._segment.lemmas

    def _among(self, values: npt.NDArray[Any]) -> Mask:
        if self._mask is not None:
            among: Mask = self._mask[values]
            return among
        if not len(self._ids):
            return np.zeros(len(values), np.bool_)
        mask: Mask = values == self._ids[0].astype(np.uint32)
        return mask

    @cached_property
    def _key_indexes(self) -> Positions:
        """The entries that occur in the segment, as indexes of keys of the postings."""
        keys = self._postings.keys
        if self._mask is not None and len(self._ids) > len(keys) // 20:
            return np.flatnonzero(self._mask[keys])
        indexes = np.searchsorted(keys, self._ids.astype(np.uint32))
        inside = np.minimum(indexes, max(len(keys) - 1, 0))
        if not len(keys):
            return np.empty(0, np.int64)
        occurs = (indexes < len(keys)) & (keys[inside] == self._ids)
        return np.asarray(inside[occurs], np.int64)

    @cached_property
    def _positions(self) -> npt.NDArray[Any]:
        """The sorted positions of the entries."""
        postings = self._postings
        keys = self._key_indexes
        starts = postings.offsets[keys]
        counts = postings.offsets[keys + 1] - starts
        if len(keys) == 1:
            return postings.values[starts[0] : starts[0] + counts[0]]
        return np.sort(postings.values[ranges(starts, counts)])


class TaggedTest(WordTest):
    """A condition of a lemma; a word without tags has the lemma ""."""

    def __init__(self, segment: Segment, inner: LexiconTest, matches_empty: bool) -> None:
        super().__init__(segment)
        self._inner = inner
        self._matches_empty = matches_empty

    @property
    def count(self) -> int:
        return super().count if self._matches_empty else self._inner.count

    def test(self, positions: Positions) -> Mask:
        return self._corrected(self._inner.test(positions), positions)

    def test_stretch(self, low: int, high: int) -> Mask:
        mask = self._inner.test_stretch(low, high)
        return mask if self._is_tagged else self._corrected(mask, np.arange(low, high))

    def find(self, low: int, high: int) -> Positions:
        if self._matches_empty:
            return super().find(low, high)
        positions = self._inner.find(low, high)
        if self._is_tagged:
            return positions
        return positions[self._corrected(np.ones(len(positions), np.bool_), positions)]

    @cached_property
    def _is_tagged(self) -> bool:
        return bool(self._segment.has_tags.all())

    def _corrected(self, mask: Mask, positions: Positions) -> Mask:
        if self._is_tagged:
            return mask
        offsets = self._segment.array("word_offsets")
        is_tagged = self._segment.has_tags[np.searchsorted(offsets, positions, "right") - 1]
        return np.where(is_tagged, mask, self._matches_empty)


class PartTest(WordTest):
    """The part of speech is one of some."""

    def __init__(self, segment: Segment, expression: str) -> None:
        super().__init__(segment)
        self._table = matches_whole(pa.array(PARTS_OF_SPEECH), expression)

    def test(self, positions: Positions) -> Mask:
        mask: Mask = self._table[self._segment.array("parts")[positions]]
        return mask

    def test_stretch(self, low: int, high: int) -> Mask:
        mask: Mask = self._table[self._segment.array("parts")[low:high]]
        return mask


class PublishedTest(WordTest):
    """A word whose published form matches too, among those whose folded form does."""

    def __init__(self, segment: Segment, folded: WordTest, expression: str, flags: Flags) -> None:
        super().__init__(segment)
        self._folded = folded
        self._expression = expression
        self._flags = flags
        self._verdicts: dict[str, bool] = {}

    @property
    def count(self) -> int:
        return self._folded.count

    def test(self, positions: Positions) -> Mask:
        mask = self._folded.test(positions)
        candidates = np.flatnonzero(mask)
        mask[candidates] = self._is_published(positions[candidates])
        return mask

    def test_stretch(self, low: int, high: int) -> Mask:
        mask = np.zeros(high - low, np.bool_)
        mask[self.find(low, high) - low] = True
        return mask

    def find(self, low: int, high: int) -> Positions:
        positions = self._folded.find(low, high)
        return positions[self._is_published(positions)]

    def _is_published(self, positions: Positions) -> Mask:
        mask = np.zeros(len(positions), np.bool_)
        for low in range(0, len(positions), _PUBLISHED_AT_ONCE):
            high = low + _PUBLISHED_AT_ONCE
            mask[low:high] = self._is_published_some(positions[low:high])
        return mask

    def _is_published_some(self, positions: Positions) -> Mask:
        starts = self._segment.array("word_starts")[positions].astype(np.int64)
        lengths = self._segment.array("word_lengths")[positions]
        texts = self._segment.texts(starts, starts + lengths)
        new = [text for text in dict.fromkeys(texts) if text not in self._verdicts]
        if new:
            forms = pa.array([word_form(text, self._flags) for text in new], pa.string())
            matches = matches_whole(forms, self._expression).tolist()
            self._verdicts.update(zip(new, matches, strict=True))
        return np.array([self._verdicts[text] for text in texts], np.bool_)


class AllTest(WordTest):
    """All of some conditions; found from the rarest."""

    def __init__(self, segment: Segment, items: list[WordTest]) -> None:
        super().__init__(segment)
        self._items = sorted(items, key=lambda item: item.count)

    @property
    def count(self) -> int:
        return self._items[0].count

    def test(self, positions: Positions) -> Mask:
        mask = self._items[0].test(positions)
        for item in self._items[1:]:
            mask &= item.test(positions)
        return mask

    def test_stretch(self, low: int, high: int) -> Mask:
        mask = np.zeros(high - low, np.bool_)
        mask[self.find(low, high) - low] = True
        return mask

    def find(self, low: int, high: int) -> Positions:
        positions = self._items[0].find(low, high)
        for item in self._items[1:]:
            positions = positions[item.test(positions)]
        return positions


class AnyTest(WordTest):
    """One of some conditions."""

    def __init__(self, segment: Segment, items: list[WordTest]) -> None:
        super().__init__(segment)
        self._items = items

    @property
    def count(self) -> int:
        return min(super().count, sum(item.count for item in self._items))

    def test(self, positions: Positions) -> Mask:
        mask = self._items[0].test(positions)
        for item in self._items[1:]:
            mask |= item.test(positions)
        return mask

    def test_stretch(self, low: int, high: int) -> Mask:
        mask = self._items[0].test_stretch(low, high)
        for item in self._items[1:]:
            mask |= item.test_stretch(low, high)
        return mask

    def find(self, low: int, high: int) -> Positions:
        if self.count > _DENSE_SHARE * super().count:
            return super().find(low, high)
        return np.unique(np.concatenate([item.find(low, high) for item in self._items]))


class NotTest(WordTest):
    """A condition that must be false."""

    def __init__(self, segment: Segment, item: WordTest) -> None:
        super().__init__(segment)
        self._item = item

    def test(self, positions: Positions) -> Mask:
        return ~self._item.test(positions)

    def test_stretch(self, low: int, high: int) -> Mask:
        return ~self._item.test_stretch(low, high)


def word_test(segment: Segment, masks: LexiconMasks, node: Word | Wildcard) -> WordTest:
    """Return the test of a node for one word."""
    if isinstance(node, Wildcard):
        expression = wildcard_expression(node.pattern, node.flags)
        plain = wildcard_expression(node.pattern, _folded_flags(node.flags))
        return _text_test(segment, masks, "word", plain, expression, node.flags)
    if node.condition is None:
        return AnyWordTest(segment)
    return _condition_test(segment, masks, node.condition)


def _condition_test(segment: Segment, masks: LexiconMasks, condition: WordCondition) -> WordTest:
    if isinstance(condition, WordMatch):
        test = _match_test(segment, masks, condition)
        return NotTest(segment, test) if condition.is_negated else test
    if isinstance(condition, WordNot):
        return NotTest(segment, _condition_test(segment, masks, condition.item))
    items = [_condition_test(segment, masks, item) for item in condition.items]
    return AllTest(segment, items) if isinstance(condition, WordAll) else AnyTest(segment, items)


def _match_test(segment: Segment, masks: LexiconMasks, match: WordMatch) -> WordTest:
    expression = word_expression(match.pattern, match.is_literal, match.flags)
    if match.attribute == "pos":
        # parts of speech are in upper case
        in_any_case = expression if "case" in match.flags else f"(?i){expression}"
        return PartTest(segment, in_any_case)
    folded_flags = _folded_flags(match.flags)
    literal = literal_word(match.pattern, match.is_literal, folded_flags)
    if literal is not None and not match.flags:
        number = masks.id(literal)
        ids = np.array([number] if number >= 0 else [], np.int64)
        test = LexiconTest(segment, match.attribute, ids, None)
        return test if match.attribute == "word" else TaggedTest(segment, test, literal == "")
    folded = word_expression(match.pattern, match.is_literal, folded_flags)
    return _text_test(segment, masks, match.attribute, folded, expression, match.flags)


def _text_test(
    segment: Segment,
    masks: LexiconMasks,
    attribute: Literal["word", "lemma"],
    folded_expression: str,
    expression: str,
    flags: Flags,
) -> WordTest:
    stripped = "no_diacritics" in flags
    ids = masks.ids(folded_expression, stripped=stripped)
    mask = masks.mask(folded_expression, stripped=stripped)
    test = LexiconTest(segment, attribute, ids, mask)
    if attribute == "lemma":
        # a lemma has no published form that flags could look at
        matches_empty = bool(matches_whole(pa.array([""]), folded_expression)[0])
        return TaggedTest(segment, test, matches_empty)
    if flags & PUBLISHED_FLAGS:
        return PublishedTest(segment, test, expression, flags)
    return test


def _folded_flags(flags: Flags) -> Flags:
    return flags - PUBLISHED_FLAGS
