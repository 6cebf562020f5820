"""Asking a person in the terminal: one key at a time."""

import sys

import click

from folate.core.errors import InputError
from folate.core.text import printable_text


def require_terminal(possible: str) -> None:
    """Raise InputError unless somebody can be asked; `possible` says what to do instead."""
    if not sys.stdin.isatty():
        raise InputError(
            f"wanted a terminal to ask in, got a pipe or a file; possible: {possible}."
        )


def read_key() -> str:
    """Return the key that was pressed, or q at the end of input."""
    try:
        return click.getchar().lower()
    except (KeyboardInterrupt, EOFError):
        return "q"


def printable_line(text: str) -> str:
    """Return a text of a post on one line, without control characters."""
    return printable_text(text.replace("\t", " "))
