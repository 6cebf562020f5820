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
    help="Which column has which field, such as text=review,published_at=date.",
)
@click.option(
    "--source",
    default=None,
    help="Source of every row; default: the column source, else the file's name.",
)
@click.option(
    "--kind",
    type=click.Choice(POST_KINDS),
    default=None,
    help="Kind of every row; default: the column kind, else review.",
)
@click.option(
    "--rating-scale",
    type=float,
    default=None,
    metavar="MAX",
    help="Ratings run from 0 to MAX, such as 5; default: from 0 to 1.",
)
@click.option(
    "--encoding",
    default=None,
    metavar="NAME",
    help="Encoding of text files, such as gb18030; default: detected.",
)
@click.option(
    "--dates",
    "date_order",
    type=click.Choice(("mdy", "dmy")),
    default=None,
    help="Order in dates such as 3/8/2026; default: that of the file's other dates.",
)
@click.option(
    "--sheet",
    default=None,
    metavar="NAME",
    help="Sheet of a workbook to read; default: the first visible one.",
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
    date_order: Literal["mdy", "dmy"] | None,
    sheet: str | None,
    folder: Path,
    form: str,
) -> None:
    """Import posts from CSV, TSV, JSONL, XLSX or Parquet FILES.

    Columns that have the name of a field need no --map. Rows that can't be imported are written to
    rejects/ with the reason; the others are imported. A post whose rating, count or other optional
    value can't be read is imported without it, and counted in unread_fields. Importing a file again
    adds nothing.
    """
    from folate.pipeline.ingest import import_file
    from folate.pipeline.project import Project

    columns = _parse_mapping(mapping)
    project = Project.open(folder)
    rows = []
    errors = []
    for path in files:
        try:
            row = import_file(
                project,
                path,
                mapping=columns,
                source=source,
                kind=kind,
                rating_scale=rating_scale,
                encoding=encoding,
                date_order=date_order,
                sheet=sheet,
            )
        except InputError as error:  # the other files can still be imported
            errors.append(str(error))
            continue
        rows.append(row)
        _print_notes(row)
        if row["problem"]:
            errors.append(row["problem"])
        elif row["rejected"] and not row["added"] + row["changed"] + row["known"]:
            errors.append(
                f"no row of {row['file']!r} became a post: {row['reasons']}; "
                "rejects/ has them with their reasons."
            )
    if rows:
        print_rows(rows, form)
    if errors:
        raise InputError(" ".join(errors))


def _print_notes(row: dict[str, Any]) -> None:
    """Print to standard error what of a file may have been read otherwise than expected."""
    notes = []
    unread_sheets = row["unread_sheets"]
    if unread_sheets:
        notes.append(
            f"{len(unread_sheets)} more sheets were not read: {join_names(unread_sheets)}; "
            "--sheet names the one to read"
        )
    if row["dates"]:
        notes.append(f"order of day and month: {row['dates']}")
    for note in [*notes, *row["notes"]]:
        print_stderr(f"note: {row['file']}: {note}.")


def _parse_mapping(values: tuple[str, ...]) -> dict[str, str]:
    """Parse values such as "text=review,published_at=date" to a dict. Raises ConfigError."""
    columns = {}
    pairs = ",".join(values).split(",") if values else []
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals or not field.strip() or not column.strip():
            raise ConfigError(f"--map: wanted FIELD=COLUMN, got {pair!r}.")
        columns[field.strip()] = column.strip()
    return columns
