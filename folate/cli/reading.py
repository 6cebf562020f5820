"""Commands that read text: annotate a corpus, or lines from standard input."""

import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import Any

import click

from folate.cli.options import format_option, print_rows, project_option
from folate.cli.terminal import print_stderr, print_text
from folate.core.config import CONFIG_FILE, Config, load_config
from folate.core.errors import InputError

CHUNK_BYTES = 1 << 16  # bytes read at once


@click.command()
@project_option
@click.option(
    "--without-sentiment",
    is_flag=True,
    help="Only language, words, brands and duplicates: no model is loaded.",
)
def annotate(folder: Path, without_sentiment: bool) -> None:
    """Read what has not been read yet: language, words, brands, duplicates and sentiment.

    Interrupted, it goes on where it stopped. A changed brand list or model reads everything again.
    """
    from folate.pipeline.annotate import run as steps
    from folate.pipeline.project import Project

    done = steps.annotate_corpus(Project.open(folder), with_sentiment=not without_sentiment)
    print_stderr(
        f"annotated: {', '.join(f'{count:,} {what}' for what, count in done.counts.items())}."
    )
    for note in done.notes:
        print_stderr(f"note: {note}")


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


def _show(rows: Iterable[Mapping[str, Any]], form: str) -> None:
    """Print rows, in JSON lines each as it comes."""
    for part in ([row] for row in rows) if form == "jsonl" else (rows,):
        print_rows(part, form)


def _config(folder: Path) -> Config:
    """The project's configuration, or the defaults outside a project."""
    return load_config(folder) if (folder / CONFIG_FILE).exists() else Config(name="")


def _words(path: Path) -> list[str]:
    """The lines of a word list. Raises InputError when it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"wanted {path} in UTF-8, got byte {error.object[error.start]:#04x} at {error.start}."
        ) from error


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
