"""Labels of people: lines of a concordance that a rater put into a named group, or left out of it.

They are kept by the place of the line in the text as published. No other table is needed to keep
them, so that annotating again or rebuilding loses none.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from corpora.store.snapshot import Snapshot
from corpora.store.store import Store
from folate.core.errors import InputError, NotFound, suggestion
from folate.core.text import quote_name
from nlp.text.normalize import normalize_text

MAX_NAME_LENGTH = 64
_NAME = re.compile(rf"[\w.-]{{1,{MAX_NAME_LENGTH}}}")

# A label is of an older text where the post has another text now, or is gone.
_LABELS_QUERY = """
SELECT l.*, p.id IS NULL OR p.text_hash IS DISTINCT FROM l.text_hash AS of_older_text
FROM labels l LEFT JOIN posts p ON p.id = l.id
WHERE l.name = coalesce($name, l.name) AND l.rater = coalesce($rater, l.rater)
ORDER BY l.name, l.rater, l.id, l.start, l."end"
""".strip()
_COUNTS_QUERY = """
SELECT l.name, l.rater, count(*) FILTER (l.belongs) AS yes, count(*) FILTER (NOT l.belongs) AS no,
  count(*) FILTER (l.belongs IS NULL) AS skipped, count(DISTINCT l.id) AS posts,
  count(*) FILTER (p.id IS NULL OR p.text_hash IS DISTINCT FROM l.text_hash) AS of_older_text
FROM labels l LEFT JOIN posts p ON p.id = l.id GROUP BY ALL ORDER BY ALL
""".strip()


@dataclass(frozen=True)
class Label:
    """What one person said of one line."""

    # of the group
    name: str
    rater: str
    # of the post
    id: str
    # `Post.text_hash` of the text that the person saw
    text_hash: str
    # offsets of the hit in code points of `Post.body`
    start: int
    end: int
    # None: passed over
    belongs: bool | None
    # the canonical query of the concordance
    query: str

    @property
    def place(self) -> tuple[str, str, int, int]:
        """The line that the label is about: post, text, and span."""
        return self.id, self.text_hash, self.start, self.end


def check_label_name(name: str, what: str = "name of a label") -> str:
    """Return the name in normal form, as `label:NAME` compares it. Raises InputError."""
    normal = normalize_text(name)
    if not _NAME.fullmatch(normal):
        raise InputError(
            f"wanted a {what} of letters, digits, '_', '-' and '.', at most {MAX_NAME_LENGTH}, "
            f"got {quote_name(name)}; possible: complaint, 投诉."
        )
    return normal


def record_labels(store: Store, labels: Sequence[Label]) -> None:
    """Store labels in one commit; a label of the same line by the same rater is replaced."""
    store.upsert("labels", [asdict(label) for label in labels])


def withdraw_label(store: Store, label: Label, earlier: Label | None) -> None:
    """Undo `record_labels` of one label; `earlier` is the one that it replaced."""
    if earlier:
        record_labels(store, [earlier])
        return
    post_labels = [
        other
        for other in read_labels(store.snapshot(), label.name, label.rater)
        if other.id == label.id and (other.start, other.end) != (label.start, label.end)
    ]
    where = {"name": label.name, "rater": label.rater, "id": label.id}
    store.replace("labels", [asdict(other) for other in post_labels], where)


def read_labels(
    snapshot: Snapshot, name: str | None = None, rater: str | None = None
) -> list[Label]:
    """Return the labels of a group and a rater, or of all, by name, rater, post and place."""
    names = [column.name for column in fields(Label)]
    rows = read_label_rows(snapshot, name, rater)
    return [Label(**{column: row[column] for column in names}) for row in rows]


def read_label_rows(
    snapshot: Snapshot, name: str | None = None, rater: str | None = None
) -> list[dict[str, Any]]:
    """Return the labels as rows of the table, and whether each is of an older text."""
    rows: list[dict[str, Any]] = snapshot.sql(
        _LABELS_QUERY, {"name": name, "rater": rater}
    ).to_pylist()
    return rows


def label_counts(snapshot: Snapshot) -> list[dict[str, object]]:
    """Return a row for each group and rater: lines in, out and passed over, posts, older texts."""
    rows: list[dict[str, object]] = snapshot.sql(_COUNTS_QUERY).to_pylist()
    return rows


def remove_labels(store: Store, name: str, rater: str | None = None) -> int:
    """Remove the labels of a group, by one rater or by all, and return how many.

    Raises NotFound where there are none.
    """
    snapshot = store.snapshot()
    count = len(read_labels(snapshot, name, rater))
    if not count:
        raise NotFound(_unknown_label_sentence(snapshot, name, rater))
    where = {"name": name} if rater is None else {"name": name, "rater": rater}
    store.replace("labels", [], where)
    return count


def _unknown_label_sentence(snapshot: Snapshot, name: str, rater: str | None) -> str:
    counts = label_counts(snapshot)
    names = sorted({str(row["name"]) for row in counts})
    if not names:
        return "nobody has labelled a line yet: 'folate label QUERY --name NAME --rater RATER'."
    if name not in names:
        return f"wanted the name of a label, got {quote_name(name)}; {suggestion(name, names)}"
    raters = sorted(str(row["rater"]) for row in counts if row["name"] == name)
    return f"wanted a rater of {name!r}, got {quote_name(rater or '')}; " + suggestion(
        rater or "", raters
    )
