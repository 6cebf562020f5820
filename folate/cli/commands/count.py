"""The command `folate count`."""

from pathlib import Path

import click

from folate.cli.corpus_options import (
    corpus_options,
    name_list,
    open_corpus,
    print_answer,
    print_estimate,
)


@click.command()
@click.argument("queries", metavar="QUERY…", nargs=-1, required=True)
@click.option(
    "--by",
    default="",
    metavar="FIELD,…",
    help="Count by metadata, such as week,brand.",
)
@corpus_options
def count(
    queries: tuple[str, ...],
    *,
    by: str,
    folder: Path,
    at: str | None,
    dry_run: bool,
    form: str,
) -> None:
    """Count the posts, hits and authors of each QUERY, and hits per million."""
    corpus = open_corpus(folder, at)
    if dry_run:
        print_estimate(corpus, queries, form)
        return
    print_answer(corpus.count(*queries, by=name_list(by)), form)
