"""The command `folate evidence`."""

from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.cli.terminal import print_text


@click.command()
@click.argument("evidence_id", metavar="ID")
@project_option
@format_option("text", *DATA_FORMATS)
def evidence(evidence_id: str, folder: Path, form: str) -> None:
    """Show the query, the table versions and the posts behind the number ID of a report.

    ID may also be that of a sentence; then each number of the sentence is shown. The beginning of
    an ID is enough.
    """
    from folate.pipeline.project import Project
    from folate.pipeline.report import evidence_text, find_evidence

    project = Project.open(folder)
    if form == "text":
        print_text(evidence_text(project, evidence_id))
    else:
        print_rows([find_evidence(project.store.snapshot(), evidence_id)], form)
