"""The command `folate topics`."""

from dataclasses import asdict
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
from folate.core.weeks import SevenDays, Week

TOPIC_COLUMNS = (
    "id", "state", "label_zh", "label_en", "terms", "score", "q", "posts", "authors", "first_seen",
    "sources", "languages", "watched", "flags", "segments", "brands", "evidence",
)  # fmt: skip
TABLE_COLUMNS = (
    "id", "state", "label_zh", "label_en", "score", "posts", "authors", "first_seen", "watched",
    "flags",
)  # fmt: skip


@click.group(invoke_without_command=True)
@period_options
@project_option
@format_option(*DATA_FORMATS)
@click.pass_context
def topics(
    context: click.Context, week: Week | None, day: SevenDays | None, folder: Path, form: str
) -> None:
    """Find the emerging topics of a week, or of the seven days up to a day, highest score first."""
    if context.invoked_subcommand:
        return
    period = require_one_period(week, day)
    from folate.pipeline.project import Project
    from folate.pipeline.topics.find import find_topics

    discovery = find_topics(Project.open(folder), period)
    for note in discovery.notes:
        print_stderr(f"note: {note}")
    columns = TABLE_COLUMNS if form == "table" else TOPIC_COLUMNS
    rows = [{name: getattr(topic, name) for name in columns} for topic in discovery.topics]
    print_rows(rows, form)


@topics.command()
@click.argument("topic_id", metavar="ID")
@project_option
@format_option(*DATA_FORMATS)
def history(topic_id: str, folder: Path, form: str) -> None:
    """Show the history of the topic ID, week by week.

    Each row has the topic's state, size and terms (with the z-score of their log odds), the topics
    it continues, the topic it was merged into, and the topics that split off.
    """
    from folate.pipeline.project import Project
    from folate.pipeline.topics.history import topic_history

    entries = topic_history(Project.open(folder).store.snapshot(), topic_id)
    print_rows([asdict(entry) for entry in entries], form)
