"""Sentence vectors as they are stored and compared: what a text says, whichever brand it names.

Names of brands are hidden as for predictions, so that the vector of a post comes with the
prediction and costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nlp.model.name_hiding import NAMES_VERSION
from nlp.model.reader import Reader

if TYPE_CHECKING:
    from numpy.typing import NDArray

VECTOR_TYPE = np.dtype("<f2")
"""The number format of stored vectors."""
_PROBE = "很好 good"


def vector_version(reader: Reader) -> str:
    """Return what stored vectors depend on besides the text: the weights, and how names are hidden.

    Vectors of other precisions and depths are the same to within rounding.
    """
    return f"{reader.version.partition('-')[0]}+{NAMES_VERSION}"


def encode_vector(vector: NDArray[np.floating] | None) -> bytes | None:
    """Return the bytes of a vector at unit length; None for no vector and for zero."""
    if vector is None or not vector.any():
        return None
    return (vector / np.linalg.norm(vector)).astype(VECTOR_TYPE).tobytes()


def predicts_embeddings(reader: Reader) -> bool:
    """Return whether the predictions of a model come with the embedding of the text."""
    [prediction] = reader.read([_PROBE])
    return prediction.embedding is not None
