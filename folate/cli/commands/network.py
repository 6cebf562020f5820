"""The command `folate network`."""

from pathlib import Path

import click

from folate.cli.options import project_option, week_option
from folate.cli.terminal import print_text
from folate.core.files import write_atomically
from folate.core.weeks import Week


@click.command()
@week_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; default: standard output.",
)
@project_option
def network(week: Week, output: Path | None, folder: Path) -> None:
    """Write the network of replies and reposts between authors, with communities, as GraphML.

    It covers posts that name a brand, of the four weeks up to WEEK. Authors are hashes, not names.
    """
    from folate.pipeline.project import Project
    from reports.context import ReportContext
    from reports.sections.people.find import interaction_graphml

    project = Project.open(folder)
    context = ReportContext(project.store.snapshot(), project.config, week)
    graphml = interaction_graphml(context)
    if output is None:
        print_text(graphml.removesuffix("\n"))
    else:
        write_atomically(output, graphml)
        print_text(str(output))
