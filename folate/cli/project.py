"""Commands about the project itself."""

from importlib.resources import files
from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, emit, format_option, project_option
from folate.cli.terminal import say, tell
from folate.core.config import FILE
from folate.core.errors import ConfigError, StoreError
from folate.core.text import printable
from folate.paths import Project


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
    path.write_text(
        (files("folate") / "template.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    keep_out = directory / ".gitignore"
    if not keep_out.exists():
        keep_out.write_text(
            "# the secret that hides authors, and what people wrote\n"
            ".salt\ncorpus/\ncopies.parquet*\ncrawls/\nrejects/\ndeliveries.sqlite*\n",
            encoding="utf-8",
        )
    tell(f"{path} is ready: fill in your brands, then 'folate import' or 'folate crawl'.")


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
    from folate.pipeline.ingest import expire
    from folate.pipeline.project import Workspace
    from folate.pipeline.unlinked import unlinked_names

    workspace = Workspace.open(folder)
    expire(workspace)
    rows = steps.status(workspace)
    emit(rows, form)
    for note in [*steps.notes(workspace, rows), *adapt.notes(workspace)]:
        tell(f"note: {note}")
    if sentence := unlinked_names(workspace).sentence:
        tell(sentence)


@click.command()
@click.option(
    "--deep",
    is_flag=True,
    help="Read every page of every data file, not only what tells that a file is whole.",
)
@project_option
@format_option(*DATA_FORMATS)
def check(deep: bool, folder: Path, form: str) -> int:
    """Look for damage in what the project keeps: which file is damaged, what is lost by it, and what to do.

    Looks at the store (the log of each table, each data file), the salt, crawls, rejects, reports and deliveries, and changes nothing.
    Exit code 4 when anything is damaged.
    """
    from folate.pipeline.check import check as look
    from folate.pipeline.check import rows

    faults = look(Project(folder), deep)
    if form == "table":
        for fault in faults:
            say(
                f"{printable(str(fault.file))} {printable(fault.what)}.\n  lost: {fault.lost}.\n  to do: {fault.remedy}."
            )
        tell(
            f"{len(faults):,} damaged file{'s' if len(faults) > 1 else ''}."
            if faults
            else "nothing is damaged."
        )
    else:
        emit(rows(faults), form)
    return StoreError.exit_code if faults else 0


@click.command()
@project_option
def compact(folder: Path) -> None:
    """Merge the small files of the store, and delete those that no version needs which a report names.

    Pages that crawls kept for one another for longer than cache_hours are deleted, too.
    """
    from folate.pipeline.ingest import expire
    from folate.pipeline.project import Workspace

    workspace = Workspace.open(folder)
    expired, store = expire(workspace), workspace.store
    store.compact()
    tell(f"compacted; {store.vacuum():,} old files deleted.")
    if expired:
        tell(f"deleted {expired:,} files of pages older than cache_hours.")


@click.command()
@project_option
def migrate(folder: Path) -> None:
    """Bring an older store to this version's schema."""
    from corpora.store.migrations import migrate as apply

    for step in apply(Project(folder).store):
        tell(f"applied: {step}")
