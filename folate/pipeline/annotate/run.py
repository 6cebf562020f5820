"""Posts are read: what needs no model, copies, and the model's judgements, each stored as it comes. Only what is missing is done."""

from collections.abc import Mapping
from dataclasses import dataclass

from folate.core.progress import track_progress
from folate.pipeline.adapt import stale_adaptation_notes
from folate.pipeline.annotate.model import BATCH, ModelAnnotator
from folate.pipeline.annotate.text import annotate_pending_texts
from folate.pipeline.project import Project
from nlp.model import load_reader
from nlp.model.windows import MAX_CHARACTERS_READ


@dataclass(frozen=True)
class AnnotationResult:
    """How many texts and judgements were made; how many copies the corpus has, if texts were read; what a person should know."""

    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()


def annotate_corpus(project: Project, with_sentiment: bool = True) -> AnnotationResult:
    """Read all that has not been read with this vocabulary and model. Raises ConfigError, StoreError."""
    if not with_sentiment:
        return AnnotationResult(_counts(project, sum(map(len, annotate_pending_texts(project)))))
    nlp = project.config.nlp
    judge = ModelAnnotator(
        project, load_reader(nlp.model, nlp.threads, project.config.aspects, depth=nlp.depth)
    )
    texts = judged = 0
    with track_progress("reading judgements", judge.count_pending()) as bar:
        for rows in annotate_pending_texts(project):
            texts += len(rows)
            some = rows[
                :BATCH
            ]  # not all: texts are read far faster, and what needs no model should not wait for it
            judge.annotate_posts(some, project.store.snapshot())
            judged += len(some)
            bar.advance(len(some))
        for count in judge.annotate_pending():
            judged += count
            bar.advance(count)
    return AnnotationResult(
        _counts(project, texts) | {"judgements": judged},
        (*judge.notes, *_sampled(judge.partly_read_posts), *stale_adaptation_notes(project)),
    )


def _sampled(posts: int) -> list[str]:
    if not posts:
        return []
    are, them = ("post is", "it") if posts == 1 else ("posts are", "them")
    return [
        f"{posts:,} {are} so long (over some {MAX_CHARACTERS_READ:,} characters) that the model read parts of {them}, evenly chosen."
    ]


def _counts(project: Project, texts: int) -> dict[str, int]:
    if not texts:
        return {"texts": 0}
    return {
        "copies": project.store.snapshot()
        .sql("SELECT count(*) AS n FROM duplicates")["n"][0]
        .as_py(),
        "texts": texts,
    }
