"""Commands that tell what was found: the report, the evidence behind a number."""

from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, emit, format_option, project_option, week_option
from folate.cli.terminal import say, tell
from folate.core.config import LANGUAGES
from folate.core.weeks import Week


@click.command()
@week_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder to write to; reports/ of the project when missing.",
)
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default=None,
    help="Of headings and explanations; the project's when missing.",
)
@click.option(
    "--at",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="A report's JSON: build again on the corpus versions that it names.",
)
@project_option
@format_option("html", "json", "md", "xlsx", "pdf")
def report(
    week: Week, output: Path | None, language: str | None, at: Path | None, folder: Path, form: str
) -> None:
    """Write the report of a week: HTML that stands alone, and the same figures as JSON beside it.

    --format also writes it as Markdown, as a workbook (XLSX) or, with Chromium, as a PDF. index.html in the folder lists all weeks.
    """
    from folate.pipeline.project import Workspace
    from folate.pipeline.report import write_report

    written = write_report(Workspace.open(folder), week, language, output, at, form)
    for line in written.lines:
        tell(line)
    say(str(written.paths[form]))


@click.command()
@click.argument("identifier", metavar="ID")
@project_option
@format_option("text", *DATA_FORMATS)
def evidence(identifier: str, folder: Path, form: str) -> None:
    """Show the query, the corpus versions and the posts behind the number ID of a report, or each number of the sentence ID."""
    from folate.pipeline.project import Workspace
    from folate.pipeline.report import evidence_text, find_evidence

    workspace = Workspace.open(folder)
    if form == "text":
        say(evidence_text(workspace, identifier))
    else:
        emit([find_evidence(workspace.store.snapshot(), identifier)], form)
