"""The command `folate send`."""

from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option, week_option
from folate.core.errors import DeliveryError
from folate.core.weeks import Week


@click.command()
@week_option
@click.option(
    "--to",
    "recipients",
    multiple=True,
    metavar="ADDRESS",
    help="A recipient; default: those of [smtp] in folate.toml.",
)
@click.option(
    "--again", "resend", is_flag=True, help="Also send to those who already got this report."
)
@click.option("--dry-run", is_flag=True, help="Show who would get the report, and send nothing.")
@project_option
@format_option(*DATA_FORMATS)
def send(
    week: Week, recipients: tuple[str, ...], resend: bool, dry_run: bool, folder: Path, form: str
) -> int:
    """Mail the report of a week: its summary as the text, the HTML report attached.

    Each recipient gets a report once. The mail server is set in [smtp] of folate.toml, its password
    in an environment variable. The report in the project's folder is sent; if there is none, it is
    written first.
    """
    from folate.pipeline.mail_report import mail_report
    from folate.pipeline.project import Project

    rows = mail_report(Project.open(folder), week, recipients, resend, dry_run)
    print_rows(rows, form)
    if dry_run or all(row["status"] == "sent" for row in rows):
        return 0
    return DeliveryError.exit_code
