"""The command `folate cooccur`."""

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
    print_notes,
)
from folate.cli.terminal import print_text

if TYPE_CHECKING:
    from corpora.answers.words import WordForm


@click.command()
@click.argument("query", required=False)
@click.option(
    "--top",
    type=click.IntRange(2, 2000),
    default=100,
    show_default=True,
    help="Words of the network: those of most authors.",
)
@click.option(
    "--min",
    "min_posts",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Least posts in which two words are together.",
)
@form_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.graphml",
    help="Write the whole network as GraphML instead of printing pairs.",
)
@limit_option
@corpus_options
def cooccur(
    *,
    query: str | None,
    top: int,
    min_posts: int,
    form_of_word: WordForm,
    output: Path | None,
    limit: int,
    at: str | None,
    dry_run: bool,
    folder: Path,
    form: str,
) -> None:
    """Print which words are in the same posts of QUERY, or of all posts, as pairs or a network.

    Pairs are those that are together more than by chance, the most typical first.
    """
    from corpora.answers.cooccurrence import cooccurrence_graphml
    from folate.core.files import write_atomically

    corpus = open_corpus(folder, at)
    if dry_run:
        print_estimate(corpus, [] if query is None else [query], form)
        return
    answer = corpus.cooccurrence(
        query,
        top=top,
        min_posts=min_posts,
        form=form_of_word,
        limit=limit if output is None else 0,
    )
    if output is None:
        print_answer(answer, form)
        return
    write_atomically(output, cooccurrence_graphml(answer))
    print_text(str(output))
    print_notes(answer.notes)
