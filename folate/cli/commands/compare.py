"""The command `folate compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from folate.cli.corpus_options import (
    corpus_options,
    open_corpus,
    print_answer,
    print_estimate,
)

if TYPE_CHECKING:
    from corpora.answers.compare import PartField


@click.command()
@click.argument("queries", nargs=-1, required=True, metavar="QUERY QUERY...")
@click.option(
    "--by",
    type=click.Choice(("source", "week")),
    multiple=True,
    default=("source", "week"),
    show_default=True,
    help="Compare also in each source or week.",
)
@click.option(
    "--all",
    "all_parts",
    is_flag=True,
    help="Print all sources and weeks; default: those in which a ratio differs.",
)
@corpus_options
def compare(
    *,
    queries: tuple[str, ...],
    by: tuple[PartField, ...],
    all_parts: bool,
    at: str | None,
    dry_run: bool,
    folder: Path,
    form: str,
) -> None:
    """Print how often queries match beside the first of them, and where that differs.

    Compare two words, such as 叶酸 and "folic acid", two brands (brand:kraft brand:heinz), or a
    word among the posts of two brands ("oats brand:kraft" "oats brand:heinz").
    """
    corpus = open_corpus(folder, at)
    if dry_run:
        print_estimate(corpus, queries, form)
        return
    print_answer(corpus.compare(*queries, by=by, all_parts=all_parts), form)
