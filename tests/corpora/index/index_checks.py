"""A project to index, and what its index says of each post."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from corpora.corpus import Corpus
from corpora.index.layout import PARTS_OF_SPEECH
from corpora.index.lexicon import Lexicon
from corpora.index.segment import Segment
from corpora.store.store import STORE_FOLDER, Store
from folate.core.config import CONFIG_FILE
from folate.core.post import Post

FIRST_MOMENT = datetime(2026, 3, 1, 20, tzinfo=UTC)


def make_project(folder: Path, timezone: str = "Asia/Shanghai") -> Store:
    """Write the project file, and return the empty store."""
    folder.mkdir(exist_ok=True)
    (folder / CONFIG_FILE).write_text(f'name = "test"\ntimezone = "{timezone}"\n', encoding="utf-8")
    return Store(folder / STORE_FOLDER)


def make_post(number: int, text: str, **values: Any) -> Post:
    """Return a post of the source f; its moment follows from its number."""
    moment = FIRST_MOMENT + timedelta(hours=number)
    fields: dict[str, Any] = {"source": "f", "kind": "forum", "author": f"author{number % 3}"}
    fields |= {"published_at": moment, "fetched_at": moment} | values
    return Post(id=f"f:{number}", text=text, **fields)


def annotate(store: Store, posts: Sequence[Post], version: str = "1") -> None:
    """Store the words of posts: those between blanks."""
    rows = []
    for post in posts:
        words = post.body.split(" ")
        ends = np.cumsum([len(word) + 1 for word in words]) - 1
        lengths = [len(word) for word in words]
        row = annotation(post, version) | {"language": "zh", "words": words, "lengths": lengths}
        row["starts"] = [int(end) - length for end, length in zip(ends, lengths, strict=True)]
        rows.append(row | {"hashtags": [], "segments": [], "exact": ""})
    store.upsert("texts", rows)


def annotation(post: Post, version: str = "1") -> dict[str, Any]:
    """Return the columns that every annotation of a post has."""
    return {
        "id": post.id,
        "text_hash": post.text_hash,
        "annotator": "text",
        "version": version,
    }


def live_documents(corpus: Corpus) -> dict[str, dict[str, Any]]:
    """Return all that the index says of each live post, by its id."""
    documents: dict[str, dict[str, Any]] = {}
    for segment in corpus.segments:
        for document in segment.live_documents.tolist():
            contents = _document_contents(segment, corpus.lexicon, document)
            assert contents["id"] not in documents
            documents[contents["id"]] = contents
    return documents


def _document_contents(segment: Segment, lexicon: Lexicon, document: int) -> dict[str, Any]:
    start, end = segment.array("char_offsets")[document : document + 2].tolist()
    first, last = segment.array("word_offsets")[document : document + 2].tolist()
    words = slice(first, last)
    sentences = segment.array("sentences")
    inside = sentences[(sentences >= first) & (sentences < last)]
    fields = [key for key in segment.fields if document in segment.documents_with(key)]
    spans = np.array([[start], [end - 1]])
    contents = {
        name: segment.array(name)[document].item()
        for name in ("authors", "published", "days", "states")
    }
    rating = float(segment.array("ratings")[document])
    return contents | {
        "id": segment.ids(np.array([document]))[0],
        "rating": None if np.isnan(rating) else rating,
        "text": segment.texts(*spans)[0],
        "folded": segment.folded_texts(*spans)[0],
        "words": lexicon.strings(segment.array("words")[words]),
        "starts": (segment.array("word_starts")[words].astype(int) - start).tolist(),
        "lengths": segment.array("word_lengths")[words].tolist(),
        "sentences": (inside.astype(int) - first).tolist(),
        "lemmas": lexicon.strings(segment.array("lemmas")[words]),
        "parts": [PARTS_OF_SPEECH[part] for part in segment.array("parts")[words]],
        "fields": fields,
    }


def check_postings(corpus: Corpus) -> None:
    """Check that every posting says what the texts say."""
    for segment in corpus.segments:
        folded = segment.array("folded").astype(np.uint64)
        pairs = folded << np.uint64(32) | np.append(folded[1:], np.uint64(0))
        _check(segment, "pair_keys", "pair_offsets", "pair_values", pairs)
        _check(segment, "word_keys", "word_key_offsets", "word_values", segment.array("words"))
        lemmas = segment.array("lemmas")
        values = segment.array("lemma_values")
        assert np.array_equal(np.sort(values), np.flatnonzero(lemmas))
        order = np.sort(segment.array("id_documents"))
        assert np.array_equal(order, np.arange(segment.document_count))


def _check(segment: Segment, keys: str, offsets: str, values: str, expected: Any) -> None:
    order = np.argsort(expected, kind="stable")
    distinct, counts = np.unique(expected, return_counts=True)
    assert np.array_equal(segment.array(values), order)
    assert np.array_equal(segment.array(keys), distinct)
    assert np.array_equal(np.diff(segment.array(offsets)), counts)
