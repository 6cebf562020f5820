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
    help="Only language, words, brands and duplicates; no model is loaded.",
)
@click.option(
    "--tags",
    is_flag=True,
    help="Also lemmas and parts of speech of the words, some 400 posts a second and core; "
    "[nlp] tags = true in folate.toml does so in every run.",
)
def annotate(folder: Path, without_sentiment: bool, tags: bool) -> None:
    """Annotate new posts: language, words, brands, duplicates, sentiment and sentence vectors.

    If interrupted, the next run continues where this one stopped. When the brands or the model
    change, all posts are annotated again.
    """
    from folate.pipeline.annotate.run import annotate_corpus
    from folate.pipeline.project import Project

    result = annotate_corpus(
        Project.open(folder), with_sentiment=not without_sentiment, with_tags=tags
    )
    counts = ", ".join(f"{count:,} {name}" for name, count in result.counts.items())
    print_stderr(f"annotated: {counts}.")
    for note in result.notes:
        print_stderr(f"note: {note}")
