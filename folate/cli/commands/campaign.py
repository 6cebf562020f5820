"""The command `folate campaign`."""

from pathlib import Path
from typing import Any

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option, week_option
from folate.core.errors import ConfigError, suggestion
from folate.core.weeks import Week, last_day


@click.command()
@click.argument("identifier", metavar="ID")
@week_option
@project_option
@format_option(*DATA_FORMATS)
def campaign(identifier: str, week: Week, folder: Path, form: str) -> None:
    """Measure the campaign ID of folate.toml before, during and after, as far as the corpus goes by the end of the week.

    JSON gives the scorecard of 17 measures with intervals, the effects against the competitors, and the effects by source, place and
    audience; the other formats give the scorecard, a line a measure.
    """
    from folate.pipeline.project import Project
    from reports.context import ReportContext
    from reports.render.document import campaign_document
    from reports.sections.campaigns import measure_campaign

    project = Project.open(folder)
    known = {one.id: one for one in project.config.campaign}
    if identifier not in known:
        raise ConfigError(
            f"no campaign {identifier!r} in folate.toml; {suggestion(identifier, known)}"
        )
    if known[identifier].start > last_day(week):
        raise ConfigError(
            f"campaign {identifier!r} begins on {known[identifier].start}, after the week {week}: nothing can be measured yet."
        )
    found = campaign_document(
        measure_campaign(
            ReportContext(project.store.snapshot(), project.config, week), known[identifier]
        )
    )
    print_rows(
        [found] if form in ("json", "jsonl") else [_line(line) for line in found["scorecard"]], form
    )


def _line(line: dict[str, Any]) -> dict[str, Any]:
    values = {phase: figure["value"] for phase, figure in line["values"].items()}
    effect = line["effects"].get("during", {"value": None, "low": None, "high": None})
    return {"measure": line["measure"], **values, "effect": effect["value"], "low": effect["low"], "high": effect["high"],
            "goal": line["goal"], "reached": line["reached"]}  # fmt: skip
