"""`folate audit`: a person judges a blind sample, in the terminal or in a spreadsheet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from folate.cli.options import DATA_FORMATS, WEEK_TYPE, format_option, print_rows, project_option
from folate.cli.terminal import print_stderr, print_text
from folate.core.errors import InputError
from folate.core.files import write_atomically
from folate.core.spreadsheet import CsvWriter
from folate.core.text import printable_text
from folate.core.weeks import Week, preceding_periods

if TYPE_CHECKING:
    from corpora.store.store import Store
    from folate.pipeline.audit import AuditItem

AuditAnswer = tuple[
    "AuditItem", str | None, str | None
]  # label, or the reason to pass it over, or neither: open again
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
SAVE_INTERVAL = 10
KEY_HELP = "n negative, 0 neutral or not about it, p positive, s pass over, u undo, q quit"


@click.group(invoke_without_command=True)
@click.option("--brand", help="Id of the brand, as in folate.toml.")
@click.option("--week", type=WEEK_TYPE, metavar="YYYY-Www", help="An ISO week, such as 2026-W10.")
@click.option(
    "--weeks",
    type=click.IntRange(1, 520),
    default=1,
    show_default=True,
    help="Draw from so many weeks, up to --week.",
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
    "out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the sample as CSV in place of asking.",
)
@click.option(
    "--import",
    "filled",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read labels from such a CSV.",
)
@project_option
@click.pass_context
def audit(
    ctx: click.Context, brand: str | None, week: Week | None, weeks: int, count: int, seed: int, out: Path | None, filled: Path | None,
    folder: Path,
) -> int:  # fmt: skip
    """Judge a blind sample of what is said of a brand; the report's shares and their intervals then rest on it.

    Texts are drawn at random from strata of what the model says, copies set aside, and shown without
    its answer. What is judged is kept; the same command goes on where it stopped. In the CSV fill the
    column label with n, 0 or p (or negative, neutral, positive), or give a reason to pass the text over.
    """
    if ctx.invoked_subcommand:
        return 0
    from folate.pipeline import audit as steps
    from folate.pipeline.project import Project

    project = Project.open(folder)
    if filled:
        return import_audit_csv(filled, project.store)
    if brand is None or week is None:
        raise click.UsageError(
            "wanted --brand and --week (or --import FILE), which say what to draw from."
        )
    items = steps.draw_audit_sample(
        project, brand, [*preceding_periods(week, weeks - 1), week], count, seed
    )
    if out:
        export_audit_csv(out, items)
        return 0
    if not sys.stdin.isatty():
        raise InputError(
            "wanted a terminal to ask in, got a pipe or a file; possible: --export FILE, then --import FILE."
        )
    ask_labels(items, lambda answers: steps.record_answers(project.store, answers))
    return 0


@audit.command(short_help="Show what is labelled, and how often the model agrees.")
@project_option
@format_option(*DATA_FORMATS)
def status(folder: Path, form: str) -> None:
    """Show what is labelled of each brand, and how often the model agrees (95 % interval by Wilson)."""
    from folate.pipeline import audit as steps
    from folate.pipeline.project import Project

    print_rows(steps.audit_status(Project.open(folder)), form)


def ask_labels(items: Sequence[AuditItem], save_answers: SaveAnswers) -> None:
    """Ask for the open items one after the other, until the last or until the person quits.

    Answers are kept when it ends, however it ends, and some at a time before: a kill costs fewer than KEPT_AT_ONCE of them.
    """
    waiting = [item for item in items if item.is_open and item.text is not None]
    done, place = len(items) - len(waiting), 0
    answers: list[AuditAnswer] = []
    print_stderr(f"{KEY_HELP}.")
    print_stderr("")
    try:
        while place < len(waiting):
            item = waiting[place]
            print_text(
                f"{done + place + 1} of {len(items)}, on {_line(item.row['brand'])}\n{format_item(item)}"
            )
            match _key():
                case "q":
                    break
                case "u" if place:
                    place -= 1
                    answers.append((waiting[place], None, None))
                case "s":
                    place += 1
                    answers.append((item, None, click.prompt("why", err=True)))
                case key if key in LABEL_KEYS:
                    place += 1
                    answers.append((item, LABEL_KEYS[key], None))
                case _:
                    print_stderr(KEY_HELP)
            if len(answers) == SAVE_INTERVAL:
                save_answers(answers)
                answers.clear()
    finally:
        save_answers(answers)
    left = len(waiting) - place
    print_stderr(
        "all are judged." if not left else f"{left} left; the same command goes on from here."
    )


def _key() -> str:
    """The key that was struck; q where there is nobody left to strike one."""
    try:
        return click.getchar().lower()
    except (KeyboardInterrupt, EOFError):
        return "q"


def format_item(item: AuditItem) -> str:
    """What a person reads of an item; nothing in it can command a terminal."""
    about = f"(the page is about {_line(item.subject)})\n" if item.subject else ""
    return about + "\n".join(map(_line, (item.text or "").splitlines())) + "\n"


def _line(text: str) -> str:
    return printable_text(text.replace("\t", " "))


def export_audit_csv(path: Path, items: Sequence[AuditItem]) -> None:
    """The sample as CSV for a spreadsheet: UTF-8 with a mark, a text on one line, nothing that would run as a formula."""
    table = StringIO(newline="")
    writer = CsvWriter(table)
    writer.write_row(AUDIT_CSV_COLUMNS)
    for item in items:
        text = None if item.text is None else _line(" ".join(item.text.split()))
        subject = item.subject and _line(item.subject)
        writer.write_row(
            (item.key, item.row["brand"], subject, text, item.row["label"], item.row["reason"])
        )
    write_atomically(path, table.getvalue().encode("utf-8-sig"))
    print_stderr(
        f"{len(items)} {'text' if len(items) == 1 else 'texts'} in {path}: fill the column label, then 'folate audit --import {path}'."
    )


def import_audit_csv(path: Path, store: Store) -> int:
    """Keep the labels of a filled CSV; rows that can't be read are named and leave what is stored. Returns the exit code."""
    from corpora.files.delimited import DelimitedFile
    from corpora.files.rows import Reject
    from folate.pipeline import audit as steps

    table = DelimitedFile.sniff(lambda: path.open("rb"))
    if lacking := [name for name in ("item", "label", "reason") if name not in table.columns]:
        raise InputError(
            f"wanted a CSV that 'folate audit --export' wrote, got {path} without the column {lacking[0]!r}."
        )
    rows = list(table.rows())
    draws = {
        str(row.values["item"]).partition(":")[0] for row in rows if not isinstance(row, Reject)
    }
    known = {item.key: item for item in steps.load_audit_items(store.snapshot(), sorted(draws))}
    answers, bad = [], 0
    for row in rows:
        found = row.detail if isinstance(row, Reject) else _answer(row.values, known)
        if isinstance(found, str):
            bad += 1
            print_stderr(f"row {row.row if isinstance(row, Reject) else row.number}: {found}")
        elif found:
            answers.append(found)
    steps.record_answers(store, answers)
    print_stderr(
        f"{len(answers)} kept, {len(rows) - len(answers) - bad} without an answer, {bad} bad rows."
    )
    return InputError.exit_code if bad else 0


def _answer(values: dict[str, str], known: dict[str, AuditItem]) -> AuditAnswer | str | None:
    """What a row says of its item; None when it says nothing, a sentence when it can't be read."""
    key, word, reason = (values[name].strip() for name in ("item", "label", "reason"))
    if key not in known:
        return f"wanted an item that was drawn, got {_line(key)!r}."
    label = LABEL_KEYS.get(word.lower(), LABEL_WORDS.get(word, word.lower()))
    if not label:
        return (known[key], None, reason) if reason else None
    if label not in LABEL_KEYS.values():
        return f"wanted n, 0, p or nothing as label, got {_line(word)!r}."
    return known[key], label, None
