"""Tags of the project's taxonomy: the tagger with the thresholds that the project has learnt, and the posts to learn them from."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from folate.core.errors import ConfigError, NotFound
from folate.core.files import write_atomically
from folate.core.post import post_body
from folate.pipeline.project import Project
from nlp.extract.taxonomy import TaxonomyTagger, fit_threshold
from nlp.model import Reader

SAMPLE_SIZE = 2_000  # posts to draw from
MAX_SCORE_BELOW_THRESHOLD = 0.15  # under the threshold: so far down posts are drawn, since a cut that is too high is seen only there

_POSTS = """
SELECT id, title, text FROM posts ANTI JOIN duplicates USING (id) ORDER BY md5(id), id LIMIT $most
""".strip()


class TagAnswer(NamedTuple):
    """A person's answer: whether a post that scored so is rightly tagged so."""

    tag: str
    score: float
    is_correct: bool


def load_taxonomy_tagger(project: Project, reader: Reader) -> TaxonomyTagger:
    """The project's tagger on the vectors of `reader`; thresholds learnt on another model's vectors do not hold and are left aside."""
    holding = _holding(_learnt(project), reader)
    return TaxonomyTagger(
        project.config.taxonomy,
        reader.embed,
        {label: its["threshold"] for label, its in holding.items()},
    )


def ignored_threshold_notes(project: Project, reader: Reader) -> tuple[str, ...]:
    """A sentence for a person if the project has thresholds that `tagger` leaves aside. Raises ConfigError."""
    learnt = _learnt(project)
    if not learnt["labels"] or _holding(learnt, reader):
        return ()
    return (
        f"the learnt thresholds of tags ({len(learnt['labels'])}) are left aside, since they are of another model, {learnt['model']}: "
        "'folate tags --export' draws posts to learn them anew.",
    )


def draw_tag_sample(project: Project, reader: Reader, per_label: int) -> list[dict[str, Any]]:
    """Posts to judge, at most so many a label, from a sample of the corpus without copies. Raises NotFound when there are no posts."""
    posts = project.store.snapshot().sql(_POSTS, {"most": SAMPLE_SIZE}).to_pylist()
    if not posts:
        raise NotFound(
            "wanted posts to draw from, got an empty corpus: run 'folate import' or 'folate crawl' first."
        )
    tags = load_taxonomy_tagger(project, reader)
    texts = [post_body(post["title"], post["text"]) for post in posts]
    scores = tags.label_scores(texts, reader.embed(texts))
    near = scores >= tags.thresholds - MAX_SCORE_BELOW_THRESHOLD
    return [
        {
            "tag": label,
            "post": posts[row]["id"],
            "score": round(float(scores[row, column]), 4),
            "text": texts[row],
            "right": None,
        }
        for column, label in enumerate(tags.labels)
        for row in np.flatnonzero(near[:, column])[:per_label]
    ]


def learn_thresholds(
    project: Project, reader: Reader, answers: Iterable[TagAnswer]
) -> list[dict[str, Any]]:
    """Fit and store the threshold of each label judged; one row a label. Those of other labels stay, unless the model is another."""
    judged: defaultdict[str, list[TagAnswer]] = defaultdict(list)
    for verdict in answers:
        judged[verdict.tag].append(verdict)
    labels = _holding(_learnt(project), reader)
    for label, its in sorted(judged.items()):
        right = np.array([verdict.is_correct for verdict in its])
        threshold = fit_threshold(np.array([verdict.score for verdict in its]), right)
        labels[label] = {
            "threshold": round(threshold, 4),
            "judged": len(its),
            "right": int(right.sum()),
        }
    learnt = {"model": _weights(reader), "labels": labels}
    write_atomically(
        project.thresholds_file, json.dumps(learnt, ensure_ascii=False, indent=2) + "\n"
    )
    return [{"tag": label} | labels[label] for label in sorted(judged)]


def _holding(learnt: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    """The labels of `_learnt`, if they were learnt on vectors of these weights."""
    name, plus, version = learnt["model"].rpartition("+")
    return (
        dict(learnt["labels"])
        if name + plus + version.partition("-")[0] == _weights(reader)
        else {}
    )


def _weights(reader: Reader) -> str:
    """The model up to the digest of its weights: precision and the layers read, which a version also names, don't move a threshold."""
    return f"{reader.name}+{reader.version.partition('-')[0]}"


def _learnt(project: Project) -> dict[str, Any]:
    """What `learn` stored: the model, and by label its threshold. Raises ConfigError when the file is no such thing."""
    path = project.thresholds_file
    if not path.exists():
        return {"model": "", "labels": {}}
    try:
        learnt = json.loads(path.read_text(encoding="utf-8"))
        if all(
            isinstance(its["threshold"], float) for its in learnt["labels"].values()
        ) and isinstance(learnt["model"], str):
            return dict(learnt)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass  # told below, with every other way of not being such a file
    raise ConfigError(
        f"wanted thresholds that 'folate tags --import' wrote, got {path}: delete it to go back to the defaults."
    )
