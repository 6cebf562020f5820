"""What the commands that ask the corpus share: their options, opening, and printing of answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.cli.terminal import print_stderr

if TYPE_CHECKING:
    from corpora.answers.answer import Answer
    from corpora.corpus import Corpus

F = TypeVar("F", bound=Callable[..., Any])


def query_argument(command: F) -> F:
    """Add the argument QUERY; docs/query-language.md defines it."""
    return click.argument("query")(command)


def at_option(command: F) -> F:
    """Add `--at`, the version of the corpus that is asked."""
    return click.option(
        "--at",
        metavar="VERSION",
        help="Ask the corpus as it was at a version that an answer named; default: as it is now.",
    )(command)


def dry_run_option(command: F) -> F:
    """Add `--dry-run`, which `print_estimate` answers."""
    return click.option(
        "--dry-run", is_flag=True, help="Print what the query will cost, without running it."
    )(command)


def corpus_options(command: F) -> F:
    """Add `--at`, `--dry-run`, `--project` and `--format`, which every question has."""
    command = format_option(*DATA_FORMATS)(command)
    return at_option(dry_run_option(project_option(command)))


def form_option(command: F) -> F:
    """Add `--by`, whether words or their lemmas are counted."""
    return click.option(
        "--by",
        "form_of_word",
        type=click.Choice(("word", "lemma")),
        default="word",
        show_default=True,
        help="Count words, or lemmas of the posts that are tagged ('folate annotate --tags').",
    )(command)


def limit_option(command: F) -> F:
    """Add `--limit`, the number of rows."""
    return click.option(
        "--limit",
        type=click.IntRange(0, 1_000_000),
        default=50,
        show_default=True,
        metavar="N",
        help="Rows to print; 0 for all.",
    )(command)


def picture_option(command: F) -> F:
    """Add `--picture`, which `write_picture` answers."""
    return click.option(
        "--picture",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE.svg",
        help="Write a picture of the answer, too.",
    )(command)


def write_picture(answer: Answer, path: Path | None) -> None:
    """Write the picture of an answer to a file, if one is asked for."""
    from folate.core.files import write_atomically

    if path is not None:
        write_atomically(path, answer.plot())


def open_corpus(folder: Path, at: str | None) -> Corpus:
    """Open the corpus of the project in `folder`; its index is brought up to date first.

    Raises ConfigError, StoreError, NotFound.
    """
    from corpora.corpus import Corpus

    return Corpus.open(folder, at)


def print_answer(answer: Answer, form: str) -> None:
    """Print the rows of an answer to standard output and its notes to standard error."""
    print_rows(answer.rows, form)
    print_notes(answer.notes)


def print_notes(notes: Iterable[str]) -> None:
    """Print sentences for the user to standard error."""
    for note in notes:
        print_stderr(f"note: {note}")


def print_estimate(corpus: Corpus, queries: Iterable[str], form: str) -> None:
    """Print what queries will cost: the postings to be read, the seconds, the costliest part."""
    rows = []
    for query in queries:
        estimate = corpus.estimate(query)
        costliest = max(estimate.parts, key=lambda part: estimate.parts[part], default=None)
        rows.append(
            {
                "postings": estimate.postings,
                "seconds": estimate.seconds,
                "costliest": costliest,
                "query": query,
                "version": corpus.version,
            }
        )
    print_rows(rows, form)
