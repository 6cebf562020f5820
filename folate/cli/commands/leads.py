"""The command `folate leads`."""

from pathlib import Path

import click

from folate.cli.options import format_option, print_rows, project_option, week_option
from folate.cli.terminal import print_stderr
from folate.core.weeks import Week


@click.command()
@week_option
@click.option(
    "--least",
    "min_score",
    type=float,
    default=1.0,
    show_default=True,
    help="The lowest score that is printed.",
)
@project_option
@format_option("csv", "json", "jsonl", "table")
def leads(week: Week, min_score: float, folder: Path, form: str) -> None:
    """Score purchase intent by author and brand, up to the end of a week.

    The points of each signal are set in [scorecard] of folate.toml. Authors are shown as hashes.
    """
    from folate.pipeline.project import Project
    from reports.context import ReportContext
    from reports.sections.leads import find_leads

    project = Project.open(folder)
    context = ReportContext(project.store.snapshot(), project.config, week)
    ranking = find_leads(context, min_score)
    if ranking.anonymous_posts:
        print_stderr(
            f"note: {ranking.anonymous_posts} posts with a signal have no author "
            "and are in no lead."
        )
    print_rows(ranking.rows, form)
