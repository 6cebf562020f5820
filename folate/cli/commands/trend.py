"""The command `folate trend`."""

from pathlib import Path
from typing import Literal

import click

from folate.cli.corpus_options import (
    corpus_options,
    open_corpus,
    picture_option,
    print_estimate,
    print_or_draw,
    query_argument,
)


@click.command()
@query_argument
@click.option("--by", metavar="FIELD", help="One line for each value, such as brand or source.")
@click.option("--day", "is_daily", is_flag=True, help="By day instead of by week.")
@picture_option
@corpus_options
def trend(
    query: str,
    *,
    by: str | None,
    is_daily: bool,
    picture: Path | None,
    folder: Path,
    at: str | None,
    dry_run: bool,
    form: str,
) -> None:
    """Show how often QUERY occurs week by week, with intervals and the gaps of the crawl."""
    corpus = open_corpus(folder, at)
    if dry_run:
        print_estimate(corpus, [query], form)
        return
    step: Literal["week", "day"] = "day" if is_daily else "week"
    print_or_draw(corpus.trend(query, by, step), form, picture)
