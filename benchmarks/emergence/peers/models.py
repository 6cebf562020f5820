"""One BERTopic model (Grootendorst 2022, arXiv:2203.05794), as its documentation recommends for a corpus without a model hub.

Words are Folate's segmentation (jieba's dictionary) joined by spaces; vectors are TF-IDF of those words reduced by SVD to 100 dimensions
("Scikit-Learn Embeddings" of the documentation), since no sentence-transformers model comes with this benchmark; UMAP and HDBSCAN
have BERTopic's own settings, but a topic may be as small as 5 posts and UMAP's random state is fixed.
"""

from dataclasses import dataclass

import numpy as np

from folate.core.optional import import_optional
from nlp.text.stopwords import stopwords
from nlp.topics.stream import Floats

SMALLEST = 5  # posts a topic
DIMENSIONS = 100
STATE = 42


@dataclass(frozen=True)
class Model:
    """A fitted model."""

    topic: list[int]  # of each document; -1: none
    names: dict[int, str]


def vectors(documents: list[list[str]]) -> Floats:
    """(documents, dimensions), unit length where a document has a word that another has."""
    weights = (
        import_optional("sklearn.feature_extraction.text", "peers")
        .TfidfVectorizer(analyzer=_words, min_df=2)
        .fit_transform(documents)
    )
    svd = import_optional("sklearn.decomposition", "peers").TruncatedSVD(
        min(DIMENSIONS, weights.shape[1] - 1), random_state=STATE
    )
    reduced: Floats = import_optional("sklearn.preprocessing", "peers").normalize(
        svd.fit_transform(weights)
    )
    return reduced


def fit(documents: list[list[str]], embeddings: Floats, neighbours: int = 15) -> Model:
    """Topics of the documents, by falling size."""
    bertopic, umap, hdbscan, text = (
        import_optional(name, "peers")
        for name in ("bertopic", "umap", "hdbscan", "sklearn.feature_extraction.text")
    )
    model = bertopic.BERTopic(
        embedding_model=None,
        umap_model=umap.UMAP(
            n_neighbors=neighbours,
            n_components=5,
            min_dist=0.0,
            metric="cosine",
            random_state=STATE,
            n_jobs=1,
            low_memory=False,
        ),
        hdbscan_model=hdbscan.HDBSCAN(
            min_cluster_size=SMALLEST, metric="euclidean", cluster_selection_method="eom"
        ),
        vectorizer_model=text.CountVectorizer(
            tokenizer=str.split, token_pattern=None, stop_words=sorted(stopwords())
        ),
    )
    topics, _ = model.fit_transform(
        [" ".join(words) for words in documents], embeddings=np.ascontiguousarray(embeddings)
    )
    return Model(
        [int(topic) for topic in topics],
        {int(t): "_".join(w for w, _ in model.get_topic(t)[:4]) for t in set(topics)},
    )


def _words(document: list[str]) -> list[str]:
    return [word for word in document if len(word) > 1 and word not in stopwords()]
