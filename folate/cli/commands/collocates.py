"""The command `folate collocates`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from folate.cli.corpus_options import (
    corpus_options,
    form_option,
    limit_option,
    open_corpus,
    picture_option,
    print_estimate,
    print_or_draw,
    query_argument,
)

if TYPE_CHECKING:
    from corpora.answers.collocates import CollocateSort
    from corpora.answers.words import WordForm

MAX_WINDOW = 100


class WindowType(click.ParamType[tuple[int, int]]):
    """A click type for a window of words: `-5,5`, or `5` for the same on both sides."""

    name = "window"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        left, comma, right = value.partition(",")
        try:
            before, after = (-int(left), int(right)) if comma else (int(value), int(value))
        except ValueError:
            before = after = -1
        is_window = 0 <= before <= MAX_WINDOW and 0 <= after <= MAX_WINDOW
        if not is_window or not before + after:
            self.fail(
                f"wanted words before and after a hit, such as 5, -5,5 or 0,3, got {value!r}; "
                f"at most {MAX_WINDOW} on a side.",
                param,
                ctx,
            )
        return before, after


@click.command()
@query_argument
@click.option(
    "--window",
    type=WindowType(),
    default="-5,5",
    show_default=True,
    metavar="N|-N,N",
    help="Words before and after a hit that are near it: 5 is -5,5.",
)
@click.option(
    "--min",
    "min_observed",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="Least occurrences near hits.",
)
@form_option
@click.option(
    "--sort",
    type=click.Choice(("log_dice", "log_likelihood", "mi3", "observed")),
    default="log_dice",
    show_default=True,
    help="The measure that orders the rows.",
)
@limit_option
@picture_option
@corpus_options
def collocates(
    *,
    query: str,
    window: tuple[int, int],
    min_observed: int,
    form_of_word: WordForm,
    sort: CollocateSort,
    limit: int,
    picture: Path | None,
    at: str | None,
    dry_run: bool,
    folder: Path,
    form: str,
) -> None:
    """Print the words that occur near the hits of QUERY more than elsewhere.

    docs/corpus-statistics.md explains the measures.
    """
    corpus = open_corpus(folder, at)
    if dry_run:
        print_estimate(corpus, [query], form)
        return
    answer = corpus.collocates(
        query, window=window, min_observed=min_observed, form=form_of_word, sort=sort, limit=limit
    )
    print_or_draw(answer, form, picture)
