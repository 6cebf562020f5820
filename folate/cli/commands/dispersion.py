"""The command `folate dispersion`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from folate.cli.corpus_options import (
    corpus_options,
    form_option,
    limit_option,
    open_corpus,
    print_answer,
    print_estimate,
)

if TYPE_CHECKING:
    from corpora.answers.parts import PartKind
    from corpora.answers.words import WordForm

KINDS: tuple[PartKind, ...] = ("authors", "sources", "weeks")


@click.command()
@click.argument("query", required=False)
@click.option(
    "--over",
    type=click.Choice(KINDS),
    help="The parts of the corpus; default: a row for each, with --words authors.",
)
@click.option(
    "--words", is_flag=True, help="Measure the most frequent words of the posts instead of hits."
)
@form_option
@limit_option
@corpus_options
def dispersion(
    *,
    query: str | None,
    over: PartKind | None,
    words: bool,
    form_of_word: WordForm,
    limit: int,
    at: str | None,
    dry_run: bool,
    folder: Path,
    form: str,
) -> None:
    """Print how evenly the hits of QUERY are spread over authors, sources and weeks.

    The measure is Gries' DP, from 0 (even) to 1; docs/corpus-statistics.md explains it.
    """
    if query is None and not words:
        raise click.UsageError("wanted a QUERY or --words.", click.get_current_context())
    corpus = open_corpus(folder, at)
    if dry_run:
        print_estimate(corpus, [] if query is None else [query], form)
    elif words or query is None:
        answer = corpus.word_dispersion(
            query, over=over or "authors", form=form_of_word, limit=limit
        )
        print_answer(answer, form)
    else:
        answer = corpus.dispersion(query, over=KINDS if over is None else (over,))
        print_answer(answer, form)
