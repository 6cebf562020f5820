"""Sentence vectors as they are stored and compared: what a text says, in either language.

Names of brands are hidden as for predictions, so that the vector of a post comes with the
prediction and costs nothing. The vectors of one language share a direction, so each is taken less
the mean of its language over the background clauses. Of 16 questions of our own in each language,
whose answer in the other one is among 20,000 posts of both, 2 (Chinese) and 11 (English) have it
among the 20 nearest without that, and 11 and 15 with it.
"""

from __future__ import annotations

from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from nlp.model.custom_aspects import BACKGROUND_FILE
from nlp.model.name_hiding import NAMES_VERSION
from nlp.model.reader import Reader
from nlp.text.language import MODEL_LANGUAGES, model_language

if TYPE_CHECKING:
    from numpy.typing import NDArray

VECTOR_TYPE = np.dtype("<f2")
"""The number format of stored vectors."""
_PROBE = "很好 good"


class SentenceEncoder:
    """Turns the embeddings of a model into vectors that can be compared across languages."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @property
    def version(self) -> str:
        """What vectors depend on besides the text.

        The weights, the background, and how names are hidden; vectors of other precisions and
        depths are the same to within rounding.
        """
        weights = self._reader.version.partition("-")[0]
        background = blake2b(BACKGROUND_FILE.read_bytes(), digest_size=4).hexdigest()
        return f"{weights}-{background}+{NAMES_VERSION}"

    def centre(self, text: str, embedding: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the unit vector of an embedded text; zero for a text without tokens.

        The names of brands are hidden in `text`: they are in the language of the rest then.
        """
        if not embedding.any():
            return np.zeros(len(embedding), np.float32)
        centred = embedding - self._language_means[model_language(text)]
        length = max(float(np.linalg.norm(centred)), 1e-9)
        unit: NDArray[np.float32] = (centred / length).astype(np.float32)
        return unit

    def encode(self, text: str, embedding: NDArray[np.floating] | None) -> bytes | None:
        """Return the vector of a text for the store; None for one without tokens."""
        if embedding is None or not embedding.any():
            return None
        return self.centre(text, embedding).astype(VECTOR_TYPE).tobytes()

    @cached_property
    def _language_means(self) -> dict[str, NDArray[np.float32]]:
        """The mean embedding of the background clauses of each language, which takes a second."""
        clauses = BACKGROUND_FILE.read_text(encoding="utf-8").splitlines()
        embeddings = self._reader.embed(clauses)
        languages = np.array([model_language(clause) for clause in clauses])
        return {language: embeddings[languages == language].mean(0) for language in MODEL_LANGUAGES}


def predicts_embeddings(reader: Reader) -> bool:
    """Return whether the predictions of a model come with the embedding of the text."""
    [prediction] = reader.read([_PROBE])
    return prediction.embedding is not None
