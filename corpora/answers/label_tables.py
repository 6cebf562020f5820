"""Tables of labels: what was labelled by whom, and how far people agree."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from corpora.store.labels import read_labels
from corpora.store.snapshot import Snapshot
from nlp.stats.agreement import Agreement, count_agreement


def agreement_rows(snapshot: Snapshot, name: str) -> list[dict[str, Any]]:
    """Return a row for each two raters of a group: kappa with its interval, n and the counts.

    Counted are the lines, of one text, that both put into the group or left out.
    """
    answers_by_rater: dict[str, dict[tuple[str, str, int, int], bool]] = {}
    for label in read_labels(snapshot, name):
        answers = answers_by_rater.setdefault(label.rater, {})
        if label.belongs is not None:
            answers[label.place] = label.belongs
    rows = []
    for first, second in combinations(sorted(answers_by_rater), 2):
        agreement = _agreement(answers_by_rater[first], answers_by_rater[second])
        rows.append({"name": name, "first": first, "second": second, **_fields(agreement)})
    return rows


def _agreement(
    first: Mapping[tuple[str, str, int, int], bool],
    second: Mapping[tuple[str, str, int, int], bool],
) -> Agreement:
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
