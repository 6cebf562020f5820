"""The command `folate check`."""

from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.cli.terminal import print_stderr, print_text
from folate.core.errors import StoreError
from folate.core.text import printable_text


@click.command()
@click.option(
    "--deep",
    is_flag=True,
    help="Read every page of every data file, not only what shows whether it is complete.",
)
@project_option
@format_option(*DATA_FORMATS)
def check(deep: bool, folder: Path, form: str) -> int:
    """Look for damaged files: which file is damaged, what is lost, and what to do.

    Checks the store (the log and the data files of each table), the salt, crawls, rejects, reports
    and deliveries. Nothing is changed. The exit code is 4 when a file is damaged.
    """
    from folate.pipeline.check import check_project, faults_to_rows
    from folate.pipeline.project import Project

    faults = check_project(Project(folder), deep)
    if form != "table":
        print_rows(faults_to_rows(faults), form)
        return StoreError.exit_code if faults else 0
    for fault in faults:
        file = printable_text(str(fault.file))
        print_text(
            f"{file} {printable_text(fault.what)}.\n  lost: {fault.lost}.\n  to do: {fault.remedy}."
        )
    if not faults:
        print_stderr("nothing is damaged.")
        return 0
    print_stderr(f"{len(faults):,} damaged file{'s' if len(faults) > 1 else ''}.")
    return StoreError.exit_code
