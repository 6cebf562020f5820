"""The command `folate kwic`."""

from pathlib import Path

import click

from folate.cli.corpus_options import (
    corpus_options,
    name_list,
    open_corpus,
    print_answer,
    print_end,
    print_estimate,
    query_argument,
    seed_option,
    show_option,
)

TABLE_LINES = 50
"""Lines of a table, unless more are asked for."""


@click.command()
@query_argument
@click.option("--context", default=40, show_default=True, help="Characters on each side.")
@click.option(
    "--sort",
    default="date",
    show_default=True,
    metavar="left|right|hit|date|author|FIELD",
    help="Sort by the text before or after the hit, the hit, or metadata.",
)
@click.option(
    "--group",
    metavar="left|right|hit|FIELD",
    help="Count the hits by the word before or after them, their text, or metadata.",
)
@click.option("--sample", type=int, metavar="N", help="Show N random hits.")
@seed_option
@click.option("--limit", type=int, metavar="N", help=f"Most lines; of a table {TABLE_LINES}.")
@click.option("--all", "is_all", is_flag=True, help="Show all lines also in a table.")
@show_option
@corpus_options
def kwic(
    query: str,
    *,
    context: int,
    sort: str,
    group: str | None,
    sample: int | None,
    seed: int,
    limit: int | None,
    is_all: bool,
    show: str,
    folder: Path,
    at: str | None,
    dry_run: bool,
    form: str,
) -> None:
    """Show the hits of QUERY with the text around them (a concordance)."""
    from folate.cli.concordance_table import print_concordance

    if is_all and limit is not None:
        raise click.UsageError("wanted --limit or --all, got both.")
    if group is not None and sample is not None:
        raise click.UsageError("wanted --group, which counts all hits, or --sample, got both.")
    corpus = open_corpus(folder, at)
    if dry_run:
        print_estimate(corpus, [query], form)
        return
    is_table = form == "table"
    most = TABLE_LINES if is_table and limit is None and not is_all else limit
    names = name_list(show)
    if group is not None:
        answer = corpus.groups(query, group, most)
    else:
        answer = corpus.kwic(
            query, context=context, sort=sort, sample=sample, seed=seed, limit=most, show=names
        )
    advice = "; --all shows all" if limit is None and len(answer) == most else ""
    if is_table and group is None:
        print_concordance(answer.rows, names, context)
        print_end(answer, advice)
    else:
        print_answer(answer, form, advice)
