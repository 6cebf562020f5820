"""The command that mails a report."""

from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option, week_option
from folate.core.errors import DeliveryError
from folate.core.weeks import Week


@click.command()
@week_option
@click.option(
    "--to",
    multiple=True,
    metavar="ADDRESS",
    help="A recipient; those of [smtp] in folate.toml when missing.",
)
@click.option("--again", is_flag=True, help="Also to those who were sent it before.")
@click.option("--dry-run", is_flag=True, help="Say who would get it, and send nothing.")
@project_option
@format_option(*DATA_FORMATS)
def send(
    week: Week, to: tuple[str, ...], again: bool, dry_run: bool, folder: Path, form: str
) -> int:
    """Mail the report of a week: its summary in the body, the page attached.

    Each recipient gets a report once. The server stands in [smtp] of folate.toml, its password in the environment. The report that lies
    in the project's folder is sent; it is written first when there is none.
    """
    from folate.pipeline.mail_report import mail_report
    from folate.pipeline.project import Project

    rows = mail_report(Project.open(folder), week, to, again, dry_run)
    print_rows(rows, form)
    return 0 if dry_run or all(row["status"] == "sent" for row in rows) else DeliveryError.exit_code
