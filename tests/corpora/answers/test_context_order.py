"""The order of contexts: golden pairs of what is compared."""

from pathlib import Path

import numpy as np
import pytest

from corpora.answers.context_order import COMPARED_CHARACTERS, Side, compared_codes
from corpora.index.segment import Segment
from corpora.search.hits import SegmentHits
from nlp.text.normalize import fold_text

GOLDEN = Path(__file__).parents[2] / "golden" / "context_order.tsv"
HIT = "叶酸"


def read_pairs() -> list[tuple[Side, str, str]]:
    """Return the sides, texts and compared texts of the golden file."""
    pairs: list[tuple[Side, str, str]] = []
    for line in GOLDEN.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            side, text, compared = line.split("\t")
            pairs.append(("left" if side == "left" else "right", text, compared))
    return pairs


class OneText(Segment):
    """A segment of one document, without files."""

    def __init__(self, text: str) -> None:
        codes = np.frombuffer(fold_text(text).encode("utf-32-le"), np.uint32)
        self.arrays = {
            "folded": np.append(codes, 0).astype(np.uint32),
            "char_offsets": np.array([0, len(text) + 1]),
        }

    def array(self, name: str) -> np.ndarray:
        return self.arrays[name]


@pytest.mark.parametrize(("side", "text", "expected"), read_pairs())
def test_what_is_compared_is_as_documented(side: Side, text: str, expected: str) -> None:
    start = len(text) if side == "left" else 0
    segment = OneText(text + HIT if side == "left" else HIT + text)
    starts = np.array([start])
    spans = (starts, starts + len(HIT))
    one = np.array([0])
    hits = SegmentHits(segment, one, characters=spans, hit_documents=one)
    codes = compared_codes(hits, side)[0]
    assert len(codes) == COMPARED_CHARACTERS
    assert "".join(map(chr, codes[codes != 0])) == expected
