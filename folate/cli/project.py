"""Commands about the project itself."""

from importlib.resources import files
from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, emit, format_option, project_option
from folate.config import FILE
from folate.errors import ConfigError


@click.command()
@click.argument("directory", required=False, type=click.Path(path_type=Path, file_okay=False))
@project_option
def init(directory: Path | None, folder: Path) -> None:
    """Make DIRECTORY (or --project DIR, or this folder) a project: a commented folate.toml to fill in."""
    directory = directory or folder
    path = directory / FILE
    if path.exists():
        raise ConfigError(f"{path} is there already; wanted a folder without one.")
    directory.mkdir(parents=True, exist_ok=True)
    path.write_text((files("folate") / "template.toml").read_text(encoding="utf-8"), encoding="utf-8")
    keep_out = directory / ".gitignore"
    if not keep_out.exists():
        keep_out.write_text(
            "# the secret that hides authors, and what people wrote\n.salt\ncorpus/\ncrawls/\nrejects/\ndeliveries.sqlite*\n",
            encoding="utf-8",
        )
    click.echo(f"{path} is ready: fill in your brands, then 'folate import' or 'folate crawl'.", err=True)


@click.command()
@project_option
@format_option(*DATA_FORMATS)
def status(folder: Path, form: str) -> None:
    """Show what the project holds: posts, weeks and annotations of each source, and how its last crawl went."""
    from folate.pipeline import status as steps
    from folate.pipeline.workspace import Workspace

    workspace = Workspace.open(folder)
    rows = steps.status(workspace)
    emit(rows, form)
    for note in steps.notes(workspace, rows):
        click.echo(f"note: {note}", err=True)


@click.command()
@project_option
def compact(folder: Path) -> None:
    """Merge the small files of the store, and delete those that no version needs which a report names."""
    from folate.pipeline.workspace import Workspace

    store = Workspace.open(folder).store
    store.compact()
    click.echo(f"compacted; {store.vacuum():,} old files deleted.", err=True)


@click.command()
@project_option
def migrate(folder: Path) -> None:
    """Bring an older store to this version's schema."""
    from corpora.migrations import migrate as apply
    from folate.paths import Project

    for step in apply(Project(folder).store):
        click.echo(f"applied: {step}", err=True)
