"""The command `folate label`: put lines of a concordance into named groups."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from folate.cli.asking import printable_line, read_key, require_terminal
from folate.cli.corpus_options import open_corpus
from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.cli.terminal import print_stderr, print_text
from folate.core.errors import InputError
from folate.core.files import write_atomically
from folate.core.spreadsheet import CsvWriter

if TYPE_CHECKING:
    from corpora.answers.label_lines import LabelLine
    from corpora.store.store import Store
    from folate.pipeline.labels import LabelSession

KEY_HELP = "y belongs, n does not, s skip, m more of the text, u undo, q quit"
_ANSWER_KEYS = {"y": True, "n": False, "s": None}
MIN_CONTEXT_CELLS = 8
_DEFAULT_WIDTH = (100, 24)
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True)
class LabelOptions:
    """What the person asked for besides the query."""

    name: str | None
    rater: str | None
    sample: int | None
    seed: int
    all_lines: bool
    yes: bool
    export_path: Path | None
    import_path: Path | None


@click.command()
@click.argument("query", required=False)
@click.option("--name", help="Name of the group, such as complaint.")
@click.option("--rater", help="Your own short name, such as ann.")
@click.option(
    "--sample",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="Ask about N lines, drawn at random; default: all.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="Another seed gives another order, and another sample.",
)
@click.option("--all", "all_lines", is_flag=True, help="Mark every line without asking for each.")
@click.option("--yes", is_flag=True, help="Don't ask before --all and --remove.")
@click.option(
    "--export",
    "export_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the lines as CSV instead of asking in the terminal.",
)
@click.option(
    "--import",
    "import_path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read the labels of such a CSV.",
)
@click.option("--list", "list_names", is_flag=True, help="List groups, raters and counts.")
@click.option(
    "--agreement", "agreement_name", metavar="NAME", help="Print how far the raters of NAME agree."
)
@click.option(
    "--remove", is_flag=True, help="Remove the labels of --name, by --rater or by everybody."
)
@project_option
@format_option(*DATA_FORMATS)
def label(
    query: str | None,
    list_names: bool,
    agreement_name: str | None,
    remove: bool,
    folder: Path,
    form: str,
    **options: Any,
) -> int:
    """Show the lines that match QUERY one by one, and put each into a named group or not.

    Lines come in random order. Every answer is stored at once; the same command continues where you
    stopped. Other queries use the group as label:NAME, or label:NAME/RATER for one person's. In the
    CSV, fill the column "label" with y, n or s.
    """
    from folate.pipeline.project import Project

    settings = LabelOptions(**options)
    project = Project.open(folder)
    if list_names:
        _print_counts(project.store, form)
    elif agreement_name is not None:
        _print_agreement(project.store, agreement_name, form)
    elif remove:
        _remove(project.store, settings)
    elif settings.import_path:
        return import_label_csv(settings.import_path, project.store, settings)
    elif query is None:
        raise click.UsageError(
            "wanted a QUERY whose lines are labelled, or --import, --list, --agreement or --remove."
        )
    else:
        _label_query(query, folder, project.store, settings)
    return 0


def _label_query(query: str, folder: Path, store: Store, options: LabelOptions) -> None:
    from corpora.answers.label_lines import label_task
    from folate.pipeline.labels import LabelSession

    name, rater = _name_and_rater(options)
    if not (options.all_lines or options.export_path):
        require_terminal("--export FILE, then --import FILE; or --all --yes")
    task = label_task(open_corpus(folder, None), query, options.sample, options.seed)
    session = LabelSession.begin(store, name, rater, task)
    if options.export_path:
        export_label_csv(options.export_path, session)
    elif options.all_lines:
        _mark_all(session, options.yes)
    else:
        try:
            ask_lines(session)
        finally:
            session.close()


def _name_and_rater(options: LabelOptions) -> tuple[str, str]:
    """Return the group and the rater in normal form. Raises UsageError, InputError."""
    from corpora.store.labels import check_label_name

    if options.name is None or options.rater is None:
        raise click.UsageError("wanted --name, the group, and --rater, who labels.")
    return check_label_name(options.name), check_label_name(options.rater, "name of a rater")


def ask_lines(session: LabelSession) -> None:
    """Ask about each open line, until the last one or until the person quits."""
    print_stderr(f"{KEY_HELP}.")
    print_stderr("")
    line = session.current
    while line is not None:
        number = f"{session.number:>{len(str(len(session.task.lines)))}}"
        width = shutil.get_terminal_size(_DEFAULT_WIDTH).columns
        print_text(f"{number}  {format_line(line, width - len(number) - 2)}")
        match read_key():
            case "q":
                break
            case "u":
                session.undo()
            case "m":
                print_text(printable_line(" ".join((line.left + line.hit + line.right).split())))
            case key if key in _ANSWER_KEYS:
                session.answer(_ANSWER_KEYS[key])
            case _:
                print_stderr(KEY_HELP)
        line = session.current
    remaining_count = len(session.open_lines) - len(session.answers)
    if remaining_count:
        print_stderr(f"{remaining_count} left; the same command goes on from here.")
    else:
        print_stderr("all are judged.")


def format_line(line: LabelLine, width: int) -> str:
    """Return a line as `left[hit]right` in `width` cells, the hit at the same cell in each."""
    from rich.cells import cell_len, set_cell_size

    side = max(MIN_CONTEXT_CELLS, (width - 2) // 2)
    left = _last_cells(_collapse(line.left), side)
    hit = _collapse(line.hit)
    room = max(MIN_CONTEXT_CELLS, width - side - cell_len(hit) - 2)
    right = set_cell_size(_collapse(line.right), room).rstrip()
    return f"{left}[{hit}]{right}"


def _collapse(text: str) -> str:
    """Return a text on one line, with one space for each run of white space."""
    return printable_line(_SPACES.sub(" ", text))


def _last_cells(text: str, width: int) -> str:
    """Return the end of a text in exactly `width` cells, filled up with spaces at its start."""
    from rich.cells import cell_len

    total = 0
    start = len(text)
    while start and total + cell_len(text[start - 1]) <= width:
        start -= 1
        total += cell_len(text[start])
    return " " * (width - total) + text[start:]


def _mark_all(session: LabelSession, yes: bool) -> None:
    count = len(session.open_lines)
    answered_count = len(session.task.lines) - count
    print_stderr(
        f"{count} {_plural(count, 'line')} to mark as {session.name!r} by {session.rater!r}; "
        f"{answered_count} with an answer stay as they are."
    )
    if count and not yes:
        require_terminal("--yes")
        click.confirm("mark them?", abort=True, err=True)
    session.mark_all()
    print_stderr(f"{count} marked.")


def export_label_csv(path: Path, session: LabelSession) -> None:
    """Write the lines as a CSV for spreadsheets."""
    from folate.pipeline.labels import CSV_COLUMNS, csv_rows

    rows = csv_rows(session)
    table = StringIO(newline="")
    writer = CsvWriter(table)
    writer.write_row(CSV_COLUMNS)
    for row in rows:
        writer.write_row(row)
    # with a byte order mark, without which Excel does not read UTF-8
    write_atomically(path, table.getvalue().encode("utf-8-sig"))
    print_stderr(
        f"{len(rows)} {_plural(len(rows), 'line')} in {path}: fill the column label, then "
        f"'folate label --import {path} --name {session.name} --rater {session.rater}'."
    )


def import_label_csv(path: Path, store: Store, options: LabelOptions) -> int:
    """Store the labels of a filled CSV and return the exit code.

    Each row that can't be read is reported on standard error, and changes nothing. Raises
    InputError when a column is missing.
    """
    from corpora.store.labels import record_labels
    from folate.pipeline.labels import read_label_csv

    name, rater = _name_and_rater(options)
    table = read_label_csv(path, name, rater, store.snapshot())
    record_labels(store, list(table.labels.values()))
    for number, problem in sorted(table.problems.items()):
        print_stderr(f"row {number}: {problem}")
    print_stderr(
        f"{len(table.labels)} kept, {table.unanswered_count} without an answer, "
        f"{len(table.problems)} bad rows."
    )
    return InputError.exit_code if table.problems else 0


def _print_counts(store: Store, form: str) -> None:
    from corpora.store.labels import label_counts

    print_rows(label_counts(store.snapshot()), form)


def _print_agreement(store: Store, name: str, form: str) -> None:
    from corpora.answers.label_tables import agreement_rows
    from corpora.store.labels import check_label_name

    rows = agreement_rows(store.snapshot(), check_label_name(name))
    print_rows(rows, form)
    if not rows:
        print_stderr(f"wanted two raters of {name!r}, got fewer: 'folate label --list'.")
    for row in rows:
        if row["kappa"] is None:
            print_stderr(_undefined_kappa_sentence(row["first"], row["second"], row["n"]))


def _undefined_kappa_sentence(first: str, second: str, count: int) -> str:
    if not count:
        return f"{first} and {second} have no line in common: give both the same query and seed."
    return (
        f"{first} and {second} gave all {count} lines the same answer: chance alone would, too, "
        "so that there is no kappa."
    )


def _remove(store: Store, options: LabelOptions) -> None:
    from corpora.store.labels import check_label_name, read_labels, remove_labels

    if options.name is None:
        raise click.UsageError("wanted --name, the group whose labels are removed.")
    name = check_label_name(options.name)
    rater = None if options.rater is None else check_label_name(options.rater, "name of a rater")
    count = len(read_labels(store.snapshot(), name, rater))
    if count and not options.yes:
        print_stderr(
            f"{count} {_plural(count, 'label')} of {name!r}, which nothing can bring back."
        )
        require_terminal("--yes")
        click.confirm("remove them?", abort=True, err=True)
    print_stderr(f"{remove_labels(store, name, rater)} removed.")


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
