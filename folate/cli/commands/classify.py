"""The command `folate classify`."""

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

CHUNK_BYTES = 1 << 16  # bytes read at once


tokens_option = click.option(
    "--tokens", is_flag=True, help="Also tokens: start, end, part of speech (universal tag), lemma."
)


@click.command()
@project_option
@click.option(
    "--model",
    default=None,
    help="A transformers folder or hub name instead of the model that ships with Folate.",
)
@tokens_option
@format_option("jsonl", "json", "csv", "table")
def classify(folder: Path, model: str | None, tokens: bool, form: str) -> int:
    """Classify JSON lines {"text": …} or {"text": …, "target": "the brand's words"} from standard input.

    Writes one JSON line each, in order: language, sentiment (label, negative, neutral, positive), target_sentiment (the same, or null
    when no target was given or the text does not name it), aspects (name, polarity, confidence, and the clause's start and end in code
    points), emotion and intent (a probability each), tags. A line that is no such object gives {"error": …} in its place, and exit
    code 3 at the end. In a project its model, aspects, taxonomy and brands are used; a target that is one of its brands is found under
    all names of the brand. --format csv has a column for each figure, table only the labels.
    """
    from folate.pipeline.classify import classify_lines, flatten_answer, summarize_answer

    config = _config(folder)
    if model is not None:
        config = replace(config, nlp=replace(config.nlp, model=model))
    bad = 0

    def counted() -> Iterator[dict[str, Any]]:
        nonlocal bad
        for answer in classify_lines(_batches(), config, with_tokens=tokens):
            bad += "error" in answer
            yield answer

    shown = {"csv": flatten_answer, "table": summarize_answer}.get(form)
    _show(
        (shown(number, answer) for number, answer in enumerate(counted(), 1))
        if shown
        else counted(),
        form,
    )
    return 3 if bad else 0


def _show(rows: Iterable[Mapping[str, Any]], form: str) -> None:
    """Print rows, in JSON lines each as it comes."""
    for part in ([row] for row in rows) if form == "jsonl" else (rows,):
        print_rows(part, form)


def _config(folder: Path) -> Config:
    """The project's configuration, or the defaults outside a project."""
    return load_config(folder) if (folder / CONFIG_FILE).exists() else Config(name="")


def _batches() -> Iterator[list[str]]:
    """The lines of standard input as they come: those that one read completes make a batch, so that a pipe is answered at once.

    Bytes that are not UTF-8 become U+FFFD rather than an error far into a stream.
    """
    rest, first = b"", True
    stdin: BufferedReader = sys.stdin.buffer  # type: ignore[assignment]
    while chunk := stdin.read1(CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield [_decoded(line, first and not place) for place, line in enumerate(lines)]
            first = False
    if rest:
        yield [_decoded(rest, first)]


def _decoded(line: bytes, first: bool) -> str:
    return (line.removeprefix(BOM_UTF8) if first else line).decode("utf-8", "replace").rstrip("\r")
