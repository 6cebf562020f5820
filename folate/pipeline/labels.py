"""Labelling lines of a concordance: what is asked, stored and undone, and rows for spreadsheets.

`corpora.store.labels` keeps the labels.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from corpora.answers.label_lines import LabelLine, LabelTask
from corpora.files.delimited import DelimitedFile
from corpora.files.rows import Reject
from corpora.store.labels import Label, read_labels, record_labels, withdraw_label
from corpora.store.snapshot import Snapshot
from corpora.store.store import Store
from folate.core.errors import FolateError, InputError
from folate.core.spreadsheet import escape_formula
from folate.core.text import printable_text, quote_name

CSV_COLUMNS = ("line", "left", "hit", "right", "label", "query")
REQUIRED_COLUMNS = ("line", "label")
MIN_COMMITS_TO_MERGE = 20
"""Commits of one session from which on its small files are merged."""
CSV_CONTEXT_LENGTH = 100
"""Characters on each side of a hit in a spreadsheet."""

ANSWER_WORDS = {
    "y": True,
    "yes": True,
    "1": True,
    "是": True,
    "n": False,
    "no": False,
    "0": False,
    "否": False,
    "s": None,
    "skip": None,
    "跳过": None,
}
"""What a person may write into the column `label`; None passes the line over."""

# A letter first, so that no spreadsheet takes it for a number or a date.
_LINE_KEY = re.compile(r"h(?P<start>\d{1,9})-(?P<end>\d{1,9}):(?P<hash>[0-9a-f]{1,32}):(?P<id>.+)")
_STORED_IDS_QUERY = "SELECT id FROM posts WHERE id IN (SELECT unnest($ids))"


class LabelWriter:
    """Stores answers while the person reads on: what came during one commit is the next one.

    An answer is in the store after the commit in progress and its own, also if the terminal is
    closed; `close` waits for the last one.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changes: SimpleQueue[_Change | None] = SimpleQueue()
        self._error: FolateError | None = None
        self._commit_count = 0
        self._thread = Thread(target=self._write, daemon=True)
        self._thread.start()

    def record(self, label: Label) -> None:
        """Store a label. Raises the StoreError of an earlier one."""
        self._put(_Change(label))

    def withdraw(self, label: Label, earlier: Label | None) -> None:
        """Take a label back; `earlier` is the one that it replaced."""
        self._put(_Change(label, earlier, is_withdrawal=True))

    def close(self) -> None:
        """Wait until all is stored, and merge the small files. Raises StoreError."""
        self._changes.put(None)
        self._thread.join()
        if self._error:
            raise self._error
        if self._commit_count >= MIN_COMMITS_TO_MERGE:
            self._store.compact(["labels"])

    def _put(self, change: "_Change") -> None:
        if self._error:
            raise self._error
        self._changes.put(change)

    def _write(self) -> None:
        is_open = True
        while is_open:
            changes = [self._changes.get()]
            while not self._changes.empty():
                changes.append(self._changes.get())
            is_open = changes[-1] is not None
            try:
                self._commit([change for change in changes if change])
            except FolateError as error:
                self._error = error
                return

    def _commit(self, changes: Sequence["_Change"]) -> None:
        new_labels: list[Label] = []
        for change in changes:
            if not change.is_withdrawal:
                new_labels.append(change.label)
            elif change.label in new_labels:
                new_labels.remove(change.label)
            else:
                withdraw_label(self._store, change.label, change.earlier)
                self._commit_count += 1
        if new_labels:
            record_labels(self._store, new_labels)
            self._commit_count += 1


@dataclass(frozen=True)
class _Change:
    """A label that is stored, or taken back."""

    label: Label
    earlier: Label | None = None
    is_withdrawal: bool = False


@dataclass
class LabelSession:
    """One person's answers to the lines of a query, each stored when it is given.

    `close` must be called at the end.
    """

    store: Store
    name: str
    rater: str
    task: LabelTask
    # lines without an answer of this rater
    open_lines: list[LabelLine]
    # labels of these places that the rater gave to an older text
    earlier: Mapping[tuple[str, int, int], Label]
    # answers of this session, the last one undone first
    answers: list[Label] = field(default_factory=list)
    _writer: LabelWriter | None = None

    @classmethod
    def begin(cls, store: Store, name: str, rater: str, task: LabelTask) -> "LabelSession":
        """Begin where this rater stopped: lines with an answer are left out."""
        labels = read_labels(store.snapshot(), name, rater)
        answered = {label.place for label in labels}
        earlier = {(label.id, label.start, label.end): label for label in labels}
        open_lines = [line for line in task.lines if line.place not in answered]
        return cls(store, name, rater, task, open_lines, earlier)

    @property
    def current(self) -> LabelLine | None:
        """The line that is asked about; None when all have an answer."""
        position = len(self.answers)
        return self.open_lines[position] if position < len(self.open_lines) else None

    @property
    def number(self) -> int:
        """The number of the current line among all lines of the task, from 1."""
        return len(self.task.lines) - len(self.open_lines) + len(self.answers) + 1

    def answer(self, belongs: bool | None) -> None:
        """Store the answer to the current line; None passes it over."""
        if self.current:
            label = self.task.label(self.current, self.name, self.rater, belongs)
            self._open_writer().record(label)
            self.answers.append(label)

    def undo(self) -> None:
        """Take back the last answer of this session, if there is one."""
        if self.answers:
            label = self.answers.pop()
            place = (label.id, label.start, label.end)
            self._open_writer().withdraw(label, self.earlier.get(place))

    def close(self) -> None:
        """Wait until all answers are stored. Raises StoreError."""
        if self._writer:
            self._writer.close()
            self._writer = None

    def _open_writer(self) -> LabelWriter:
        self._writer = self._writer or LabelWriter(self.store)
        return self._writer

    def mark_all(self) -> int:
        """Put all open lines into the group in one commit, and return how many."""
        lines = self.open_lines[len(self.answers) :]
        labels = [self.task.label(line, self.name, self.rater, True) for line in lines]
        record_labels(self.store, labels)
        self.answers += labels
        return len(labels)


