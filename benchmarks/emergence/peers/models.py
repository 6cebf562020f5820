"""Topic models of BERTopic (Grootendorst 2022, arXiv:2203.05794), without a model hub.

As its documentation recommends for that case ("Scikit-Learn Embeddings"), vectors are TF-IDF of the
words reduced by SVD to 100 dimensions. The words are Folate's segmentation. UMAP and HDBSCAN have
BERTopic's own settings, except that a topic may have as few as 5 posts and that UMAP's random state
is fixed.
"""

from dataclasses import dataclass

import numpy as np

from folate.core.optional import import_optional
from nlp.text.stopwords import stopwords
from nlp.topics.stream import Floats

MIN_TOPIC_POSTS = 5
DIMENSIONS = 100
RANDOM_STATE = 42
# Words of a topic that form its name.
NAME_WORDS = 4


@dataclass(frozen=True)
class TopicModel:
    """A fitted topic model."""

    # Topic of each document; -1 for none.
    topic: list[int]
    # Topic -> its first words, joined by "_".
    names: dict[int, str]


def embed_documents(documents: list[list[str]]) -> Floats:
    """Return vectors of documents, given as words: (documents, dimensions).

    They have unit length, or are 0 when a document shares no word with another.
    """
    text = import_optional("sklearn.feature_extraction.text", "peers")
    decomposition = import_optional("sklearn.decomposition", "peers")
    preprocessing = import_optional("sklearn.preprocessing", "peers")
    vectorizer = text.TfidfVectorizer(analyzer=_content_words, min_df=2)
    weights = vectorizer.fit_transform(documents)
    svd = decomposition.TruncatedSVD(
        min(DIMENSIONS, weights.shape[1] - 1), random_state=RANDOM_STATE
    )
    vectors: Floats = preprocessing.normalize(svd.fit_transform(weights))
    return vectors


def fit_topic_model(
    documents: list[list[str]], embeddings: Floats, neighbours: int = 15
) -> TopicModel:
    """Fit a BERTopic model; `neighbours` is the setting of UMAP. Topics are by falling size."""
    bertopic = import_optional("bertopic", "peers")
    umap = import_optional("umap", "peers")
    hdbscan = import_optional("hdbscan", "peers")
    text = import_optional("sklearn.feature_extraction.text", "peers")
    model = bertopic.BERTopic(
        embedding_model=None,
        umap_model=umap.UMAP(
            n_neighbors=neighbours,
            n_components=5,
            min_dist=0.0,
            metric="cosine",
            random_state=RANDOM_STATE,
            n_jobs=1,
            low_memory=False,
        ),
        hdbscan_model=hdbscan.HDBSCAN(
            min_cluster_size=MIN_TOPIC_POSTS, metric="euclidean", cluster_selection_method="eom"
        ),
        vectorizer_model=text.CountVectorizer(
            tokenizer=str.split, token_pattern=None, stop_words=sorted(stopwords())
        ),
    )
    texts = [" ".join(words) for words in documents]
    topics, _ = model.fit_transform(texts, embeddings=np.ascontiguousarray(embeddings))
    names = {}
    for topic in set(topics):
        top_words = [word for word, _ in model.get_topic(topic)[:NAME_WORDS]]
        names[int(topic)] = "_".join(top_words)
    return TopicModel([int(topic) for topic in topics], names)


def _content_words(document: list[str]) -> list[str]:
    return [word for word in document if len(word) > 1 and word not in stopwords()]
