"""Commands that read text: annotate a corpus, or lines from standard input."""

import json
import sys
from codecs import BOM_UTF8
from collections.abc import Iterator
from io import BufferedReader
from itertools import chain
from pathlib import Path
from typing import Any

import click

from folate.cli.options import project_option
from folate.config import FILE, Config, load
from folate.errors import InputError

CHUNK = 1 << 16  # bytes read at once


@click.command()
@project_option
@click.option("--without-sentiment", is_flag=True, help="Only language, words, brands and duplicates: no model is loaded.")
def annotate(folder: Path, without_sentiment: bool) -> None:
    """Read what has not been read yet: language, words, brands, duplicates and sentiment.

    Interrupted, it goes on where it stopped. A changed brand list or model reads everything again.
    """
    from folate.pipeline import annotate as steps
    from folate.pipeline.workspace import Workspace

    done = steps.annotate(Workspace.open(folder), sentiment=not without_sentiment)
    click.echo(f"annotated: {', '.join(f'{count:,} {what}' for what, count in done.items())}.", err=True)


@click.command()
@project_option
@click.option("--model", default=None, help="A transformers folder or hub name instead of the model that ships with Folate.")
def classify(folder: Path, model: str | None) -> int:
    """Classify JSON lines {"text": …} or {"text": …, "target": "the brand's words"} from standard input.

    Writes one JSON line each, in order: language, sentiment (label, negative, neutral, positive) and target_sentiment (the
    same, or null when no target was given or the text does not name it). A line that is no such object gives {"error": …}
    in its place, and exit code 3 at the end.
    """
    from folate.classify import classify_lines

    nlp = _config(folder).nlp
    bad = 0
    for answer in classify_lines(_batches(), nlp.model if model is None else model, nlp.threads):
        bad += "error" in answer
        _print_json(answer)
    return 3 if bad else 0


@click.command()
@project_option
@click.option("--words", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A file of words to keep whole, one a line.")
def segment(folder: Path, words: Path | None) -> None:
    """Segment lines from standard input: one text a line in, its words separated by spaces out."""
    from nlp.segment import Segmenter

    segmenter = Segmenter([*_config(folder).vocabulary, *(_words(words) if words else ())])
    for line in chain.from_iterable(_batches()):
        click.echo(" ".join(token.text for token in segmenter.tokens(line) if not token.text.isspace()))


def _config(folder: Path) -> Config:
    """The project's configuration, or the defaults outside a project."""
    return load(folder) if (folder / FILE).exists() else Config(name="")


def _words(path: Path) -> list[str]:
    """The lines of a word list. Raises InputError when it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"wanted {path} in UTF-8, got byte {error.object[error.start]:#04x} at {error.start}.") from error


def _batches() -> Iterator[list[str]]:
    """The lines of standard input as they come: those that one read completes make a batch, so that a pipe is answered at once.

    Bytes that are not UTF-8 become U+FFFD rather than an error far into a stream.
    """
    rest, first = b"", True
    stdin: BufferedReader = sys.stdin.buffer  # type: ignore[assignment]
    while chunk := stdin.read1(CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield [_decoded(line, first and not place) for place, line in enumerate(lines)]
            first = False
    if rest:
        yield [_decoded(rest, first)]


def _decoded(line: bytes, first: bool) -> str:
    return (line.removeprefix(BOM_UTF8) if first else line).decode("utf-8", "replace").rstrip("\r")


def _print_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))
