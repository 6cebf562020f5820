"""The command `folate corpus`: the index that questions are answered from."""

from pathlib import Path

import click

from folate.cli.options import DATA_FORMATS, format_option, print_rows, project_option
from folate.cli.terminal import print_stderr, print_text
from folate.core.errors import StoreError
from folate.core.text import printable_text


@click.group()
def corpus() -> None:
    """Look after the index that questions to the corpus are answered from.

    It is derived from the store, and every question brings it up to date first: nothing here is
    ever needed, unless a disk damages files.
    """


@corpus.command()
@project_option
def check(folder: Path) -> int:
    """Read all files of the index, and compare them with their checksums and with the store.

    Nothing is changed. The exit code is 4 when something is wrong.
    """
    from corpora.index.check import find_index_faults
    from folate.pipeline.project import Project

    project = Project.open(folder)
    faults = list(find_index_faults(folder, project.store, project.config.timezone))
    for fault in faults:
        print_text(printable_text(fault))
    if not faults:
        print_stderr("nothing is damaged.")
        return 0
    print_stderr("to do: folate corpus rebuild.")
    return StoreError.exit_code


@corpus.command()
@project_option
@format_option(*DATA_FORMATS)
def stats(folder: Path, form: str) -> None:
    """Show how much the corpus has: posts, words, characters, and the index in bytes."""
    from corpora.corpus import Corpus
    from corpora.index.check import count_contents, measure_bytes

    opened = Corpus.open(folder)
    counts = count_contents(opened.segments, opened.lexicon)
    row = counts | {"bytes": measure_bytes(folder), "version": opened.version}
    print_rows([row], form)


@corpus.command()
@project_option
def rebuild(folder: Path) -> None:
    """Build the index anew from the store."""
    from corpora.index.index import rebuild_index
    from folate.pipeline.project import Project

    project = Project.open(folder)
    manifest = rebuild_index(folder, project.store, project.config.timezone)
    posts = sum(entry.documents for entry in manifest.segments)
    print_stderr(f"indexed {posts:,} posts.")
