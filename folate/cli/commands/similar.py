"""The command `folate similar`."""

from pathlib import Path

import click

from folate.cli.corpus_options import at_option, open_corpus, print_answer
from folate.cli.options import DATA_FORMATS, format_option, project_option


@click.command()
@click.argument("text", default="")
@click.option("--like", metavar="ID", default="", help="Compare with this post instead of a TEXT.")
@click.option("--in", "within", metavar="QUERY", help="Only posts that match this query.")
@click.option(
    "--top",
    type=click.IntRange(1, 1_000),
    default=20,
    show_default=True,
    metavar="N",
    help="Posts to print; copies of one another are one.",
)
@click.option(
    "--show",
    multiple=True,
    metavar="FIELD",
    help="Show further metadata, such as brand or author; may be repeated.",
)
@at_option
@project_option
@format_option(*DATA_FORMATS)
def similar(
    *,
    text: str,
    like: str,
    within: str | None,
    top: int,
    show: tuple[str, ...],
    at: str | None,
    folder: Path,
    form: str,
) -> None:
    """Find the posts that are the most similar in meaning to TEXT.

    A question in Chinese finds posts in English, and the other way round. Names of brands do not
    count: ask for those of a brand with --in brand:ID. The posts must be annotated by the model
    that ships with Folate.
    """
    corpus = open_corpus(folder, at)
    print_answer(corpus.similar(text, like=like, within=within, top=top, show=show), form)
