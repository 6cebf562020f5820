"""The command `folate segment`."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import click

from folate.cli.commands.classify import _batches, _config, _show, tokens_option
from folate.cli.options import format_option, project_option
from folate.cli.terminal import print_text
from folate.core.errors import InputError


@click.command()
@project_option
@click.option(
    "--words",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file of words to keep whole, one a line.",
)
@tokens_option
@format_option("text", "jsonl", "json", "csv", "table")
def segment(folder: Path, words: Path | None, tokens: bool, form: str) -> None:
    """Segment lines from standard input: one text a line in, its words separated by spaces out.

    With --tokens each word is followed by a slash and its part of speech. --format jsonl and json have the tokens of a line in a list,
    csv and table a row for each token, with start and end in code points of the line.
    """
    from folate.pipeline.classify import make_analyser

    reader = make_analyser(_config(folder), _words(words) if words else ())
    read: Callable[[list[str]], Iterable[Any]] = (
        reader.tag_words if tokens else partial(map, reader.segmenter.tokens)
    )
    lines = chain.from_iterable(map(read, _batches()))
    if form == "text":
        for line in lines:
            print_text(
                " ".join(f"{word.text}/{word.pos}" if tokens else word.text for word in line)
            )
    elif form in ("csv", "table"):
        _show(
            (
                {"line": number} | word._asdict()
                for number, line in enumerate(lines, 1)
                for word in line
            ),
            form,
        )
    else:
        _show(({"tokens": [word._asdict() for word in line]} for line in lines), form)


def _words(path: Path) -> list[str]:
    """The lines of a word list. Raises InputError when it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"wanted {path} in UTF-8, got byte {error.object[error.start]:#04x} at {error.start}."
        ) from error
