"""The command `folate ngrams`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from folate.cli.corpus_options import (
    corpus_options,
    limit_option,
    open_corpus,
    picture_option,
    print_estimate,
    print_or_draw,
)

if TYPE_CHECKING:
    from corpora.answers.ngrams import NgramSort


class LengthsType(click.ParamType[tuple[int, int]]):
    """A click type for one number of words, `3`, or a range, `2-4`."""

    name = "lengths"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        least, dash, most = value.partition("-")
        try:
            return int(least), int(most if dash else least)
        except ValueError:
            self.fail(f"wanted numbers of words such as 2 or 2-4, got {value!r}.", param, ctx)


@click.command()
@click.argument("query", required=False)
@click.option(
    "-n",
    "lengths",
    type=LengthsType(),
    default="2",
    show_default=True,
    metavar="N|N-N",
    help="How many words.",
)
@click.option(
    "--by",
    type=click.Choice(("frequency", "authors")),
    default="frequency",
    show_default=True,
    help="What orders the rows.",
)
@click.option("--containing", metavar="WORD", help="Only n-grams with this word.")
@click.option(
    "--terms", is_flag=True, help="Leave out those that begin or end with a function word."
)
@click.option(
    "--min",
    "min_frequency",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Least occurrences.",
)
@limit_option
@picture_option
@corpus_options
def ngrams(
    *,
    query: str | None,
    lengths: tuple[int, int],
    by: NgramSort,
    containing: str | None,
    terms: bool,
    min_frequency: int,
    limit: int,
    picture: Path | None,
    at: str | None,
    dry_run: bool,
    folder: Path,
    form: str,
) -> None:
    """Print the most frequent stretches of words in the posts of QUERY, or in all posts."""
    corpus = open_corpus(folder, at)
    if dry_run:
        print_estimate(corpus, [] if query is None else [query], form)
        return
    answer = corpus.ngrams(
        query,
        lengths=lengths,
        containing=containing,
        min_frequency=min_frequency,
        by=by,
        terms_only=terms,
        limit=limit,
    )
    print_or_draw(answer, form, picture)
