"""The command that looks for what the alerts describe."""

from pathlib import Path

import click

from folate.cli.options import (
    DATA_FORMATS,
    format_option,
    period_options,
    print_rows,
    project_option,
    require_one_period,
)
from folate.cli.terminal import print_stderr
from folate.core.errors import DeliveryError
from folate.core.weeks import SevenDays, Week


@click.command()
@period_options
@click.option("--dry-run", is_flag=True, help="Say what holds, and tell nobody.")
@click.option(
    "--again",
    is_flag=True,
    help="Also send what was cut off while it was sent, and may have arrived.",
)
@project_option
@format_option(*DATA_FORMATS)
def watch(
    week: Week | None, day: SevenDays | None, dry_run: bool, again: bool, folder: Path, form: str
) -> int:  # fmt: skip
    """Judge the rules of [alerts] in folate.toml and tell what holds to a file, a webhook or by mail: each event once.

    An event is a rule, its topic or brand, and the week. What certainly did not arrive is tried again at the next run.
    """
    span = require_one_period(week, day)
    from folate.pipeline.project import Project
    from folate.pipeline.watch import evaluate_and_send_alerts as run

    found = run(Project.open(folder), span, dry_run, again)
    for note in found.notes:
        print_stderr(f"note: {note}")
    if not found.alerts:
        judged = " as far as the rules could be judged" if found.notes else ""
        print_stderr(f"nothing fired in {span}{judged}.")
    rows = found.to_rows()
    if rows or form != "table":
        print_rows(rows, form)
    return (
        DeliveryError.exit_code
        if any(row["status"] in ("failed", "unknown") for row in rows)
        else 0
    )
