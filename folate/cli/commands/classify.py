"""The command `folate classify`, and what it shares with `folate segment`."""

import sys
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from io import BufferedReader
from pathlib import Path
from typing import Any

import click

from folate.cli.options import format_option, print_rows, project_option
from folate.core.config import CONFIG_FILE, Config, load_config

CHUNK_BYTES = 1 << 16
"""Bytes that are read from standard input at once."""

tokens_option = click.option(
    "--tokens",
    is_flag=True,
    help="Also give the tokens: start, end, universal part-of-speech tag, lemma.",
)


@click.command()
@project_option
@click.option(
    "--model",
    default=None,
    help="A transformers model (folder or hub name) instead of the one that ships with Folate.",
)
@tokens_option
@format_option("jsonl", "json", "csv", "table")
def classify(folder: Path, model: str | None, tokens: bool, form: str) -> int:
    """Classify JSON lines from standard input.

    A line is {"text": …} or {"text": …, "target": "the brand's words"}. Each gives one JSON line,
    in the same order, with: language; sentiment (label, negative, neutral, positive);
    target_sentiment (the same for the target, or null if there is none or the text does not name
    it); aspects (name, polarity, confidence, and the start and end of the clause in code points);
    emotion and intent (a probability each); tags.

    A line that is not such an object gives {"error": …}, and the exit code is 3 in the end. In a
    project, its model, aspects, taxonomy and brands are used; a target that is one of its brands is
    found by all names of the brand. --format csv has one column per figure, table only the labels.
    """
    from folate.pipeline.classify import classify_lines, flatten_answer, summarize_answer

    config = load_optional_config(folder)
    if model is not None:
        config = replace(config, nlp=replace(config.nlp, model=model))
    error_count = 0

    def count_errors() -> Iterator[dict[str, Any]]:
        nonlocal error_count
        for answer in classify_lines(read_line_batches(), config, with_tokens=tokens):
            error_count += "error" in answer
            yield answer

    make_row = {"csv": flatten_answer, "table": summarize_answer}.get(form)
    rows: Iterable[Mapping[str, Any]] = count_errors()
    if make_row:
        rows = (make_row(number, answer) for number, answer in enumerate(rows, 1))
    print_stream(rows, form)
    return 3 if error_count else 0


def print_stream(rows: Iterable[Mapping[str, Any]], form: str) -> None:
    """Print rows; as JSON lines, each one as soon as it is there."""
    if form != "jsonl":
        print_rows(rows, form)
        return
    for row in rows:
        print_rows([row], form)


def load_optional_config(folder: Path) -> Config:
    """Return the project's configuration, or the defaults if the folder is no project."""
    return load_config(folder) if (folder / CONFIG_FILE).exists() else Config(name="")


def read_line_batches() -> Iterator[list[str]]:
    """Yield the lines of standard input, those that one read completed as one batch.

    So each line of a pipe is answered at once. Bytes that are not UTF-8 become U+FFFD, and a byte
    order mark at the start is dropped.
    """
    incomplete_line = b""
    is_start = True
    stdin: BufferedReader = sys.stdin.buffer  # type: ignore[assignment]
    while chunk := stdin.read1(CHUNK_BYTES):
        *lines, incomplete_line = (incomplete_line + chunk).split(b"\n")
        if lines:
            if is_start:
                lines[0] = lines[0].removeprefix(BOM_UTF8)
                is_start = False
            yield [_decode_line(line) for line in lines]
    if incomplete_line:
        yield [
            _decode_line(incomplete_line.removeprefix(BOM_UTF8) if is_start else incomplete_line)
        ]


def _decode_line(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\r")
