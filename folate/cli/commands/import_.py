"""The command `folate import`."""

from pathlib import Path
from typing import Any, Literal

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.cli.terminal import print_stderr
from folate.core.errors import ConfigError, InputError
from folate.core.post import POST_KINDS
from folate.core.text import join_names


@click.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="FIELD=COLUMN,…",
    help="Which column holds which field: text=review,published_at=date.",
)
@click.option(
    "--source",
    default=None,
    help="Name of the source of every row; else the column source, else the file's name.",
)
@click.option(
    "--kind",
    type=click.Choice(POST_KINDS),
    default=None,
    help="Kind of every row; else the column kind, else review.",
)
@click.option(
    "--rating-scale",
    type=float,
    default=None,
    metavar="MAX",
    help="Ratings run from 0 to MAX, such as 5; else from 0 to 1.",
)
@click.option(
    "--encoding",
    default=None,
    metavar="NAME",
    help="Encoding of text files, such as gb18030; else it is found by reading.",
)
@click.option(
    "--dates",
    type=click.Choice(("mdy", "dmy")),
    default=None,
    help="Which comes first in 3/8/2026, the month or the day; else what the file's other dates show.",
)
@click.option(
    "--sheet",
    default=None,
    metavar="NAME",
    help="The sheet of a workbook to read; else its first visible one.",
)
@project_option
@format_option(*DATA_FORMATS)
def import_(
    files: tuple[Path, ...],
    mapping: tuple[str, ...],
    source: str | None,
    kind: str | None,
    rating_scale: float | None,
    encoding: str | None,
    dates: Literal["mdy", "dmy"] | None,
    sheet: str | None,
    folder: Path,
    form: str,
) -> None:
    """Import posts from CSV, TSV, JSONL, XLSX or Parquet FILES.

    Columns with the record's own names need no --map. Bad rows go to rejects/ with their reasons; the good ones are kept.
    A post whose rating, count or other optional value can't be read is kept without it, and unread_fields counts that.
    Importing a file again adds nothing.
    """
    from folate.pipeline.ingest import import_file
    from folate.pipeline.project import Project

    fields, project = _mapping(mapping), Project.open(folder)
    rows, failed = [], []
    for path in files:
        try:
            row = import_file(
                project,
                path,
                mapping=fields,
                source=source,
                kind=kind,
                rating_scale=rating_scale,
                encoding=encoding,
                date_order=dates,
                sheet=sheet,
            )
        except InputError as error:  # the other files are still worth reading
            failed.append(str(error))
            continue
        rows.append(row)
        _tell(row)
        if row["problem"]:
            failed.append(row["problem"])
        elif row["rejected"] and not row["added"] + row["changed"] + row["known"]:
            failed.append(
                f"no row of {row['file']!r} became a post: {row['reasons']}; rejects/ holds them with their reasons."
            )
    if rows:
        print_rows(rows, form)
    if failed:
        raise InputError(" ".join(failed))


def _tell(row: dict[str, Any]) -> None:
    """Say on standard error what of a file was not read as a person may expect."""
    notes = list(row["notes"])
    if row["dates"]:
        notes.insert(0, f"order of day and month: {row['dates']}")
    if unread := row["unread_sheets"]:
        notes.insert(
            0,
            f"{len(unread)} more sheets were not read: {join_names(unread)}; --sheet names the one to read",
        )
    for note in notes:
        print_stderr(f"note: {row['file']}: {note}.")


def _mapping(pairs: tuple[str, ...]) -> dict[str, str]:
    """`text=review,published_at=date` as a dict. Raises ConfigError."""
    fields = {}
    for pair in ",".join(pairs).split(",") if pairs else ():
        field, equals, column = pair.partition("=")
        if not equals or not field.strip() or not column.strip():
            raise ConfigError(f"--map: wanted FIELD=COLUMN, got {pair!r}.")
        fields[field.strip()] = column.strip()
    return fields
