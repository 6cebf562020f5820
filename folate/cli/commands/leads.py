"""The command `folate leads`."""

from pathlib import Path

import click

from folate.cli.options import format_option, print_rows, project_option, week_option
from folate.cli.terminal import print_stderr
from folate.core.weeks import Week


@click.command()
@week_option
@click.option(
    "--least", type=float, default=1.0, show_default=True, help="Fewest points of a lead."
)
@project_option
@format_option("csv", "json", "jsonl", "table")
def leads(week: Week, least: float, folder: Path, form: str) -> None:
    """Score purchase intent by author and brand with the scorecard of folate.toml, up to a week; authors stay hashed."""
    from folate.pipeline.project import Project
    from reports.context import ReportContext
    from reports.sections.leads import find_leads

    project = Project.open(folder)
    found = find_leads(ReportContext(project.store.snapshot(), project.config, week), least)
    if found.anonymous_posts:
        print_stderr(
            f"note: {found.anonymous_posts} posts with a signal have no author and are in no lead."
        )
    print_rows(found.rows, form)
