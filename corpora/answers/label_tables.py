"""Tables of labels: what was labelled by whom, and how far people agree."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from corpora.answers.answer import Answer
from corpora.query.canonical import canonical
from corpora.query.syntax import Filter, Or
from corpora.search.view import CorpusView
from corpora.store.labels import check_label_name, read_label_rows, read_labels
from corpora.store.snapshot import Snapshot
from nlp.stats.agreement import Agreement, count_agreement

Place = tuple[str, str, int, int]

LABEL_DEFINITIONS = {
    "name": "the group",
    "rater": "who labelled",
    "id": "the post",
    "start": "first character of the line's hit, in code points of the text as published",
    "end": "the character after its last one",
    "belongs": "whether the rater put the line into the group; missing where it was skipped",
    "of_older_text": "whether the text of the post has changed since, or the post is gone",
    "asked": "the query of the concordance",
    "query": "finds the post",
    "version": "of the corpus",
}
AGREEMENT_DEFINITIONS = {
    "name": "the group",
    "first": "a rater",
    "second": "another rater",
    "n": "lines that both put into the group or left out",
    "agreement": "share of these on which both agree",
    "kappa": "Cohen's kappa (1960): 1 is full agreement, 0 that of chance",
    "low": "lower end of the 95 % interval of kappa",
    "high": "its upper end",
    "yes_yes": "lines that both put into the group",
    "yes_no": "lines that only the first put into it",
    "no_yes": "lines that only the second put into it",
    "no_no": "lines that both left out",
    "posts": "posts with a line that either put into the group",
    "query": "finds the posts with a line that either put into the group",
    "version": "of the corpus",
}


def labels_answer(view: CorpusView, name: str | None, rater: str | None) -> Answer:
    """Return one row for each label of a group and a rater, or of all. Raises InputError."""
    name = None if name is None else check_label_name(name)
    rater = None if rater is None else check_label_name(rater, "name of a rater")
    rows = []
    for row in read_label_rows(view.snapshot, name, rater):
        asked = row.pop("query")
        columns = {column: row[column] for column in LABEL_DEFINITIONS if column in row}
        provenance = {
            "asked": asked,
            "query": canonical(Filter("id", "=", row["id"])),
            "version": view.version,
        }
        rows.append({**columns, **provenance})
    question = ", ".join(filter(None, (name, rater))) or "all"
    return Answer("labels", question, question, view.version, rows, LABEL_DEFINITIONS)


def agreement_answer(view: CorpusView, name: str) -> Answer:
    """Return one row for each two raters of a group: kappa with its interval. Raises InputError."""
    name = check_label_name(name)
    rows = []
    for row in agreement_rows(view.snapshot, name):
        filters = [Filter("label", "=", f"{name}/{row[side]}") for side in ("first", "second")]
        either = canonical(Or(tuple(filters)))
        posts = view.search(either).post_count
        rows.append({**row, "posts": posts, "query": either, "version": view.version})
    return Answer("agreement", name, name, view.version, rows, AGREEMENT_DEFINITIONS)


def agreement_rows(snapshot: Snapshot, name: str) -> list[dict[str, Any]]:
    """Return a row for each two raters of a group: kappa with its interval, n and the counts.

    Counted are the lines, of one text, that both put into the group or left out.
    """
    answers_by_rater: dict[str, dict[Place, bool]] = {}
    for label in read_labels(snapshot, name):
        answers = answers_by_rater.setdefault(label.rater, {})
        if label.belongs is not None:
            answers[label.place] = label.belongs
    rows = []
    for first, second in combinations(sorted(answers_by_rater), 2):
        agreement = _agreement(answers_by_rater[first], answers_by_rater[second])
        rows.append({"name": name, "first": first, "second": second, **_fields(agreement)})
    return rows


def _agreement(first: Mapping[Place, bool], second: Mapping[Place, bool]) -> Agreement:
    shared = [place for place in first if place in second]
    return count_agreement((first[place], second[place]) for place in shared)


def _fields(agreement: Agreement) -> dict[str, Any]:
    low, high = agreement.kappa_interval() or (None, None)
    return {
        "n": agreement.n,
        "agreement": agreement.share,
        "kappa": agreement.kappa,
        "low": low,
        "high": high,
        "yes_yes": agreement.yes_yes,
        "yes_no": agreement.yes_no,
        "no_yes": agreement.no_yes,
        "no_no": agreement.no_no,
    }
