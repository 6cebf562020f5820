"""Commands about emerging topics: those of a week or a day, and the life of one."""

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
    "id", "state", "label_zh", "label_en", "terms", "score", "q", "posts", "authors", "first_seen", "sources", "languages", "watched",
    "flags", "segments", "brands", "evidence",
)  # fmt: skip
TABLE_COLUMNS = (
    "id",
    "state",
    "label_zh",
    "label_en",
    "score",
    "posts",
    "authors",
    "first_seen",
    "watched",
    "flags",
)


@click.group(invoke_without_command=True)
@period_options
@project_option
@format_option(*DATA_FORMATS)
@click.pass_context
def topics(
    context: click.Context, week: Week | None, day: SevenDays | None, folder: Path, form: str
) -> None:
    """Find the emerging topics of a week, or of the seven days up to a day, best first."""
    if context.invoked_subcommand:
        return
    span = require_one_period(week, day)
    from folate.pipeline.project import Project
    from folate.pipeline.topics.find import find_topics

    found = find_topics(Project.open(folder), span)
    for note in found.notes:
        print_stderr(f"note: {note}")
    columns = TABLE_COLUMNS if form == "table" else TOPIC_COLUMNS
    print_rows([{name: getattr(topic, name) for name in columns} for topic in found.topics], form)


@topics.command()
@click.argument("identifier", metavar="ID")
@project_option
@format_option(*DATA_FORMATS)
def history(identifier: str, folder: Path, form: str) -> None:
    """Show the life of the topic ID, by week.

    Its state, size and terms with the z of their log-odds; which topics it goes on from, what it merged into and what split off.
    """
    from folate.pipeline.project import Project
    from folate.pipeline.topics.history import topic_history as chapters

    print_rows(map(asdict, chapters(Project.open(folder).store.snapshot(), identifier)), form)
