"""Commands about emerging topics: those of a week or a day, and the life of one."""

from dataclasses import asdict
from pathlib import Path

import click

from folate.cli.options import (
    DATA_FORMATS,
    emit,
    format_option,
    one_span,
    project_option,
    span_options,
)
from folate.cli.terminal import tell
from folate.core.weeks import SevenDays, Week

FIELDS = (
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
@span_options
@project_option
@format_option(*DATA_FORMATS)
@click.pass_context
def topics(
    context: click.Context, week: Week | None, day: SevenDays | None, folder: Path, form: str
) -> None:
    """Find the emerging topics of a week, or of the seven days up to a day, best first."""
    if context.invoked_subcommand:
        return
    span = one_span(week, day)
    from folate.pipeline.project import Workspace
    from folate.pipeline.topics.find import find_topics

    found = find_topics(Workspace.open(folder), span)
    for note in found.notes:
        tell(f"note: {note}")
    columns = TABLE_COLUMNS if form == "table" else FIELDS
    emit([{name: getattr(topic, name) for name in columns} for topic in found.topics], form)


@topics.command()
@click.argument("identifier", metavar="ID")
@project_option
@format_option(*DATA_FORMATS)
def history(identifier: str, folder: Path, form: str) -> None:
    """Show the life of the topic ID, by week.

    Its state, size and terms with the z of their log-odds; which topics it goes on from, what it merged into and what split off.
    """
    from folate.pipeline.project import Workspace
    from folate.pipeline.topics.history import history as chapters

    emit(map(asdict, chapters(Workspace.open(folder).store.snapshot(), identifier)), form)
