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
    help="File to write to, whole or not at all.",
)
@project_option
@format_option("jsonl", "csv", "parquet")
def export(what: str, output: Path | None, folder: Path, form: str) -> None:
    """Write posts, or annotations joined to a row a post, to standard output or to a file."""
    from corpora.export import export_rows as write
    from folate.pipeline.project import Project

    snapshot = Project.open(folder).store.snapshot()
    if output is None:
        write(snapshot, what, form, sys.stdout.buffer)
        return
    with open_atomically(output) as out:
        write(snapshot, what, form, out)
    print_text(str(output))
