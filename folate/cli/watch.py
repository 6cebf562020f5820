"""The command that looks for what the alerts describe."""

from datetime import datetime
from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, WeekType, emit, format_option, project_option
from folate.errors import DeliveryError
from folate.weeks import SevenDays, Week


@click.command()
@click.option("--week", type=WeekType(), metavar="YYYY-Www", help="An ISO week, such as 2026-W10.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD", help="The seven days up to a day, for a daily run.")
@click.option("--dry-run", is_flag=True, help="Say what holds, and tell nobody.")
@click.option("--again", is_flag=True, help="Also send what was cut off while it was sent, and may have arrived.")
@project_option
@format_option(*DATA_FORMATS)
@click.pass_context
def watch(
    context: click.Context, week: Week | None, day: datetime | None, dry_run: bool, again: bool, folder: Path, form: str
) -> int:  # fmt: skip
    """Judge the rules of [alerts] in folate.toml and tell what holds to a file, a webhook or by mail: each event once.

    An event is a rule, its topic or brand, and the week. What certainly did not arrive is tried again at the next run.
    """
    span = week if day is None else SevenDays(day.date())
    if span is None or (week and day):
        raise click.UsageError("wanted --week or --day, one of them, such as --week 2026-W10 or --day 2026-03-05.", context)
    from folate.pipeline.watch import watch as run
    from folate.pipeline.workspace import Workspace

    found = run(Workspace.open(folder), span, dry_run, again)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    if not found.alerts:
        click.echo(f"nothing fired in {span}.", err=True)
    rows = found.rows()
    if rows or form != "table":
        emit(rows, form)
    return DeliveryError.exit_code if any(row["status"] in ("failed", "unknown") for row in rows) else 0
