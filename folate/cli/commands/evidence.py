"""The command `folate evidence`."""

from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.cli.terminal import print_text


@click.command()
@click.argument("identifier", metavar="ID")
@project_option
@format_option("text", *DATA_FORMATS)
def evidence(identifier: str, folder: Path, form: str) -> None:
    """Show the query, the corpus versions and the posts behind the number ID of a report, or each number of the sentence ID."""
    from folate.pipeline.project import Project
    from folate.pipeline.report import evidence_text, find_evidence

    project = Project.open(folder)
    if form == "text":
        print_text(evidence_text(project, identifier))
    else:
        print_rows([find_evidence(project.store.snapshot(), identifier)], form)
