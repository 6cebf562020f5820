"""The command `folate tags`."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.cli.terminal import print_stderr
from folate.core.errors import InputError
from folate.core.files import write_atomically
from folate.core.spreadsheet import CsvWriter
from folate.core.text import printable_text, quote_name

if TYPE_CHECKING:
    from folate.pipeline.annotate.tags import TagAnswer


TAG_CSV_COLUMNS = ("tag", "post", "score", "text", "right")


ANSWER_VALUES = {
    "1": True,
    "y": True,
    "yes": True,
    "是": True,
    "对": True,
    "0": False,
    "n": False,
    "no": False,
    "否": False,
    "错": False,
}


@click.command()
@click.option(
    "--export",
    "out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write posts to judge as CSV.",
)
@click.option(
    "--import",
    "filled",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read the answers of such a CSV.",
)
@click.option(
    "--per-label",
    type=click.IntRange(1, 1_000_000),
    default=20,
    show_default=True,
    help="Most posts to judge of a label.",
)
@project_option
@format_option(*DATA_FORMATS)
def tags(out: Path | None, filled: Path | None, per_label: int, folder: Path, form: str) -> int:
    """Learn the thresholds of the taxonomy's tags from posts that a person judges.

    --export draws posts for each label, above its threshold and somewhat below. Fill the column right with y or n and read the
    file by --import: thresholds are kept in the project, and 'folate annotate' tags by them.
    """
    if bool(out) == bool(filled):
        raise click.UsageError("wanted --export FILE or --import FILE.")
    from folate.pipeline.annotate import tags as steps
    from folate.pipeline.project import Project
    from nlp.model import load_reader

    project = Project.open(folder)
    reader = load_reader(
        project.config.nlp.model, project.config.nlp.threads, depth=project.config.nlp.depth
    )
    for note in steps.ignored_threshold_notes(project, reader):
        print_stderr(f"note: {note}")
    if out:
        _write(out, steps.draw_tag_sample(project, reader, per_label))
        return 0
    assert filled  # noqa: S101
    verdicts, bad = [], 0
    for verdict in _verdicts(filled):
        if isinstance(verdict, str):
            bad += 1
            print_stderr(verdict)
        else:
            verdicts.append(verdict)
    print_rows(steps.learn_thresholds(project, reader, verdicts), form)
    return InputError.exit_code if bad else 0


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    """CSV for a spreadsheet: UTF-8 with a mark, a text on one line, nothing that would run as a formula."""
    table = StringIO(newline="")
    writer = CsvWriter(table)
    writer.write_row(TAG_CSV_COLUMNS)
    for row in rows:
        on_one_line = {"text": printable_text(" ".join(row["text"].split()))}
        writer.write_row((row | on_one_line)[name] for name in TAG_CSV_COLUMNS)
    write_atomically(path, table.getvalue().encode("utf-8-sig"))
    print_stderr(
        f"{len(rows)} posts in {path}: fill the column right with y or n, then 'folate tags --import {path}'."
    )


def _verdicts(path: Path) -> Iterator["TagAnswer | str"]:
    """The answers of a filled CSV, and a sentence for each row that can't be read; rows without an answer are passed over."""
    from corpora.files.delimited import DelimitedFile
    from corpora.files.rows import Reject
    from folate.pipeline.annotate.tags import TagAnswer

    table = DelimitedFile.sniff(lambda: path.open("rb"))
    if lacking := [name for name in ("tag", "score", "right") if name not in table.columns]:
        raise InputError(
            f"wanted a CSV that 'folate tags --export' wrote, got {path} without the column {lacking[0]!r}."
        )
    for row in table.rows():
        if isinstance(row, Reject):
            yield f"row {row.row}: {row.detail}"
        elif answer := row.values["right"].strip().lower():
            try:
                yield TagAnswer(
                    row.values["tag"], float(row.values["score"]), ANSWER_VALUES[answer]
                )
            except (ValueError, KeyError):
                got = f"{quote_name(answer)} and {quote_name(row.values['score'])}"
                yield f"row {row.number}: wanted y or n as right and a number as score, got {got}."
