"""Lemmas and parts of speech of the words of posts, where they are asked for."""

from collections.abc import Sequence
from typing import Any

from folate.core.post import post_body
from folate.core.progress import track_progress
from folate.pipeline.annotate.text import TEXT_ANNOTATOR, annotation_keys, text_version
from folate.pipeline.project import Project
from nlp.text.segment import Segmenter
from nlp.text.tagging import TaggedWord, WordTagger, tagger_version

TAGS_ANNOTATOR = "tagger"
BATCH = 5_000
"""Posts in one commit, some seconds of work."""

_WORDS_QUERY = """
SELECT id, words, starts, lengths FROM texts WHERE id IN (SELECT unnest($ids))
""".strip()


def word_tags_version(project: Project) -> str:
    """Return what tags depend on besides the text: the tagger, and what the words depend on."""
    return f"{tagger_version()}+{text_version(project)}"


def tag_pending_words(project: Project) -> int:
    """Tag the words of all posts that have words and no tags for them; return their number.

    Raises StoreError.
    """
    store = project.store
    version = word_tags_version(project)
    texts = (TEXT_ANNOTATOR, text_version(project))
    pending_count = store.count_pending_posts("word_tags", TAGS_ANNOTATOR, version, texts)
    tagger = WordTagger(Segmenter(project.config.vocabulary), _brand_names(project))
    with track_progress("tagging words", pending_count) as progress:
        for posts in store.pending_posts(
            "word_tags", TAGS_ANNOTATOR, version, BATCH, required_reader=texts
        ):
            rows = posts.select(["id", "text_hash", "title", "text"]).to_pylist()
            ids = [row["id"] for row in rows]
            words = store.snapshot().sql(_WORDS_QUERY, {"ids": ids}).to_pylist()
            words_by_id = {row["id"]: row for row in words}
            tagged_texts = tagger.tag_words([post_body(row["title"], row["text"]) for row in rows])
            keys = annotation_keys(rows, TAGS_ANNOTATOR, version)
            tag_rows = [
                key | _align_tags(tagged, words_by_id[key["id"]])
                for key, tagged in zip(keys, tagged_texts, strict=True)
            ]
            store.upsert("word_tags", tag_rows)
            progress.advance(len(rows))
    return pending_count


def _brand_names(project: Project) -> list[str]:
    return [alias for brand in project.config.brands for alias in brand.aliases]


def _align_tags(tagged: Sequence[TaggedWord], row: dict[str, Any]) -> dict[str, list[str]]:
    """Return lemma and part of speech of each stored word of a text.

    A hashtag is its own lemma. A word that is no token of the tagger is, too, and has no part of
    speech; words of texts in other languages have neither.
    """
    tagged_by_span = {(word.start, word.end): word for word in tagged}
    lemmas = []
    parts = []
    for word, start, length in zip(row["words"], row["starts"], row["lengths"], strict=True):
        token = tagged_by_span.get((start, start + length))
        if token is None:
            lemmas.append(word)
            parts.append("")
        elif token.lemma is None or token.pos is None:
            lemmas.append("")
            parts.append("")
        else:
            lemmas.append(word if word.startswith("#") else token.lemma)
            parts.append(token.pos)
    return {"lemmas": lemmas, "parts": parts}
