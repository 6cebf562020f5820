"""The command `folate report`."""

from pathlib import Path

import click

from folate.cli.options import format_option, project_option, week_option
from folate.cli.terminal import print_stderr, print_text
from folate.core.config import REPORT_LANGUAGES
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
    type=click.Choice(REPORT_LANGUAGES),
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
    from folate.pipeline.project import Project
    from folate.pipeline.report import write_report

    written = write_report(Project.open(folder), week, language, output, at, form)
    for line in written.headlines:
        print_stderr(line)
    print_text(str(written.paths[form]))
