"""The command `folate watch`."""

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
@click.option("--dry-run", is_flag=True, help="Show the alerts, and send nothing.")
@click.option(
    "--again",
    "resend_unknown",
    is_flag=True,
    help="Also send alerts again whose sending was interrupted, and which may have arrived.",
)
@project_option
@format_option(*DATA_FORMATS)
def watch(
    week: Week | None,
    day: SevenDays | None,
    dry_run: bool,
    resend_unknown: bool,
    folder: Path,
    form: str,
) -> int:
    """Evaluate the rules of [alerts] in folate.toml, and send each alert once.

    Alerts go to a file, a webhook or by mail. An alert is identified by its rule, its topic or
    brand, and the week. One that was certainly not delivered is tried again at the next run. The
    exit code is 8 when a delivery failed.
    """
    period = require_one_period(week, day)
    from folate.pipeline.project import Project
    from folate.pipeline.watch import evaluate_and_send_alerts

    result = evaluate_and_send_alerts(Project.open(folder), period, dry_run, resend_unknown)
    for note in result.notes:
        print_stderr(f"note: {note}")
    if not result.alerts:
        limitation = " as far as the rules could be judged" if result.notes else ""
        print_stderr(f"nothing fired in {period}{limitation}.")
    rows = result.to_rows()
    if rows or form != "table":
        print_rows(rows, form)
    failed = any(row["status"] in ("failed", "unknown") for row in rows)
    return DeliveryError.exit_code if failed else 0
