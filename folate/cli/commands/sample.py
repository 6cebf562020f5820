"""The command `folate sample`."""

from pathlib import Path

import click

from folate.cli.corpus_options import (
    corpus_options,
    name_list,
    open_corpus,
    print_answer,
    print_estimate,
    query_argument,
    seed_option,
    show_option,
)


@click.command()
@query_argument
@click.option("-n", "count", default=20, show_default=True, metavar="N", help="Number of posts.")
@seed_option
@show_option
@corpus_options
def sample(
    query: str,
    *,
    count: int,
    seed: int,
    show: str,
    folder: Path,
    at: str | None,
    dry_run: bool,
    form: str,
) -> None:
    """Show N random posts that match QUERY, whole; the same ones on every machine."""
    corpus = open_corpus(folder, at)
    if dry_run:
        print_estimate(corpus, [query], form)
        return
    print_answer(corpus.sample(query, count, seed, name_list(show)), form)
