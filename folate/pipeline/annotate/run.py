"""Posts are read: what needs no model, copies, and the model's judgements, each stored as it comes. Only what is missing is done."""

from collections.abc import Mapping
from dataclasses import dataclass

from folate.core.progress import progress
from folate.pipeline.adapt import stale
from folate.pipeline.annotate.model import BATCH, Judge
from folate.pipeline.annotate.text import read_texts
from folate.pipeline.project import Workspace
from nlp.model import load
from nlp.model.windows import CHARACTERS


@dataclass(frozen=True)
class Annotated:
    """How many texts and judgements were made; how many copies the corpus has, if texts were read; what a person should know."""

    counts: Mapping[str, int]
    notes: tuple[str, ...] = ()


def annotate(workspace: Workspace, sentiment: bool = True) -> Annotated:
    """Read all that has not been read with this vocabulary and model. Raises ConfigError, StoreError."""
    if not sentiment:
        return Annotated(_counts(workspace, sum(map(len, read_texts(workspace)))))
    nlp = workspace.config.nlp
    judge = Judge(
        workspace, load(nlp.model, nlp.threads, workspace.config.aspects, depth=nlp.depth)
    )
    texts = judged = 0
    with progress("reading judgements", judge.waiting()) as bar:
        for rows in read_texts(workspace):
            texts += len(rows)
            some = rows[
                :BATCH
            ]  # not all: texts are read far faster, and what needs no model should not wait for it
            judge.judge(some, workspace.store.snapshot())
            judged += len(some)
            bar.update(len(some))
        for count in judge.rest():
            judged += count
            bar.update(count)
    return Annotated(
        _counts(workspace, texts) | {"judgements": judged},
        (*judge.notes, *_sampled(judge.sampled), *stale(workspace)),
    )


def _sampled(posts: int) -> list[str]:
    if not posts:
        return []
    are, them = ("post is", "it") if posts == 1 else ("posts are", "them")
    return [
        f"{posts:,} {are} so long (over some {CHARACTERS:,} characters) that the model read parts of {them}, evenly chosen."
    ]


def _counts(workspace: Workspace, texts: int) -> dict[str, int]:
    if not texts:
        return {"texts": 0}
    return {
        "copies": workspace.store.snapshot()
        .sql("SELECT count(*) AS n FROM duplicates")["n"][0]
        .as_py(),
        "texts": texts,
    }
