"""The annotation of a corpus: texts, duplicates and model output, for posts that lack them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from folate.core.progress import track_progress
from folate.pipeline.adapt import stale_adaptation_notes
from folate.pipeline.annotate.embeddings import EmbeddingAnnotator
from folate.pipeline.annotate.model import BATCH, ModelAnnotator
from folate.pipeline.annotate.text import annotate_pending_texts
from folate.pipeline.annotate.word_tags import tag_pending_words
from folate.pipeline.project import Project
from nlp.model import load_reader
from nlp.model.windows import MAX_CHARACTERS_READ


@dataclass(frozen=True)
class AnnotationResult:
    """What one run annotated."""

    # texts and judgements: the annotated posts; copies: all duplicates of the corpus, if any text
    # was annotated; vectors alone: posts that were judged before; tagged: posts
    counts: Mapping[str, int]
    # sentences for the user
    notes: tuple[str, ...] = ()


def annotate_corpus(
    project: Project, with_sentiment: bool = True, with_tags: bool = False
) -> AnnotationResult:
    """Annotate all posts that lack annotations of the current vocabulary and model.

    Results are stored batch by batch, so an interrupted run loses little. Without sentiment, no
    model is loaded. Words are tagged with `with_tags`, or where folate.toml asks for it. Raises
    ConfigError, StoreError.
    """
    if with_sentiment:
        result = _annotate_with_model(project)
    else:
        text_count = sum(len(rows) for rows in annotate_pending_texts(project))
        result = AnnotationResult(_count_annotations(project, text_count))
    if not with_tags and not project.config.nlp.tags:
        return result
    return replace(result, counts={**result.counts, "tagged": tag_pending_words(project)})


def _annotate_with_model(project: Project) -> AnnotationResult:
    nlp = project.config.nlp
    reader = load_reader(nlp.model, nlp.threads, project.config.aspects, depth=nlp.depth)
    annotator = ModelAnnotator(project, reader)
    text_count = 0
    judged_count = 0
    with track_progress("reading judgements", annotator.count_pending()) as progress:
        for rows in annotate_pending_texts(project):
            text_count += len(rows)
            # only some: texts are annotated far faster, and should not wait for the model
            batch = rows[:BATCH]
            annotator.annotate_posts(batch, project.store.snapshot())
            judged_count += len(batch)
            progress.advance(len(batch))
        for count in annotator.annotate_pending():
            judged_count += count
            progress.advance(count)
        annotator.embeddings.store_added()
    counts = _count_annotations(project, text_count) | {"judgements": judged_count}
    if embedded_count := _embed_pending(annotator.embeddings):
        counts["vectors alone"] = embedded_count
    return AnnotationResult(
        counts,
        (
            *annotator.notes,
            *_partly_read_notes(annotator.partly_read_posts),
            *stale_adaptation_notes(project),
        ),
    )


def _embed_pending(annotator: EmbeddingAnnotator) -> int:
    """Embed the posts that were judged and lack a vector; return their number."""
    pending_count = annotator.count_pending()
    if not pending_count:
        return 0
    with track_progress("embedding posts", pending_count) as progress:
        for count in annotator.annotate_pending():
            progress.advance(count)
    return pending_count


def _partly_read_notes(post_count: int) -> list[str]:
    if not post_count:
        return []
    posts_are = "post is" if post_count == 1 else "posts are"
    pronoun = "it" if post_count == 1 else "them"
    return [
        f"{post_count:,} {posts_are} so long (over some {MAX_CHARACTERS_READ:,} characters) "
        f"that the model read parts of {pronoun}, evenly chosen."
    ]


def _count_annotations(project: Project, text_count: int) -> dict[str, int]:
    if not text_count:
        return {"texts": 0}
    rows = project.store.snapshot().sql("SELECT count(*) AS n FROM duplicates")
    return {"copies": rows["n"][0].as_py(), "texts": text_count}
