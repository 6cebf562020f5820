"""The words around hits."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpora.index.segment import Positions
from corpora.search.hits import SegmentHits


@dataclass(frozen=True)
class WordWindows:
    """The words around each hit: arrays with one row a hit and one column a place.

    Words that the hit touches are in no place. A place beyond the post is not `inside`, and its
    word and position mean nothing; nor are the places of a hit that touches no word, such as one in
    a URL: `NEAR` does not find them either.
    """

    # of each column: -1 is the word before the hit, 1 the word after it
    offsets: npt.NDArray[np.int64]
    # numbers in the lexicon
    words: npt.NDArray[np.uint32]
    # word positions in the segment
    positions: npt.NDArray[np.int64]
    inside: npt.NDArray[np.bool_]


def words_around(
    hits: SegmentHits, left: int, right: int, chosen: Positions | slice = slice(None)
) -> WordWindows:
    """Return the `left` words before and the `right` words after each hit, in reading order.

    `chosen` are the indexes of the hits that are asked for; many millions are best taken in parts.
    """
    before = np.arange(-left, 0)
    after = np.arange(1, right + 1)
    positions = np.concatenate(
        [
            hits.first_words[chosen][:, np.newaxis] + before,
            hits.last_words[chosen][:, np.newaxis] + after - 1,
        ],
        axis=1,
    )
    bounds = hits.segment.array("word_offsets")
    documents = hits.hit_documents[chosen]
    inside = positions >= bounds[documents][:, np.newaxis]
    inside &= positions < bounds[documents + 1][:, np.newaxis]
    inside &= (hits.first_words < hits.last_words)[chosen][:, np.newaxis]
    words = hits.segment.array("words")
    if not len(words):
        found = np.zeros(positions.shape, np.uint32)
    else:
        found = words[np.clip(positions, 0, len(words) - 1)]
    return WordWindows(np.concatenate([before, after]), found, positions, inside)
