"""Constraints of captures, such as `A.word = B.word`."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from corpora.index.layout import PARTS_OF_SPEECH
from corpora.index.segment import Positions, Segment
from corpora.query.syntax import (
    CaptureAll,
    CaptureComparison,
    CaptureConstraint,
    CaptureEdge,
    CaptureLiteral,
    CaptureNot,
    CaptureValue,
)
from corpora.search.conditions import LexiconMasks
from corpora.search.spans import ABSENT, Mask, Matches
from folate.core.errors import InputError
from nlp.text.normalize import normalize_text

_MISSING = -1
_UNKNOWN = -2
# Parts of speech that are no words of the lexicon have values from here downwards.
_FIRST_PART = -10

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


def captured_names(constraint: CaptureConstraint) -> Iterator[str]:
    """Yield the names of the captures that a constraint looks at."""
    if isinstance(constraint, CaptureComparison):
        for side in (constraint.left, constraint.right):
            if not isinstance(side, CaptureLiteral):
                yield side.name
    elif isinstance(constraint, CaptureNot):
        yield from captured_names(constraint.item)
    else:
        for item in constraint.items:
            yield from captured_names(item)


class ConstraintTest:
    """Constraints over the captures of matches in one segment.

    Values are compared in their normal form. A comparison with the value of a capture that
    captured no word is false, and so is one with the edge of a capture that is not there.
    """

    def __init__(self, segment: Segment, masks: LexiconMasks) -> None:
        self._segment = segment
        self._masks = masks

    def test(self, constraint: CaptureConstraint, matches: Matches) -> Mask:
        """Return which matches meet a constraint. Raises InputError."""
        if isinstance(constraint, CaptureComparison):
            return self._compare(constraint, matches)
        if isinstance(constraint, CaptureNot):
            return ~self.test(constraint.item, matches)
        verdicts = [self.test(item, matches) for item in constraint.items]
        combine = np.logical_and if isinstance(constraint, CaptureAll) else np.logical_or
        mask: Mask = combine.reduce(verdicts)
        return mask

    def _compare(self, comparison: CaptureComparison, matches: Matches) -> Mask:
        left, right = comparison.left, comparison.right
        edges = isinstance(left, CaptureEdge) + isinstance(right, CaptureEdge)
        if edges == 1 or (not edges and comparison.operator not in ("=", "!=")):
            raise InputError(
                "wanted two positions, or two texts with = or !=, "
                f"got another comparison ({comparison.operator}) in the constraint; "
                "possible: A.word = B.word, A.lemma != 'x', start(A) < end(B)."
            )
        if isinstance(left, CaptureLiteral) and isinstance(right, CaptureLiteral):
            same = normalize_text(left.text) == normalize_text(right.text)
            return np.full(len(matches), same == (comparison.operator == "="))
        left_values = self._values(left, matches)
        right_values = self._values(right, matches)
        mask: Mask = _COMPARE[comparison.operator](left_values, right_values)
        missing = ABSENT if edges else _MISSING
        mask &= (left_values != missing) & (right_values != missing)
        return mask

    def _values(
        self, side: CaptureValue | CaptureLiteral | CaptureEdge, matches: Matches
    ) -> npt.NDArray[np.int64]:
        if isinstance(side, CaptureLiteral):
            return np.full(len(matches), self._number(normalize_text(side.text)))
        firsts, lasts = matches.captures[side.name]
        if isinstance(side, CaptureEdge):
            return firsts if side.edge == "start" else lasts
        has_words = lasts > firsts
        if has_words.all():
            return self._attribute(side.attribute, firsts)
        values = np.full(len(matches), _MISSING, np.int64)
        captured = np.flatnonzero(has_words)
        values[captured] = self._attribute(side.attribute, firsts[captured])
        return values

    def _attribute(self, attribute: str, positions: Positions) -> npt.NDArray[np.int64]:
        if attribute == "word":
            return self._segment.array("words")[positions].astype(np.int64)
        if attribute == "pos":
            table = np.array([self._number(part.lower()) for part in PARTS_OF_SPEECH])
            return np.asarray(table[self._segment.array("parts")[positions]], np.int64)
        lemmas = self._segment.array("lemmas")[positions].astype(np.int64)
        offsets = self._segment.array("word_offsets")
        is_tagged = self._segment.has_tags[np.searchsorted(offsets, positions, "right") - 1]
        return np.where(is_tagged, lemmas, self._number(""))

    def _number(self, text: str) -> int:
        """Return a number that is the same for equal texts; all unknown ones share one."""
        number = self._masks.id(text)
        if number >= 0:
            return number
        parts = [part.lower() for part in PARTS_OF_SPEECH]
        return _FIRST_PART - parts.index(text) if text in parts else _UNKNOWN
