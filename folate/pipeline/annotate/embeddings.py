"""The sentence vectors of posts: stored with the model's judgements, made up for where missing."""

from collections.abc import Iterator, Sequence

from folate.core.post import post_body
from folate.pipeline.annotate.mentions import load_mentions
from folate.pipeline.annotate.text import TEXT_ANNOTATOR, PostRows, annotation_keys, text_version
from folate.pipeline.project import Project
from nlp.model import Reader, TextPrediction
from nlp.model.name_hiding import Passage, hide_names
from nlp.model.sentence_vectors import SentenceEncoder, predicts_embeddings

BATCH = 2_000
"""Posts in one commit of those that lack nothing but a vector."""
STORED_TOGETHER = 5_000
"""Vectors of judged posts in one commit, which costs as much as 100 judgements.

Those that a kill loses are made up for by the next run, without the judgements.
"""
MAX_CACHED_VECTORS = 50_000
"""Vectors in memory, some 1 kB each."""


class EmbeddingAnnotator:
    """Stores the vectors of posts, and embeds the posts that were judged before there were any.

    Every text gets a row; that of a text without tokens has no vector. A model whose predictions
    come without embeddings stores nothing.
    """

    def __init__(self, project: Project, reader: Reader) -> None:
        self.store = project.store
        self.reader = reader
        self.texts = (TEXT_ANNOTATOR, text_version(project))
        self.encoder = SentenceEncoder(reader)
        self.version = f"{self.encoder.version}+{self.texts[1]}"
        self._cached_vectors: dict[str, bytes | None] = {}
        # of judged posts, not stored yet
        self._unstored_rows: PostRows = []
        self._unstored_vectors: list[bytes | None] = []

    def encode_predictions(
        self, passages: Sequence[Passage], predictions: Sequence[TextPrediction]
    ) -> list[bytes | None]:
        """Return the encoded vectors of predicted passages."""
        return [
            self.encoder.encode(
                hide_names(passage.text, passage.mentions).text, prediction.embedding
            )
            for passage, prediction in zip(passages, predictions, strict=True)
        ]

    def add_vectors(self, rows: PostRows, vectors: Sequence[bytes | None]) -> None:
        """Take the encoded vectors of posts; many are stored at once. Raises StoreError."""
        self._unstored_rows += rows
        self._unstored_vectors += vectors
        if len(self._unstored_rows) >= STORED_TOGETHER:
            self.store_added()

    def store_added(self) -> None:
        """Store the vectors that were added, unless no post has one. Raises StoreError."""
        if any(self._unstored_vectors):
            self._upsert(self._unstored_rows, self._unstored_vectors)
        self._unstored_rows = []
        self._unstored_vectors = []

    def count_pending(self) -> int:
        """Count the posts that lack a vector of this model, which may have none to give."""
        count = self.store.count_pending_posts(
            "embeddings", self.reader.name, self.version, self.texts
        )
        return count if count and predicts_embeddings(self.reader) else 0

    def annotate_pending(self) -> Iterator[int]:
        """Embed and store the posts that lack a vector; yield their number after each batch.

        Raises StoreError.
        """
        snapshot = self.store.snapshot()
        for posts in self.store.pending_posts(
            "embeddings", self.reader.name, self.version, BATCH, required_reader=self.texts
        ):
            rows = posts.select(["id", "text_hash", "title", "text"]).to_pylist()
            mentions = load_mentions(snapshot, [row["id"] for row in rows])
            passages = [
                Passage(post_body(row["title"], row["text"]), mentions[row["id"]]) for row in rows
            ]
            self._upsert(rows, self._embed(passages))
            yield len(rows)

    def _embed(self, passages: Sequence[Passage]) -> list[bytes | None]:
        """Return the encoded vectors of passages, computed once for equal texts."""
        texts = [hide_names(passage.text, passage.mentions).text for passage in passages]
        if len(self._cached_vectors) + len(texts) > MAX_CACHED_VECTORS:
            self._cached_vectors.clear()
        new_texts = [text for text in dict.fromkeys(texts) if text not in self._cached_vectors]
        for text, embedding in zip(new_texts, self.reader.embed(new_texts), strict=True):
            self._cached_vectors[text] = self.encoder.encode(text, embedding)
        return [self._cached_vectors[text] for text in texts]

    def _upsert(self, rows: PostRows, vectors: Sequence[bytes | None]) -> None:
        keys = annotation_keys(rows, self.reader.name, self.version)
        vector_rows = [key | {"vector": vector} for key, vector in zip(keys, vectors, strict=True)]
        self.store.upsert("embeddings", vector_rows)
