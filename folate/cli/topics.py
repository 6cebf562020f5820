"""Commands about emerging topics: those of a week or a day, and the life of one."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, WeekType, emit, format_option, project_option
from folate.weeks import SevenDays, Week

FIELDS = (
    "id", "state", "label_zh", "label_en", "terms", "score", "q", "posts", "authors", "first_seen", "sources", "languages", "watched",
    "flags", "segments", "brands", "evidence",
)  # fmt: skip
TABLE_COLUMNS = ("id", "state", "label_zh", "label_en", "score", "posts", "authors", "first_seen", "watched", "flags")


@click.group(invoke_without_command=True)
@click.option("--week", type=WeekType(), metavar="YYYY-Www", help="An ISO week, such as 2026-W10.")
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="The seven days up to a day, against the weeks before them.",
)
@project_option
@format_option(*DATA_FORMATS)
@click.pass_context
def topics(context: click.Context, week: Week | None, day: datetime | None, folder: Path, form: str) -> None:
    """Find the emerging topics of a week, or of the seven days up to a day, best first."""
    if context.invoked_subcommand:
        return
    span = week if day is None else SevenDays(day.date())
    if span is None or (week and day):
        raise click.UsageError("wanted --week or --day, one of them, such as --week 2026-W10 or --day 2026-03-05.", context)
    from folate.pipeline.topics import find_topics
    from folate.pipeline.workspace import Workspace

    found = find_topics(Workspace.open(folder), span)
    for note in found.notes:
        click.echo(f"note: {note}", err=True)
    columns = TABLE_COLUMNS if form == "table" else FIELDS
    emit([{name: getattr(topic, name) for name in columns} for topic in found.topics], form)


@topics.command()
@click.argument("identifier", metavar="ID")
@project_option
@format_option(*DATA_FORMATS)
def history(identifier: str, folder: Path, form: str) -> None:
    """Show the life of the topic ID, by week.

    Its state, size and terms; which topics it goes on from, what it merged into and what split off.
    """
    from folate.pipeline.lives import history as chapters
    from folate.pipeline.workspace import Workspace

    emit(map(asdict, chapters(Workspace.open(folder).store.snapshot(), identifier)), form)
