"""The command `folate compact`."""

from pathlib import Path

import click

from folate.cli.options import project_option
from folate.cli.terminal import print_stderr


@click.command()
@project_option
def compact(folder: Path) -> None:
    """Merge the small files of the store, and delete old ones that no report refers to.

    Cached pages of crawls that are older than cache_hours are deleted too.
    """
    from folate.pipeline.crawl import expire_page_cache
    from folate.pipeline.project import Project

    project = Project.open(folder)
    expired_files = expire_page_cache(project)
    project.store.compact()
    print_stderr(f"compacted; {project.store.vacuum():,} old files deleted.")
    if expired_files:
        print_stderr(f"deleted {expired_files:,} files of pages older than cache_hours.")
