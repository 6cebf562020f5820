"""The command `folate export`."""

import sys
from pathlib import Path

import click

from folate.cli.options import format_option, project_option
from folate.cli.terminal import print_text
from folate.core.files import open_atomically


@click.command()
@click.argument("what", type=click.Choice(("posts", "annotations")))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; default: standard output. A failed export leaves no file.",
)
@project_option
@format_option("jsonl", "csv", "parquet")
def export(what: str, output: Path | None, folder: Path, form: str) -> None:
    """Export all posts, or all annotations with one row per post."""
    from corpora.export import export_rows
    from folate.pipeline.project import Project

    snapshot = Project.open(folder).store.snapshot()
    if output is None:
        export_rows(snapshot, what, form, sys.stdout.buffer)
        return
    with open_atomically(output) as file:
        export_rows(snapshot, what, form, file)
    print_text(str(output))
