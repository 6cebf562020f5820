"""The plain and the folded text of many posts at once, as code points.

The result is that of `nlp.text.normalize.fold_once`, post by post. Most texts have no markup, so
they are joined by line breaks and folded together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpora.index.layout import SEPARATOR
from corpora.index.sorting import sorted_distinct
from nlp.text.markup import MAY_HAVE_MARKUP, AlignedText, strip_markup_aligned
from nlp.text.normalize import fold_characters, fold_text, simplify
from nlp.text.sentences import sentence_starts

CodePoints = npt.NDArray[np.uint32]
# Texts that are joined at once; a call costs more than the characters of few.
_TEXTS_PER_CALL = 4_000
_LINE_BREAK = ord("\n")
# White space that a text in ASCII keeps (`fold_text`), and other texts have as a blank.
_ASCII_SPACES = np.array([9, 11, 12, 13, 28, 29, 30, 31], np.uint32)


@dataclass(frozen=True)
class FoldedBodies:
    """Texts one after the other, each followed by SEPARATOR."""

    # first character of each text, and the end
    offsets: npt.NDArray[np.int64]
    plain: CodePoints
    folded: CodePoints
    # characters at which a sentence begins, rising
    sentences: npt.NDArray[np.int64]
    # of the texts with markup, by their number: where their plain text was before
    alignments: dict[int, AlignedText]


def fold_bodies(bodies: pa.Array) -> FoldedBodies:
    """Strip the markup of texts and fold them."""
    starts = range(0, len(bodies), _TEXTS_PER_CALL)
    parts = [_fold_joined(bodies.slice(start, _TEXTS_PER_CALL)) for start in starts]
    if not parts:
        nothing = np.empty(0, np.uint32)
        return FoldedBodies(np.zeros(1, np.int64), nothing, nothing, np.empty(0, np.int64), {})
    ends = np.cumsum([len(part.plain) for part in parts])
    shifts = [0, *ends.tolist()]
    pairs = list(zip(parts, shifts, strict=False))
    offsets = [part.offsets[:-1] + shift for part, shift in pairs]
    sentences = [part.sentences + shift for part, shift in pairs]
    alignments: dict[int, AlignedText] = {}
    for number, part in enumerate(parts):
        for text, alignment in part.alignments.items():
            alignments[number * _TEXTS_PER_CALL + text] = alignment
    return FoldedBodies(
        np.concatenate([*offsets, ends[-1:]]),
        np.concatenate([part.plain for part in parts]),
        np.concatenate([part.folded for part in parts]),
        np.concatenate(sentences),
        alignments,
    )


def _fold_joined(bodies: pa.Array) -> FoldedBodies:
    texts: list[str] = bodies.to_pylist()
    alignments = _align_markup(bodies, texts)
    plain_texts = list(texts)
    for number, alignment in alignments.items():
        plain_texts[number] = alignment.text
    lengths = np.fromiter(map(len, plain_texts), np.int64, len(plain_texts))
    offsets = np.concatenate([[0], np.cumsum(lengths + 1)])
    plain = _code_points("\n".join([*plain_texts, ""]))
    folded = _fold_widths(plain, offsets)
    has_separator = np.logical_or.reduceat(plain == SEPARATOR, offsets[:-1])
    folded, alone = _simplify_joined(folded, offsets)
    alone += np.flatnonzero(has_separator).tolist()
    # folding blanks what is markup again once the markup around it is gone
    alone += [number for number in alignments if MAY_HAVE_MARKUP.search(plain_texts[number])]
    for number in set(alone):
        own_folded = fold_text(plain_texts[number])
        folded[offsets[number] : offsets[number + 1] - 1] = _code_points(own_folded)
    sentences = np.array(sentence_starts(_text(folded)), np.int64)
    sentences = sorted_distinct(np.concatenate([sentences, offsets[:-1]]))
    is_text = np.ones(len(folded), bool)
    is_text[offsets[1:] - 1] = False
    plain[~is_text] = SEPARATOR
    folded[~is_text] = SEPARATOR
    return FoldedBodies(offsets, plain, folded, sentences[is_text[sentences]], alignments)


def _align_markup(bodies: pa.Array, texts: Sequence[str]) -> dict[int, AlignedText]:
    """Return the plain texts of those that have markup, by their number."""
    may_have_markup = pc.match_substring_regex(bodies, MAY_HAVE_MARKUP.pattern)
    alignments = {}
    for number in np.flatnonzero(may_have_markup.to_numpy(zero_copy_only=False)).tolist():
        alignment = strip_markup_aligned(texts[number])
        if alignment.starts is not None:
            alignments[number] = alignment
    return alignments


def _fold_widths(plain: CodePoints, offsets: npt.NDArray[np.int64]) -> CodePoints:
    """Fold each character by itself."""
    distinct = np.flatnonzero(np.bincount(plain))
    table = np.zeros(int(distinct[-1]) + 1, np.uint32)
    table[distinct] = _code_points(fold_characters(_text(distinct.astype(np.uint32))))
    folded = table[plain]
    is_ascii = np.maximum.reduceat(plain, offsets[:-1]) < 128
    spaces = np.flatnonzero(np.isin(plain, _ASCII_SPACES))
    spaces = spaces[is_ascii[np.searchsorted(offsets, spaces, "right") - 1]]
    folded[spaces] = plain[spaces]
    return folded


def _simplify_joined(
    folded: CodePoints, offsets: npt.NDArray[np.int64]
) -> tuple[CodePoints, list[int]]:
    """Return the texts in simplified characters, and the numbers of texts that must go alone."""
    if int(folded.max()) < 128:
        return folded, []
    # OpenCC takes a NUL for the end
    without_nul = np.where(folded == SEPARATOR, np.uint32(ord(" ")), folded)
    simplified = _code_points(simplify(_text(without_nul)))
    is_break = without_nul == _LINE_BREAK
    if len(simplified) == len(folded) and np.array_equal(simplified == _LINE_BREAK, is_break):
        return simplified, []
    return folded, list(range(len(offsets) - 1))


def _code_points(text: str) -> CodePoints:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).copy()


def _text(code_points: CodePoints) -> str:
    return code_points.tobytes().decode("utf-32-le", "surrogatepass")
