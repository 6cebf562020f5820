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
    help="Folder to write to; default: reports/ in the project.",
)
@click.option(
    "--language",
    type=click.Choice(REPORT_LANGUAGES),
    default=None,
    help="Language of the report; default: the project's.",
)
@click.option(
    "--at",
    "pinned_report",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="The JSON file of an earlier report: use the same table versions as that report.",
)
@project_option
@format_option("html", "json", "md", "xlsx", "pdf")
def report(
    week: Week,
    output: Path | None,
    language: str | None,
    pinned_report: Path | None,
    folder: Path,
    form: str,
) -> None:
    """Write the report of a week as one HTML file, and its figures as JSON.

    With --format it is also written as Markdown, as an Excel workbook (xlsx), or as a PDF, which
    needs Chromium. index.html in the folder lists the reports of all weeks.
    """
    from folate.pipeline.project import Project
    from folate.pipeline.report import write_report

    written = write_report(
        Project.open(folder),
        week,
        language,
        output,
        pinned_report=pinned_report,
        report_format=form,
    )
    for line in written.headlines:
        print_stderr(line)
    print_text(str(written.paths[form]))
