"""What the commands that ask the corpus share: their options, opening, and printing of answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import click

from folate.cli.interrupts import prompt_interrupts
from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.cli.terminal import print_stderr, print_text

if TYPE_CHECKING:
    from corpora.answers.answer import Answer
    from corpora.corpus import Corpus

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R")


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


def seed_option(command: F) -> F:
    """Add `--seed`, of random choices."""
    return click.option(
        "--seed", default=0, show_default=True, help="Another seed chooses others at random."
    )(command)


def show_option(command: F) -> F:
    """Add `--show`, names of metadata, which `name_list` reads."""
    return click.option(
        "--show", default="", metavar="FIELD,…", help="Metadata, such as source,week,brand,url."
    )(command)


def corpus_options(command: F) -> F:
    """Add `--at`, `--dry-run`, `--project` and `--format`, which every question has.

    The command stops at once on Ctrl-C.
    """
    stoppable = cast(F, stops_at_once(command))
    return at_option(dry_run_option(project_option(format_option(*DATA_FORMATS)(stoppable))))


def stops_at_once(command: Callable[P, R]) -> Callable[P, R]:
    """Make a command that writes nothing stop soon after Ctrl-C, whatever it is doing."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with prompt_interrupts():
            return command(*args, **kwargs)

    return run


def name_list(names: str) -> list[str]:
    """Return the names in a list with commas."""
    return [name.strip() for name in names.split(",") if name.strip()]


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
    """Add `--svg`, the file of a picture, which `print_or_draw` writes."""
    return click.option(
        "--svg",
        "picture",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Write a picture to FILE instead of the table.",
    )(command)


def print_or_draw(answer: Answer, form: str, picture: Path | None) -> None:
    """Print an answer, or write its picture to a file if one is asked for."""
    from folate.core.files import write_atomically

    if picture is None:
        print_answer(answer, form)
        return
    write_atomically(picture, answer.plot())
    print_text(str(picture))
    print_notes(answer.notes)


def open_corpus(folder: Path, at: str | None) -> Corpus:
    """Open the corpus of the project in `folder`; its index is brought up to date first.

    Raises ConfigError, StoreError, NotFound.
    """
    from corpora.corpus import Corpus

    return Corpus.open(folder, at)


def print_answer(answer: Answer, form: str, advice: str = "") -> None:
    """Print the rows of an answer to standard output and its notes to standard error.

    A table has no columns of the version and of what else is the same in all rows: that is printed
    below, where `advice` is added to the last note.
    """
    if form == "table":
        print_rows(_without_shared(answer), form)
        print_end(answer, advice)
    else:
        print_rows(answer.rows, form)
        print_notes(answer.notes)


def print_notes(notes: Iterable[str]) -> None:
    """Print sentences for the user to standard error."""
    for note in notes:
        print_stderr(f"note: {note}")


def print_end(answer: Answer, advice: str = "") -> None:
    """Print what belongs below a table: the notes of an answer, `advice`, and the version."""
    notes = list(answer.notes)
    if advice and notes:
        notes[-1] += advice
    print_notes(notes)
    if answer.rows:
        values = [f"{name} {answer.rows[0][name]:,}" for name in answer.shared]
        print_stderr(", ".join([*values, f"version {answer.version}"]))
    else:
        print_stderr(f"version {answer.version}")


def _without_shared(answer: Answer) -> Iterator[dict[str, Any]]:
    hidden = {"version", *answer.shared}
    for row in answer.rows:
        yield {name: value for name, value in row.items() if name not in hidden}


def print_estimate(corpus: Corpus, queries: Iterable[str], form: str) -> None:
    """Print what queries will cost: the postings to be read, the seconds, the costliest part."""
    rows = []
    for query in queries:
        estimate = corpus.estimate(query)
        costliest = max(estimate.parts, key=lambda part: estimate.parts[part], default=None)
        rows.append(
            {
                "postings": estimate.postings,
                "seconds": round(estimate.seconds, 4),
                "costliest": costliest,
                "query": query,
                "version": corpus.version,
            }
        )
    print_rows(rows, form)
