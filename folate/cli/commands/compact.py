"""The command `folate compact`."""

from pathlib import Path

import click

from folate.cli.options import project_option
from folate.cli.terminal import print_stderr


@click.command()
@project_option
def compact(folder: Path) -> None:
    """Merge the small files of the store, and delete those that no version needs which a report names.

    Pages that crawls kept for one another for longer than cache_hours are deleted, too.
    """
    from folate.pipeline.crawl import expire_page_cache
    from folate.pipeline.project import Project

    project = Project.open(folder)
    expired, store = expire_page_cache(project), project.store
    store.compact()
    print_stderr(f"compacted; {store.vacuum():,} old files deleted.")
    if expired:
        print_stderr(f"deleted {expired:,} files of pages older than cache_hours.")
