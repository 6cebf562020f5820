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
