"""Printing to the terminal. All output passes here, so that no control character reaches it."""

import sys

import click

from folate.core.text import printable_lines, to_single_line


def print_text(text: str) -> None:
    """Print `text` to standard output, without control characters except line breaks."""
    click.echo(printable_lines(text))


def print_stderr(text: str) -> None:
    """Print a note or an error as one line to standard error."""
    click.echo(to_single_line(text), err=True)


def print_stderr_lines(text: str) -> None:
    """Print lines that belong together to standard error, without control characters."""
    click.echo(printable_lines(text), err=True)


def print_data(text: str) -> None:
    """Print CSV or JSON for programs to standard output unchanged.

    The quoting and escapes of these formats make it safe.
    """
    sys.stdout.write(text)
    sys.stdout.flush()  # a program at the other end of a pipe gets each line at once
