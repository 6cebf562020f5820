"""The command `folate annotate`."""

from pathlib import Path

import click

from folate.cli.options import project_option
from folate.cli.terminal import print_stderr


@click.command()
@project_option
@click.option(
    "--without-sentiment",
    is_flag=True,
    help="Only language, words, brands and duplicates: no model is loaded.",
)
def annotate(folder: Path, without_sentiment: bool) -> None:
    """Read what has not been read yet: language, words, brands, duplicates and sentiment.

    Interrupted, it goes on where it stopped. A changed brand list or model reads everything again.
    """
    from folate.pipeline.annotate import run as steps
    from folate.pipeline.project import Project

    done = steps.annotate_corpus(Project.open(folder), with_sentiment=not without_sentiment)
    print_stderr(
        f"annotated: {', '.join(f'{count:,} {what}' for what, count in done.counts.items())}."
    )
    for note in done.notes:
        print_stderr(f"note: {note}")
