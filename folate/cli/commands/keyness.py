"""The command `folate keyness`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from folate.cli.corpus_options import (
    corpus_options,
    form_option,
    limit_option,
    open_corpus,
    picture_option,
    print_estimate,
    print_or_draw,
)

if TYPE_CHECKING:
    from corpora.answers.keyness import KeynessSort
    from corpora.answers.words import WordForm


@click.command()
@click.argument("focus")
@click.argument("reference", required=False)
@click.option("--rest", is_flag=True, help="Compare with all other posts instead of REFERENCE.")
@click.option(
    "--min",
    "min_authors",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Least authors who use a word, in both groups together.",
)
@form_option
@click.option(
    "--sort",
    type=click.Choice(("conservative", "log_ratio", "log_likelihood", "simple_maths")),
    default="conservative",
    show_default=True,
    help="The measure that orders the rows.",
)
@limit_option
@picture_option
@corpus_options
def keyness(
    *,
    focus: str,
    reference: str | None,
    rest: bool,
    min_authors: int,
    form_of_word: WordForm,
    sort: KeynessSort,
    limit: int,
    picture: Path | None,
    at: str | None,
    dry_run: bool,
    folder: Path,
    form: str,
) -> None:
    """Print the words that more authors use in posts of FOCUS than in those of REFERENCE.

    Both are queries, such as brand:kraft and brand:heinz. Only words whose difference is sure are
    printed; docs/corpus-statistics.md explains the measures.
    """
    if rest == (reference is not None):
        raise click.UsageError(
            "wanted REFERENCE or --rest, one of them, such as brand:kraft brand:heinz.",
            click.get_current_context(),
        )
    corpus = open_corpus(folder, at)
    if dry_run:
        print_estimate(corpus, [focus] if reference is None else [focus, reference], form)
        return
    answer = corpus.keyness(
        focus, reference, min_authors=min_authors, form=form_of_word, sort=sort, limit=limit
    )
    print_or_draw(answer, form, picture)
