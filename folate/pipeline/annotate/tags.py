"""Taxonomy tags of a project: the tagger, and the fitting of its thresholds to labelled posts."""

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

SAMPLE_SIZE = 2_000
"""Posts from which posts to label are drawn."""

MAX_SCORE_BELOW_THRESHOLD = 0.15
"""How far below its threshold a label's score may be for a post to be drawn.

Only posts below it show that a threshold is too high.
"""

_SAMPLE_QUERY = """
SELECT id, title, text FROM posts ANTI JOIN duplicates USING (id) ORDER BY md5(id), id LIMIT $most
""".strip()


class TagAnswer(NamedTuple):
    """A person's answer: whether a post with this score for a tag has the tag."""

    tag: str
    score: float
    is_correct: bool


def load_taxonomy_tagger(project: Project, reader: Reader) -> TaxonomyTagger:
    """Return the project's tagger, using the embeddings of `reader`.

    Thresholds that were fitted to the embeddings of another model are ignored.
    """
    labels = _applicable_labels(_load_thresholds(project), reader)
    thresholds = {label: entry["threshold"] for label, entry in labels.items()}
    return TaxonomyTagger(project.config.taxonomy, reader.embed, thresholds)


def ignored_threshold_notes(project: Project, reader: Reader) -> tuple[str, ...]:
    """Return a note if the project has thresholds that are ignored. Raises ConfigError."""
    stored = _load_thresholds(project)
    if not stored["labels"] or _applicable_labels(stored, reader):
        return ()
    return (
        f"the learnt thresholds of tags ({len(stored['labels'])}) are left aside, "
        f"since they are of another model, {stored['model']}: "
        "'folate tags --export' draws posts to learn them anew.",
    )


def draw_tag_sample(project: Project, reader: Reader, per_label: int) -> list[dict[str, Any]]:
    """Return posts to label, at most `per_label` for each tag, from a sample without duplicates.

    Raises NotFound when the corpus is empty.
    """
    posts = project.store.snapshot().sql(_SAMPLE_QUERY, {"most": SAMPLE_SIZE}).to_pylist()
    if not posts:
        raise NotFound(
            "wanted posts to draw from, got an empty corpus: "
            "run 'folate import' or 'folate crawl' first."
        )
    tagger = load_taxonomy_tagger(project, reader)
    texts = [post_body(post["title"], post["text"]) for post in posts]
    scores = tagger.label_scores(texts, reader.embed(texts))
    is_near = scores >= tagger.thresholds - MAX_SCORE_BELOW_THRESHOLD
    rows = []
    for column, label in enumerate(tagger.labels):
        for post_index in np.flatnonzero(is_near[:, column])[:per_label]:
            row = {
                "tag": label,
                "post": posts[post_index]["id"],
                "score": round(float(scores[post_index, column]), 4),
                "text": texts[post_index],
                "right": None,
            }
            rows.append(row)
    return rows


def learn_thresholds(
    project: Project, reader: Reader, answers: Iterable[TagAnswer]
) -> list[dict[str, Any]]:
    """Fit and store the threshold of each tag with answers; return one row per tag.

    Stored thresholds of other tags remain, unless they belong to another model.
    """
    answers_by_tag: defaultdict[str, list[TagAnswer]] = defaultdict(list)
    for answer in answers:
        answers_by_tag[answer.tag].append(answer)
    labels = _applicable_labels(_load_thresholds(project), reader)
    for tag, tag_answers in sorted(answers_by_tag.items()):
        scores = np.array([answer.score for answer in tag_answers])
        is_correct = np.array([answer.is_correct for answer in tag_answers])
        labels[tag] = {
            "threshold": round(fit_threshold(scores, is_correct), 4),
            "judged": len(tag_answers),
            "right": int(is_correct.sum()),
        }
    document = {"model": _weights_id(reader), "labels": labels}
    text = json.dumps(document, ensure_ascii=False, indent=2)
    write_atomically(project.thresholds_file, text + "\n")
    return [{"tag": tag} | labels[tag] for tag in sorted(answers_by_tag)]


def _applicable_labels(stored: Mapping[str, Any], reader: Reader) -> dict[str, Any]:
    """Return the stored labels if they were fitted to the weights of `reader`, else none."""
    name, plus, version = stored["model"].rpartition("+")
    stored_weights = name + plus + version.partition("-")[0]
    return dict(stored["labels"]) if stored_weights == _weights_id(reader) else {}


def _weights_id(reader: Reader) -> str:
    """Return the model's name and the digest of its weights.

    The version also names the precision and the layers, which don't change a threshold.
    """
    return f"{reader.name}+{reader.version.partition('-')[0]}"


def _load_thresholds(project: Project) -> dict[str, Any]:
    """Return the stored thresholds: `model`, and `labels` with the threshold of each.

    Raises ConfigError when the file is damaged.
    """
    path = project.thresholds_file
    if not path.exists():
        return {"model": "", "labels": {}}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        thresholds = [entry["threshold"] for entry in stored["labels"].values()]
        is_valid = isinstance(stored["model"], str) and all(
            isinstance(threshold, float) for threshold in thresholds
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_valid = False
    if not is_valid:
        raise ConfigError(
            f"wanted thresholds that 'folate tags --import' wrote, got {path}: "
            "delete it to go back to the defaults."
        )
    return dict(stored)
