"""The one way to the terminal: whatever is printed passes here, so that no text from outside can command it."""

import sys

import click

from folate.core.text import printable_lines, to_single_line


def print_text(text: str) -> None:
    """Print `text` to standard output, each line made printable."""
    click.echo(printable_lines(text))


def print_stderr(text: str) -> None:
    """Print one line to standard error: notes, errors and what was done."""
    click.echo(to_single_line(text), err=True)


def print_data(text: str) -> None:
    """Print CSV or JSON to standard output as it is: its own quoting and escapes keep it harmless, and programs read it."""
    sys.stdout.write(text)
    sys.stdout.flush()  # whoever waits at the other end of a pipe is answered at once
