"""`folate audit`: a person judges a blind sample, in the terminal or in a spreadsheet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from folate.cli.options import DATA_FORMATS, WEEK, emit, format_option, project_option
from folate.cli.terminal import say, tell
from folate.core.errors import InputError
from folate.core.files import write_whole
from folate.core.spreadsheet import CsvWriter
from folate.core.text import printable
from folate.core.weeks import Week, trailing

if TYPE_CHECKING:
    from corpora.store.store import Store
    from folate.pipeline.audit import Item

Answer = tuple[
    "Item", str | None, str | None
]  # label, or the reason to pass it over, or neither: open again
Keep = Callable[[Sequence[Answer]], None]

KEYS = {"n": "negative", "0": "neutral", "p": "positive"}
WORDS = {
    "负": "negative",
    "负面": "negative",
    "中": "neutral",
    "中性": "neutral",
    "正": "positive",
    "正面": "positive",
}
COLUMNS = ("item", "brand", "subject", "text", "label", "reason")
KEPT_AT_ONCE = 10
HELP = "n negative, 0 neutral or not about it, p positive, s pass over, u undo, q quit"


@click.group(invoke_without_command=True)
@click.option("--brand", help="Id of the brand, as in folate.toml.")
@click.option("--week", type=WEEK, metavar="YYYY-Www", help="An ISO week, such as 2026-W10.")
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
    from folate.pipeline.project import Workspace

    workspace = Workspace.open(folder)
    if filled:
        return read_answers(filled, workspace.store)
    if brand is None or week is None:
        raise click.UsageError(
            "wanted --brand and --week (or --import FILE), which say what to draw from."
        )
    items = steps.draw(workspace, brand, [*trailing(week, weeks - 1), week], count, seed)
    if out:
        write_questions(out, items)
        return 0
    if not sys.stdin.isatty():
        raise InputError(
            "wanted a terminal to ask in, got a pipe or a file; possible: --export FILE, then --import FILE."
        )
    judge(items, lambda answers: steps.record(workspace.store, answers))
    return 0


@audit.command(short_help="Show what is labelled, and how often the model agrees.")
@project_option
@format_option(*DATA_FORMATS)
def status(folder: Path, form: str) -> None:
    """Show what is labelled of each brand, and how often the model agrees (95 % interval by Wilson)."""
    from folate.pipeline import audit as steps
    from folate.pipeline.project import Workspace

    emit(steps.status(Workspace.open(folder)), form)


def judge(items: Sequence[Item], keep: Keep) -> None:
    """Ask for the open items one after the other, until the last or until the person quits.

    Answers are kept when it ends, however it ends, and some at a time before: a kill costs fewer than KEPT_AT_ONCE of them.
    """
    waiting = [item for item in items if item.open and item.text is not None]
    done, place = len(items) - len(waiting), 0
    answers: list[Answer] = []
    tell(f"{HELP}.")
    tell("")
    try:
        while place < len(waiting):
            item = waiting[place]
            say(f"{done + place + 1} of {len(items)}, on {_line(item.row['brand'])}\n{shown(item)}")
            match _key():
                case "q":
                    break
                case "u" if place:
                    place -= 1
                    answers.append((waiting[place], None, None))
                case "s":
                    place += 1
                    answers.append((item, None, click.prompt("why", err=True)))
                case key if key in KEYS:
                    place += 1
                    answers.append((item, KEYS[key], None))
                case _:
                    tell(HELP)
            if len(answers) == KEPT_AT_ONCE:
                keep(answers)
                answers.clear()
    finally:
        keep(answers)
    left = len(waiting) - place
    tell("all are judged." if not left else f"{left} left; the same command goes on from here.")


def _key() -> str:
    """The key that was struck; q where there is nobody left to strike one."""
    try:
        return click.getchar().lower()
    except (KeyboardInterrupt, EOFError):
        return "q"


def shown(item: Item) -> str:
    """What a person reads of an item; nothing in it can command a terminal."""
    about = f"(the page is about {_line(item.subject)})\n" if item.subject else ""
    return about + "\n".join(map(_line, (item.text or "").splitlines())) + "\n"


def _line(text: str) -> str:
    return printable(text.replace("\t", " "))


def write_questions(path: Path, items: Sequence[Item]) -> None:
    """The sample as CSV for a spreadsheet: UTF-8 with a mark, a text on one line, nothing that would run as a formula."""
    table = StringIO(newline="")
    writer = CsvWriter(table)
    writer.write(COLUMNS)
    for item in items:
        text = None if item.text is None else _line(" ".join(item.text.split()))
        subject = item.subject and _line(item.subject)
        writer.write(
            (item.key, item.row["brand"], subject, text, item.row["label"], item.row["reason"])
        )
    write_whole(path, table.getvalue().encode("utf-8-sig"))
    tell(
        f"{len(items)} {'text' if len(items) == 1 else 'texts'} in {path}: fill the column label, then 'folate audit --import {path}'."
    )


def read_answers(path: Path, store: Store) -> int:
    """Keep the labels of a filled CSV; rows that can't be read are named and leave what is stored. Returns the exit code."""
    from corpora.files.delimited import Delimited
    from corpora.files.rows import Reject
    from folate.pipeline import audit as steps

    table = Delimited.sniff(lambda: path.open("rb"))
    if lacking := [name for name in ("item", "label", "reason") if name not in table.columns]:
        raise InputError(
            f"wanted a CSV that 'folate audit --export' wrote, got {path} without the column {lacking[0]!r}."
        )
    rows = list(table.rows())
    draws = {
        str(row.values["item"]).partition(":")[0] for row in rows if not isinstance(row, Reject)
    }
    known = {item.key: item for item in steps.items(store.snapshot(), sorted(draws))}
    answers, bad = [], 0
    for row in rows:
        found = row.detail if isinstance(row, Reject) else _answer(row.values, known)
        if isinstance(found, str):
            bad += 1
            tell(f"row {row.row if isinstance(row, Reject) else row.number}: {found}")
        elif found:
            answers.append(found)
    steps.record(store, answers)
    tell(
        f"{len(answers)} kept, {len(rows) - len(answers) - bad} without an answer, {bad} bad rows."
    )
    return InputError.exit_code if bad else 0


def _answer(values: dict[str, str], known: dict[str, Item]) -> Answer | str | None:
    """What a row says of its item; None when it says nothing, a sentence when it can't be read."""
    key, word, reason = (values[name].strip() for name in ("item", "label", "reason"))
    if key not in known:
        return f"wanted an item that was drawn, got {_line(key)!r}."
    label = KEYS.get(word.lower(), WORDS.get(word, word.lower()))
    if not label:
        return (known[key], None, reason) if reason else None
    if label not in KEYS.values():
        return f"wanted n, 0, p or nothing as label, got {_line(word)!r}."
    return known[key], label, None
