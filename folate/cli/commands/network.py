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
    help="File to write; standard output when missing.",
)
@project_option
def network(week: Week, output: Path | None, folder: Path) -> None:
    """Write who answers and reposts whom, where a brand is named, in the four weeks up to WEEK: GraphML with communities.

    People are keyed hashes, never names.
    """
    from folate.pipeline.project import Project
    from reports.context import ReportContext
    from reports.sections.people import interaction_graphml as graph

    project = Project.open(folder)
    text = graph(ReportContext(project.store.snapshot(), project.config, week))
    if output is None:
        print_text(text.removesuffix("\n"))
    else:
        write_atomically(output, text)
        print_text(str(output))
