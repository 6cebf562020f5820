"""The command `folate campaign`."""

from pathlib import Path
from typing import Any

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option, week_option
from folate.core.errors import ConfigError, suggestion
from folate.core.weeks import Week, last_day


@click.command()
@click.argument("campaign_id", metavar="ID")
@week_option
@project_option
@format_option(*DATA_FORMATS)
def campaign(campaign_id: str, week: Week, folder: Path, form: str) -> None:
    """Measure the campaign ID of folate.toml before, during and after, up to the end of a week.

    JSON has 17 measures with intervals, the effects compared with competitors, and the effects by
    source, region and audience. The other formats have the measures only, one per line.
    """
    from folate.pipeline.project import Project
    from reports.context import ReportContext
    from reports.render.document import campaign_document
    from reports.sections.campaigns.measure import measure_campaign

    project = Project.open(folder)
    campaigns = {campaign.id: campaign for campaign in project.config.campaign}
    if campaign_id not in campaigns:
        raise ConfigError(
            f"no campaign {campaign_id!r} in folate.toml; {suggestion(campaign_id, campaigns)}"
        )
    start = campaigns[campaign_id].start
    if start > last_day(week):
        raise ConfigError(
            f"campaign {campaign_id!r} begins on {start}, after the week {week}: "
            "nothing can be measured yet."
        )
    measures = measure_campaign(
        ReportContext(project.store.snapshot(), project.config, week), campaigns[campaign_id]
    )
    document = campaign_document(measures)
    if form in ("json", "jsonl"):
        print_rows([document], form)
    else:
        print_rows([_scorecard_row(line) for line in document["scorecard"]], form)


def _scorecard_row(line: dict[str, Any]) -> dict[str, Any]:
    """Return one measure as a flat row: its values by phase and its effect during the campaign."""
    values = {phase: figure["value"] for phase, figure in line["values"].items()}
    effect = line["effects"].get("during", {"value": None, "low": None, "high": None})
    return {
        "measure": line["measure"],
        **values,
        "effect": effect["value"],
        "low": effect["low"],
        "high": effect["high"],
        "goal": line["goal"],
        "reached": line["reached"],
    }
