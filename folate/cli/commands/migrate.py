"""The command `folate migrate`."""

from pathlib import Path

import click

from folate.cli.options import project_option
from folate.cli.terminal import print_stderr


@click.command()
@project_option
def migrate(folder: Path) -> None:
    """Update the store of an older version to the schema of this one."""
    from corpora.store.migrations import migrate_store
    from folate.pipeline.project import Project

    for migration in migrate_store(Project(folder).store_folder):
        print_stderr(f"applied: {migration}")
