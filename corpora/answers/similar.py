"""Posts by meaning: those whose sentence vectors are the nearest to that of a text or a post."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpora.answers.answer import Answer
from corpora.answers.metadata import ShownFields
from corpora.answers.words import SegmentPosts, all_posts, posts_by_segment
from corpora.index.segment import Positions, Segment
from corpora.index.vector_parts import BLOCK
from corpora.index.vectors import NO_TEXT, CorpusVectors, VectorModel, stored_models
from corpora.query.canonical import canonical
from corpora.query.syntax import Filter
from corpora.search.nearest import nearest_in_parts
from corpora.search.view import CorpusView
from folate.core.errors import InputError, NotFound
from folate.core.text import quote_name

SHOWN_FIELDS = ("source", "day", "lang")
"""Metadata that are always shown."""
MAX_TOP = 1_000

DEFINITIONS = {
    "similarity": "cosine of the sentence vectors, 1 for the same meaning; names of brands do not "
    "count",
    "id": "id of the post",
    "copies": "other posts of the corpus with nearly the same text, which are not shown",
    "text": "title, line break and text, without markup of the site",
    "query": "a query that finds the post",
    "version": "version of the corpus",
}
_CLUSTERS_QUERY = "SELECT id, cluster FROM duplicates WHERE id IN (SELECT unnest($ids))"
_COPIES_QUERY = """
SELECT cluster, count(*) AS copies FROM duplicates
WHERE cluster IN (SELECT unnest($clusters)) GROUP BY cluster
""".strip()
_MODEL_OF_POST_QUERY = """
SELECT annotator, array_to_string(string_split(version, '+')[:2], '+') AS model
FROM embeddings WHERE id = $id
""".strip()
# Texts that are looked at for each wanted post, as several may be copies of one.
_TEXTS_PER_POST = 4


class QuestionVector(NamedTuple):
    """The vector of a question (unit length, zero without words), and what made it."""

    vector: npt.NDArray[np.float32]
    model: VectorModel


@dataclass(frozen=True)
class SimilarRequest:
    """What is asked for: posts that are similar to a text, or to a post (`like` is its id)."""

    text: str = ""
    like: str = ""
    # a query; None: all posts
    within: str | None = None
    # posts in the answer, copies of one another counted as one
    top: int = 20
    # names of further metadata
    show: Sequence[str] = ()


@dataclass(frozen=True)
class VectorAccess:
    """What a search by meaning needs besides the corpus."""

    open_vectors: Callable[[VectorModel], CorpusVectors]
    embed: Callable[[str], QuestionVector]


class _SegmentTexts(NamedTuple):
    """Some posts of a segment, and the number of the text of each."""

    segment: Segment
    documents: Positions
    texts: Positions


class _SimilarPost(NamedTuple):
    """A post that is near; in the order of the answer. `cluster` is what its copies share."""

    negative_similarity: float
    published: int
    id: str
    cluster: str
    segment: Segment
    document: int


def similar_posts(view: CorpusView, request: SimilarRequest, access: VectorAccess) -> Answer:
    """Return the posts that are nearest to a text or a post, copies once. Raises InputError."""
    _check(request)
    shown = ShownFields(view, [*SHOWN_FIELDS, *request.show])
    if request.within is None:
        searched: Sequence[SegmentPosts] = all_posts(view)
        within = ""
    else:
        query = view.parse(request.within)
        searched = posts_by_segment(view, view.search(query))
        within = query.canonical
    if request.like:
        model = _model_of_post(view, request.like)
        vectors = access.open_vectors(model)
        question = _vector_of_post(view, vectors, request.like)
        cluster = _clusters(view, [request.like]).get(request.like, request.like)
    else:
        embedded = access.embed(request.text)
        if not embedded.vector.any():
            raise InputError(f"wanted a text with words, got {quote_name(request.text)}.")
        question = embedded.vector
        vectors = access.open_vectors(embedded.model)
        _check_model(view, vectors, embedded.model)
        cluster = None
    posts = _with_vectors(vectors, searched)
    found = _nearest_posts(view, vectors, posts, question, (request.top, cluster))
    definitions = {name: f"metadata: {name}" for name in shown.names}
    return Answer(
        name="similar",
        query=request.text or f"post {request.like}",
        canonical=within,
        version=view.version,
        rows=_rows(view, found, shown),
        definitions=_ordered(definitions),
        notes=_notes(searched, posts),
    )


def _check(request: SimilarRequest) -> None:
    if bool(request.text.strip()) == bool(request.like):
        raise InputError("wanted a TEXT or --like ID, one of them, to compare posts with.")
    if not 1 <= request.top <= MAX_TOP:
        raise InputError(f"wanted 1 to {MAX_TOP:,} posts, got {request.top:,}.")


def _check_model(view: CorpusView, vectors: CorpusVectors, model: VectorModel) -> None:
    """Raise InputError where no post has a vector of the model that embeds the question."""
    if vectors.post_count:
        return
    models = stored_models(view.snapshot)
    if not models:
        raise InputError(
            "no post has a sentence vector yet: run 'folate annotate', with sentiment."
        )
    other = next(iter(models))
    raise InputError(
        f"the sentence vectors of the posts are of the model {other.annotator} {other.version}, "
        f"and the question's is of {model.annotator} {model.version}: run 'folate annotate'."
    )


def _model_of_post(view: CorpusView, post_id: str) -> VectorModel:
    """Return what made the vector of a post. Raises NotFound, InputError."""
    rows = view.snapshot.sql(_MODEL_OF_POST_QUERY, {"id": post_id}).to_pylist()
    if rows:
        return VectorModel(rows[0]["annotator"], rows[0]["model"])
    if view.snapshot.sql("SELECT id FROM posts WHERE id = $id", {"id": post_id}).num_rows:
        raise InputError(
            f"the post {quote_name(post_id)} has no sentence vector: run 'folate annotate'."
        )
    raise NotFound(f"no post has the id {quote_name(post_id)}.")


def _vector_of_post(
    view: CorpusView, vectors: CorpusVectors, post_id: str
) -> npt.NDArray[np.float32]:
    """Return the vector of a post. Raises InputError for a post without words."""
    for segment in view.segments:
        for document in _live_documents_of(segment, post_id):
            text = int(vectors.texts_of(segment)[document])
            if text != NO_TEXT:
                vector = vectors.vector(text)
                unit: npt.NDArray[np.float32] = vector / np.linalg.norm(vector)
                return unit
    raise InputError(f"the post {quote_name(post_id)} has no words to compare.")


def _live_documents_of(segment: Segment, post_id: str) -> list[int]:
    import pyarrow as pa

    documents = segment.documents_of_ids(pa.array([post_id], pa.string()))
    live = documents if segment.live is None else documents[segment.live[documents]]
    return [int(document) for document in live]


def _with_vectors(vectors: CorpusVectors, searched: Sequence[SegmentPosts]) -> list[_SegmentTexts]:
    """Return the posts that have a vector, with their texts."""
    posts = []
    for segment, documents in searched:
        texts = vectors.texts_of(segment)[documents]
        has_vector = texts != NO_TEXT
        posts.append(_SegmentTexts(segment, documents[has_vector], texts[has_vector]))
    return posts


def _nearest_posts(
    view: CorpusView,
    vectors: CorpusVectors,
    posts: Sequence[_SegmentTexts],
    question: npt.NDArray[np.float32],
    wanted: tuple[int, str | None],
) -> list[_SimilarPost]:
    """Return the nearest posts, one of each cluster of copies.

    `wanted` is their number, and a cluster that is left out.
    """
    top, left_out = wanted
    allowed = _allowed_rows(vectors, posts)
    text_count = sum(int(np.count_nonzero(rows)) for rows in allowed)
    count = top * _TEXTS_PER_POST
    while True:
        similarity_by_text = _nearest_texts(vectors, allowed, question, count)
        by_cluster: dict[str, _SimilarPost] = {}
        for post in sorted(_posts_of_texts(view, posts, similarity_by_text)):
            if post.cluster != left_out:
                by_cluster.setdefault(post.cluster, post)
        if len(by_cluster) >= top or count >= text_count:
            return list(by_cluster.values())[:top]
        count *= _TEXTS_PER_POST


def _allowed_rows(
    vectors: CorpusVectors, posts: Sequence[_SegmentTexts]
) -> list[npt.NDArray[np.bool_]]:
    """Return for each part which of its rows are texts of the posts."""
    is_asked = np.zeros(int(vectors.offsets[-1]), bool)
    for segment_texts in posts:
        is_asked[segment_texts.texts] = True
    allowed = []
    for number, part in enumerate(vectors.parts):
        rows = np.zeros(len(part.head_codes) * BLOCK, bool)
        start = int(vectors.offsets[number])
        rows[: part.row_count] = is_asked[start : start + part.row_count]
        allowed.append(rows)
    return allowed


def _nearest_texts(
    vectors: CorpusVectors,
    allowed: Sequence[npt.NDArray[np.bool_]],
    question: npt.NDArray[np.float32],
    count: int,
) -> dict[int, float]:
    """Return the nearest texts and their similarity."""
    found = nearest_in_parts(vectors.parts, allowed, question, count)
    pairs = []
    for offset, nearest in zip(vectors.offsets.tolist(), found, strict=False):
        texts = (nearest.rows + offset).tolist()
        pairs += list(zip(nearest.similarities.tolist(), texts, strict=True))
    pairs.sort(key=lambda pair: (-pair[0], pair[1]))
    return {text: similarity for similarity, text in pairs[:count]}


def _posts_of_texts(
    view: CorpusView, posts: Sequence[_SegmentTexts], similarity_by_text: Mapping[int, float]
) -> list[_SimilarPost]:
    """Return the posts that have one of the texts, in no order."""
    wanted_texts = np.array(sorted(similarity_by_text), np.int64)
    found = []
    for segment, documents, texts in posts:
        is_wanted = np.isin(texts, wanted_texts)
        chosen = documents[is_wanted]
        values = zip(
            texts[is_wanted].tolist(),
            segment.array("published")[chosen].tolist(),
            segment.ids(chosen),
            chosen.tolist(),
            strict=True,
        )
        found += [
            _SimilarPost(-similarity_by_text[text], published, post_id, post_id, segment, document)
            for text, published, post_id, document in values
        ]
    clusters = _clusters(view, [post.id for post in found])
    return [post._replace(cluster=clusters.get(post.id, post.id)) for post in found]


def _clusters(view: CorpusView, ids: Sequence[str]) -> dict[str, str]:
    """Return the cluster of each post that copies another."""
    rows = view.snapshot.sql(_CLUSTERS_QUERY, {"ids": list(ids)}).to_pylist()
    return {row["id"]: row["cluster"] for row in rows}


def _rows(
    view: CorpusView, found: Sequence[_SimilarPost], shown: ShownFields
) -> list[dict[str, Any]]:
    clusters = [post.cluster for post in found]
    copies = {
        row["cluster"]: row["copies"]
        for row in view.snapshot.sql(_COPIES_QUERY, {"clusters": clusters}).to_pylist()
    }
    rows = []
    for post in found:
        document = np.array([post.document], np.int64)
        offsets = post.segment.array("char_offsets")
        [text] = post.segment.texts(offsets[document], offsets[document + 1] - 1)
        metadata = shown.of_documents(post.segment, document, [post.id])
        rows.append(
            {
                "similarity": round(-post.negative_similarity, 4),
                "id": post.id,
                "copies": copies.get(post.cluster, 0),
                "text": text,
                **{name: values[0] for name, values in zip(shown.names, metadata, strict=True)},
                "query": canonical(Filter("id", "=", post.id)),
                "version": view.version,
            }
        )
    return rows


def _ordered(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the definitions in the order of the columns."""
    ends = {name: DEFINITIONS[name] for name in ("query", "version")}
    return {name: DEFINITIONS[name] for name in DEFINITIONS if name not in ends} | {
        **metadata,
        **ends,
    }


def _notes(searched: Sequence[SegmentPosts], posts: Sequence[_SegmentTexts]) -> tuple[str, ...]:
    searched_count = sum(len(part.documents) for part in searched)
    missing_count = searched_count - sum(len(part.documents) for part in posts)
    if not missing_count:
        return ()
    return (
        f"{missing_count:,} of {searched_count:,} posts have no sentence vector: they have no "
        "words, or wait for 'folate annotate'.",
    )
