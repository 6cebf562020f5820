"""The command `folate audit`: label a sample in the terminal or in a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from folate.cli.asking import printable_line, read_key, require_terminal
from folate.cli.options import DATA_FORMATS, WEEK_TYPE, format_option, print_rows, project_option
from folate.cli.terminal import print_stderr, print_text
from folate.core.errors import InputError
from folate.core.files import write_atomically
from folate.core.spreadsheet import CsvWriter
from folate.core.weeks import Week, preceding_periods

if TYPE_CHECKING:
    from corpora.store.store import Store
    from folate.pipeline.audit import AuditItem

AuditAnswer = tuple["AuditItem", str | None, str | None]
"""An item with its label, or with the reason to skip it, or with neither: it is open again."""
SaveAnswers = Callable[[Sequence[AuditAnswer]], None]

LABEL_KEYS = {"n": "negative", "0": "neutral", "p": "positive"}
LABEL_WORDS = {
    "负": "negative",
    "负面": "negative",
    "中": "neutral",
    "中性": "neutral",
    "正": "positive",
    "正面": "positive",
}
AUDIT_CSV_COLUMNS = ("item", "brand", "subject", "text", "label", "reason")
REQUIRED_COLUMNS = ("item", "label", "reason")
SAVE_INTERVAL = 10
"""Answers that are saved at once."""
KEY_HELP = "n negative, 0 neutral or not about it, p positive, s pass over, u undo, q quit"


@click.group(invoke_without_command=True)
@click.option("--brand", help="Id of the brand in folate.toml.")
@click.option("--week", type=WEEK_TYPE, metavar="YYYY-Www", help="An ISO week, such as 2026-W10.")
@click.option(
    "--weeks",
    type=click.IntRange(1, 520),
    default=1,
    show_default=True,
    help="Number of weeks to draw from, the last being --week.",
)
@click.option(
    "-n",
    "--n",
    "count",
    type=click.IntRange(1, 1_000_000),
    default=50,
    show_default=True,
    help="Texts to draw.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="Another seed draws another sample.",
)
@click.option(
    "--export",
    "export_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the sample as CSV instead of asking in the terminal.",
)
@click.option(
    "--import",
    "import_path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read the labels of such a CSV.",
)
@project_option
@click.pass_context
def audit(
    ctx: click.Context,
    brand: str | None,
    week: Week | None,
    weeks: int,
    count: int,
    seed: int,
    export_path: Path | None,
    import_path: Path | None,
    folder: Path,
) -> int:
    """Label a blind sample of texts about a brand; reports then correct their shares with it.

    Texts are drawn at random from strata of the model's labels, without duplicates, and are shown
    without the model's label. Your labels are stored; the same command continues where you stopped.
    In the CSV, fill the column "label" with n, 0 or p (or negative, neutral, positive), or the
    column "reason" with why you skip the text.
    """
    if ctx.invoked_subcommand:
        return 0
    from folate.pipeline.audit import draw_audit_sample, record_answers
    from folate.pipeline.project import Project

    project = Project.open(folder)
    if import_path:
        return import_audit_csv(import_path, project.store)
    if brand is None or week is None:
        raise click.UsageError(
            "wanted --brand and --week (or --import FILE), which say what to draw from."
        )
    all_weeks = [*preceding_periods(week, weeks - 1), week]
    items = draw_audit_sample(project, brand, all_weeks, count, seed)
    if export_path:
        export_audit_csv(export_path, items)
        return 0
    require_terminal("--export FILE, then --import FILE")
    ask_labels(items, lambda answers: record_answers(project.store, answers))
    return 0


@audit.command(short_help="Show how many texts are labelled, and how often the model agrees.")
@project_option
@format_option(*DATA_FORMATS)
def status(folder: Path, form: str) -> None:
    """Show for each brand how many texts are labelled, and how often the model agrees.

    The agreement has a 95 % Wilson interval.
    """
    from folate.pipeline.audit import audit_status
    from folate.pipeline.project import Project

    print_rows(audit_status(Project.open(folder)), form)


def ask_labels(items: Sequence[AuditItem], save_answers: SaveAnswers) -> None:
    """Ask for the label of each open item, until the last one or until the person quits.

    Answers are saved every SAVE_INTERVAL answers and at the end, also after an error: a kill loses
    fewer than SAVE_INTERVAL.
    """
    open_items = [item for item in items if item.is_open and item.text is not None]
    labelled_count = len(items) - len(open_items)
    position = 0
    answers: list[AuditAnswer] = []
    print_stderr(f"{KEY_HELP}.")
    print_stderr("")
    try:
        while position < len(open_items):
            item = open_items[position]
            brand = printable_line(item.row["brand"])
            number = labelled_count + position + 1
            print_text(f"{number} of {len(items)}, on {brand}\n{format_item(item)}")
            match read_key():
                case "q":
                    break
                case "u" if position:
                    position -= 1
                    answers.append((open_items[position], None, None))
                case "s":
                    position += 1
                    answers.append((item, None, click.prompt("why", err=True)))
                case key if key in LABEL_KEYS:
                    position += 1
                    answers.append((item, LABEL_KEYS[key], None))
                case _:
                    print_stderr(KEY_HELP)
            if len(answers) == SAVE_INTERVAL:
                save_answers(answers)
                answers.clear()
    finally:
        save_answers(answers)
    remaining_count = len(open_items) - position
    if remaining_count:
        print_stderr(f"{remaining_count} left; the same command goes on from here.")
    else:
        print_stderr("all are judged.")


def format_item(item: AuditItem) -> str:
    """Return an item as it is shown to a person, without control characters."""
    subject = f"(the page is about {printable_line(item.subject)})\n" if item.subject else ""
    lines = [printable_line(line) for line in (item.text or "").splitlines()]
    return subject + "\n".join(lines) + "\n"


def export_audit_csv(path: Path, items: Sequence[AuditItem]) -> None:
    """Write the sample as a CSV for spreadsheets, each text on one line."""
    table = StringIO(newline="")
    writer = CsvWriter(table)
    writer.write_row(AUDIT_CSV_COLUMNS)
    for item in items:
        text = None if item.text is None else printable_line(" ".join(item.text.split()))
        subject = item.subject and printable_line(item.subject)
        row = item.row
        writer.write_row((item.key, row["brand"], subject, text, row["label"], row["reason"]))
    # with a byte order mark, without which Excel does not read UTF-8
    write_atomically(path, table.getvalue().encode("utf-8-sig"))
    texts = "text" if len(items) == 1 else "texts"
    print_stderr(
        f"{len(items)} {texts} in {path}: fill the column label, "
        f"then 'folate audit --import {path}'."
    )


def import_audit_csv(path: Path, store: Store) -> int:
    """Store the labels of a filled CSV and return the exit code.

    Each row that can't be read is reported on standard error, and changes nothing. Raises
    InputError when a column is missing.
    """
    from corpora.files.delimited import DelimitedFile
    from corpora.files.rows import Reject
    from folate.pipeline.audit import load_audit_items, record_answers

    table = DelimitedFile.sniff(lambda: path.open("rb"))
    missing_columns = [name for name in REQUIRED_COLUMNS if name not in table.columns]
    if missing_columns:
        raise InputError(
            f"wanted a CSV that 'folate audit --export' wrote, got {path} "
            f"without the column {missing_columns[0]!r}."
        )
    rows = list(table.rows())
    draws = set()
    for row in rows:
        if not isinstance(row, Reject):
            draws.add(str(row.values["item"]).partition(":")[0])
    items = {item.key: item for item in load_audit_items(store.snapshot(), sorted(draws))}
    answers = []
    bad_row_count = 0
    for row in rows:
        if isinstance(row, Reject):
            bad_row_count += 1
            print_stderr(f"row {row.row}: {row.detail}")
            continue
        answer = _parse_answer(row.values, items)
        if isinstance(answer, str):
            bad_row_count += 1
            print_stderr(f"row {row.number}: {answer}")
        elif answer:
            answers.append(answer)
    record_answers(store, answers)
    unanswered_count = len(rows) - len(answers) - bad_row_count
    print_stderr(
        f"{len(answers)} kept, {unanswered_count} without an answer, {bad_row_count} bad rows."
    )
    return InputError.exit_code if bad_row_count else 0


def _parse_answer(values: dict[str, str], items: dict[str, AuditItem]) -> AuditAnswer | str | None:
    """Return the answer in a row, None if it has none, or an error message if it can't be read."""
    key, word, reason = (values[name].strip() for name in REQUIRED_COLUMNS)
    if key not in items:
        return f"wanted an item that was drawn, got {printable_line(key)!r}."
    label = LABEL_KEYS.get(word.lower(), LABEL_WORDS.get(word, word.lower()))
    if not label:
        return (items[key], None, reason) if reason else None
    if label not in LABEL_KEYS.values():
        return f"wanted n, 0, p or nothing as label, got {printable_line(word)!r}."
    return items[key], label, None
