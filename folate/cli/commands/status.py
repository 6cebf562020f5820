"""The command `folate status`."""

from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.cli.terminal import print_stderr


@click.command()
@project_option
@format_option(*DATA_FORMATS)
def status(folder: Path, form: str) -> None:
    """Show the posts, weeks and annotations of each source, and the result of its last crawl.

    Standard error has notes on what to run next. It also says how many posts name no brand, and
    which @names and hashtags are the most frequent without being a name of a brand: one of them may
    be missing in folate.toml.
    """
    from folate.pipeline.adapt import adaptation_notes
    from folate.pipeline.crawl import expire_page_cache
    from folate.pipeline.project import Project
    from folate.pipeline.status import source_status, status_notes
    from folate.pipeline.unlinked import find_unlinked_names

    project = Project.open(folder)
    expire_page_cache(project)
    rows = source_status(project)
    print_rows(rows, form)
    for note in [*status_notes(project, rows), *adaptation_notes(project)]:
        print_stderr(f"note: {note}")
    summary = find_unlinked_names(project).summary
    if summary:
        print_stderr(summary)
