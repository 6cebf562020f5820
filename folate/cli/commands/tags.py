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
REQUIRED_COLUMNS = ("tag", "score", "right")
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
    "export_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write posts to label as CSV.",
)
@click.option(
    "--import",
    "import_path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read the labels of such a CSV.",
)
@click.option(
    "--per-label",
    type=click.IntRange(1, 1_000_000),
    default=20,
    show_default=True,
    help="The most posts to label for one tag.",
)
@project_option
@format_option(*DATA_FORMATS)
def tags(
    export_path: Path | None, import_path: Path | None, per_label: int, folder: Path, form: str
) -> int:
    """Fit the thresholds of the taxonomy's tags to posts that a person labels.

    --export draws posts for each tag, with scores above its threshold and somewhat below. Fill the
    column "right" with y or n, then read the file with --import. The thresholds are stored in the
    project, and 'folate annotate' uses them.
    """
    if bool(export_path) == bool(import_path):
        raise click.UsageError("wanted --export FILE or --import FILE.")
    from folate.pipeline.annotate.tags import (
        draw_tag_sample,
        ignored_threshold_notes,
        learn_thresholds,
    )
    from folate.pipeline.project import Project
    from nlp.model import load_reader

    project = Project.open(folder)
    nlp = project.config.nlp
    reader = load_reader(nlp.model, nlp.threads, depth=nlp.depth)
    for note in ignored_threshold_notes(project, reader):
        print_stderr(f"note: {note}")
    if export_path:
        _export_sample(export_path, draw_tag_sample(project, reader, per_label))
        return 0
    assert import_path  # noqa: S101
    answers = []
    bad_row_count = 0
    for answer in _read_answers(import_path):
        if isinstance(answer, str):
            bad_row_count += 1
            print_stderr(answer)
        else:
            answers.append(answer)
    print_rows(learn_thresholds(project, reader, answers), form)
    return InputError.exit_code if bad_row_count else 0


def _export_sample(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write posts to label as a CSV for spreadsheets, each text on one line."""
    table = StringIO(newline="")
    writer = CsvWriter(table)
    writer.write_row(TAG_CSV_COLUMNS)
    for row in rows:
        one_line = {"text": printable_text(" ".join(row["text"].split()))}
        writer.write_row((row | one_line)[name] for name in TAG_CSV_COLUMNS)
    # with a byte order mark, without which Excel does not read UTF-8
    write_atomically(path, table.getvalue().encode("utf-8-sig"))
    print_stderr(
        f"{len(rows)} posts in {path}: fill the column right with y or n, "
        f"then 'folate tags --import {path}'."
    )


def _read_answers(path: Path) -> Iterator["TagAnswer | str"]:
    """Yield the answers of a filled CSV, and an error message for each row that can't be read.

    Rows without an answer are skipped. Raises InputError when a column is missing.
    """
    from corpora.files.delimited import DelimitedFile
    from corpora.files.rows import Reject
    from folate.pipeline.annotate.tags import TagAnswer

    table = DelimitedFile.sniff(lambda: path.open("rb"))
    missing_columns = [name for name in REQUIRED_COLUMNS if name not in table.columns]
    if missing_columns:
        raise InputError(
            f"wanted a CSV that 'folate tags --export' wrote, got {path} "
            f"without the column {missing_columns[0]!r}."
        )
    for row in table.rows():
        if isinstance(row, Reject):
            yield f"row {row.row}: {row.detail}"
            continue
        answer = row.values["right"].strip().lower()
        if not answer:
            continue
        score = row.values["score"]
        try:
            yield TagAnswer(row.values["tag"], float(score), ANSWER_VALUES[answer])
        except (ValueError, KeyError):
            yield (
                f"row {row.number}: wanted y or n as right and a number as score, "
                f"got {quote_name(answer)} and {quote_name(score)}."
            )
