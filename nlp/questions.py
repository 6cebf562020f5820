"""Embedding of questions to a corpus, as its posts were embedded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from folate.core.config import Brand, Config
from folate.core.errors import InputError
from nlp.extract.brands import BrandLinker
from nlp.model import Reader, load_reader
from nlp.model.name_hiding import hide_names
from nlp.model.sentence_vectors import SentenceEncoder, predicts_embeddings
from nlp.text.clauses import TextSpan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class QuestionEmbedder:
    """Embeds questions with the names of a project's brands hidden, as in its posts.

    `annotator` and `version` are those of the vectors that questions can be compared with.
    """

    def __init__(self, reader: Reader, brands: Sequence[Brand]) -> None:
        """Take a loaded model. Raises InputError for one whose posts get no vectors."""
        if not predicts_embeddings(reader):
            raise InputError(
                f"the model {reader.name!r} of folate.toml has no sentence vectors to compare: "
                "the one that ships with Folate has."
            )
        self.annotator = reader.name
        self._encoder = SentenceEncoder(reader)
        self.version = self._encoder.version
        self._reader = reader
        self._linker = BrandLinker(brands)

    def embed(self, text: str) -> NDArray[np.float32]:
        """Return the unit vector of a text; zero for one without words."""
        mentions: dict[str, list[TextSpan]] = {}
        for mention in self._linker.find_mentions(text):
            mentions.setdefault(mention.brand, []).append((mention.start, mention.end))
        hidden_text = hide_names(text, mentions).text
        [embedding] = self._reader.embed([hidden_text])
        return self._encoder.centre(hidden_text, embedding)


def load_question_embedder(config: Config) -> QuestionEmbedder:
    """Load the model of a project for questions. Raises ConfigError, InputError."""
    reader = load_reader(config.nlp.model, config.nlp.threads, depth=config.nlp.depth)
    return QuestionEmbedder(reader, config.brands)
