"""Commands about the project itself."""

from importlib.resources import files
from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.cli.terminal import print_stderr, print_text
from folate.core.config import CONFIG_FILE
from folate.core.errors import ConfigError, StoreError
from folate.core.text import printable_text


@click.command()
@click.argument("directory", required=False, type=click.Path(path_type=Path, file_okay=False))
@project_option
def init(directory: Path | None, folder: Path) -> None:
    """Make DIRECTORY (or --project DIR, or this folder) a project: a commented folate.toml to fill in."""
    directory = directory or folder
    path = directory / CONFIG_FILE
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
    print_stderr(f"{path} is ready: fill in your brands, then 'folate import' or 'folate crawl'.")


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
    from folate.pipeline.ingest import expire_page_cache
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
    from folate.pipeline.check import check_project as look
    from folate.pipeline.check import faults_to_rows
    from folate.pipeline.project import Project

    faults = look(Project(folder), deep)
    if form == "table":
        for fault in faults:
            print_text(
                f"{printable_text(str(fault.file))} {printable_text(fault.what)}.\n  lost: {fault.lost}.\n  to do: {fault.remedy}."
            )
        print_stderr(
            f"{len(faults):,} damaged file{'s' if len(faults) > 1 else ''}."
            if faults
            else "nothing is damaged."
        )
    else:
        print_rows(faults_to_rows(faults), form)
    return StoreError.exit_code if faults else 0


@click.command()
@project_option
def compact(folder: Path) -> None:
    """Merge the small files of the store, and delete those that no version needs which a report names.

    Pages that crawls kept for one another for longer than cache_hours are deleted, too.
    """
    from folate.pipeline.ingest import expire_page_cache
    from folate.pipeline.project import Project

    project = Project.open(folder)
    expired, store = expire_page_cache(project), project.store
    store.compact()
    print_stderr(f"compacted; {store.vacuum():,} old files deleted.")
    if expired:
        print_stderr(f"deleted {expired:,} files of pages older than cache_hours.")


@click.command()
@project_option
def migrate(folder: Path) -> None:
    """Bring an older store to this version's schema."""
    from corpora.store.migrations import migrate_store as apply
    from folate.pipeline.project import Project

    for step in apply(Project(folder).store_folder):
        print_stderr(f"applied: {step}")