def csv_rows(session: LabelSession) -> list[tuple[str | None, ...]]:
    """Return the rows of CSV_COLUMNS of all lines of a task, with the answers that exist."""
    labels = read_labels(session.store.snapshot(), session.name, session.rater)
    answers = {label.place: label.belongs for label in labels}
    words = {True: "y", False: "n", None: "s"}
    rows: list[tuple[str | None, ...]] = []
    for line in session.task.lines:
        key = f"h{line.start}-{line.end}:{line.text_hash}:{line.id}"
        answer = words[answers[line.place]] if line.place in answers else None
        left = _one_line(line.left[-CSV_CONTEXT_LENGTH:])
        right = _one_line(line.right[:CSV_CONTEXT_LENGTH])
        rows.append((key, left, _one_line(line.hit), right, answer, session.task.query))
    return rows


@dataclass(frozen=True)
class LabelTable:
    """What a filled CSV says, by the number of its row."""

    labels: Mapping[int, Label]
    problems: Mapping[int, str]
    unanswered_count: int


def read_label_csv(path: Path, name: str, rater: str, snapshot: Snapshot) -> LabelTable:
    """Read a filled CSV; posts must be in the snapshot. Raises InputError for a missing column."""
    table = DelimitedFile.sniff(lambda: path.open("rb"))
    missing_columns = [column for column in REQUIRED_COLUMNS if column not in table.columns]
    if missing_columns:
        raise InputError(
            f"wanted a CSV that 'folate label --export' wrote, got {path} "
            f"without the column {missing_columns[0]!r}."
        )
    labels: dict[int, Label] = {}
    problems: dict[int, str] = {}
    unanswered_count = 0
    for row in table.rows():
        if isinstance(row, Reject):
            problems[row.row] = row.detail
            continue
        parsed = parse_csv_row(row.values, name, rater)
        if isinstance(parsed, Label):
            labels[row.number] = parsed
        elif parsed:
            problems[row.number] = parsed
        else:
            unanswered_count += 1
    unknown_ids = _unknown_posts(snapshot, [label.id for label in labels.values()])
    for number, label in list(labels.items()):
        if label.id in unknown_ids:
            problems[number] = f"wanted a post of this corpus, got {quote_name(label.id)}."
            del labels[number]
    return LabelTable(labels, problems, unanswered_count)


def parse_csv_row(values: Mapping[str, str], name: str, rater: str) -> Label | str | None:
    """Return the label in a row, None if it has none, or an error message if it can't be read."""
    key, word = (values[column].strip() for column in REQUIRED_COLUMNS)
    if not word:
        return None
    place = _LINE_KEY.fullmatch(key)
    if not place or int(place["start"]) > int(place["end"]):
        return f"wanted a line that 'folate label --export' wrote, got {quote_name(key)}."
    if word.lower() not in ANSWER_WORDS:
        return f"wanted y, n, s or nothing as label, got {quote_name(word)}."
    return Label(
        name=name,
        rater=rater,
        id=place["id"],
        text_hash=place["hash"],
        start=int(place["start"]),
        end=int(place["end"]),
        belongs=ANSWER_WORDS[word.lower()],
        query=_unescape_formula(values.get("query", "")),
    )


def _unknown_posts(snapshot: Snapshot, ids: Sequence[str]) -> set[str]:
    """Return those of the ids that no post has."""
    known = snapshot.sql(_STORED_IDS_QUERY, {"ids": sorted(set(ids))}).column("id").to_pylist()
    return set(ids) - set(known)


def _unescape_formula(cell: str) -> str:
    """Return a cell without the apostrophe that `escape_formula` put before a formula."""
    bare = cell.removeprefix("'")
    return bare if escape_formula(bare) == cell else cell


def _one_line(text: str) -> str:
    return printable_text(" ".join(text.split()))
