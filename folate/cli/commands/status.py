"""The command `folate status`."""

from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.cli.terminal import print_stderr


@click.command()
@project_option
@format_option(*DATA_FORMATS)
def status(folder: Path, form: str) -> None:
    """Show what the project holds: posts, weeks and annotations of each source, and how its last crawl went.

    Standard error says how many posts name no brand, and the commonest @names and hashtags that no brand has: a name
    may be missing in folate.toml.
    """
    from folate.pipeline import adapt
    from folate.pipeline import status as steps
    from folate.pipeline.crawl import expire_page_cache
    from folate.pipeline.project import Project
    from folate.pipeline.unlinked import find_unlinked_names

    project = Project.open(folder)
    expire_page_cache(project)
    rows = steps.source_status(project)
    print_rows(rows, form)
    for note in [*steps.status_notes(project, rows), *adapt.adaptation_notes(project)]:
        print_stderr(f"note: {note}")
    if sentence := find_unlinked_names(project).summary:
        print_stderr(sentence)
