"""The command `folate migrate`."""

from pathlib import Path

import click

from folate.cli.options import project_option
from folate.cli.terminal import print_stderr


@click.command()
@project_option
def migrate(folder: Path) -> None:
    """Bring an older store to this version's schema."""
    from corpora.store.migrations import migrate_store as apply
    from folate.pipeline.project import Project

    for step in apply(Project(folder).store_folder):
        print_stderr(f"applied: {step}")
