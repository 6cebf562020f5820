"""The command `folate segment`."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import click

from folate.cli.commands.classify import (
    load_optional_config,
    print_stream,
    read_line_batches,
    tokens_option,
)
from folate.cli.options import format_option, project_option
from folate.cli.terminal import print_text
from folate.core.errors import InputError


@click.command()
@project_option
@click.option(
    "--words",
    "word_list",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file of words that are never split, one per line.",
)
@tokens_option
@format_option("text", "jsonl", "json", "csv", "table")
def segment(folder: Path, word_list: Path | None, tokens: bool, form: str) -> None:
    """Split lines from standard input into words: one text per line, words separated by spaces.

    With --tokens each word is followed by a slash and its part of speech. --format jsonl and json
    give the tokens of a line as a list; csv and table give one row per token, with its start and
    end in the line, counted in code points.
    """
    from folate.pipeline.classify import make_analyser

    analyser = make_analyser(
        load_optional_config(folder), _read_word_list(word_list) if word_list else ()
    )
    analyse_lines: Callable[[list[str]], Iterable[Any]] = (
        analyser.tag_words if tokens else partial(map, analyser.segmenter.tokens)
    )
    lines = chain.from_iterable(map(analyse_lines, read_line_batches()))
    if form == "text":
        for words in lines:
            print_text(" ".join(_format_word(word, tokens) for word in words))
    elif form in ("csv", "table"):
        print_stream(_token_rows(lines), form)
    else:
        print_stream(({"tokens": [word._asdict() for word in words]} for words in lines), form)


def _format_word(word: Any, with_tag: bool) -> str:
    text: str = f"{word.text}/{word.pos}" if with_tag else word.text
    return text


def _token_rows(lines: Iterable[Iterable[Any]]) -> Iterator[dict[str, Any]]:
    """Yield one row per token, with the number of its line."""
    for number, words in enumerate(lines, 1):
        for word in words:
            yield {"line": number} | word._asdict()


def _read_word_list(path: Path) -> list[str]:
    """Return the lines of a word list. Raises InputError when it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(
            f"wanted {path} in UTF-8, got byte {byte:#04x} at {error.start}."
        ) from error
