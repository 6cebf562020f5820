"""One tree of errors. Each message is one sentence: what was wanted, what was got, what is possible."""

from collections.abc import Iterable
from difflib import get_close_matches

from folate.core.text import join_names, quote_name

_COMPARED = 200  # characters of a name that choices are compared with: the comparison takes its length squared
_CHOICES = 2_000  # that are compared


class FolateError(Exception):
    """Base of every error that Folate raises on purpose; `exit_code` is what the command line returns."""

    exit_code = 1


class ConfigError(FolateError):
    """`folate.toml` or a command's options can't be understood."""

    exit_code = 2


class InputError(FolateError):
    """A file or a line given to Folate can't be read at all."""

    exit_code = 3


class StoreError(FolateError):
    """The corpus can't be read or written."""

    exit_code = 4


class NotFound(FolateError):
    """The thing asked for by name is not there."""

    exit_code = 5


class CrawlError(FolateError):
    """A crawl could not start, or no source of it could be fetched in full."""

    exit_code = 6


class MissingExtra(FolateError):
    """An optional dependency is not installed; the message gives the pip line."""

    exit_code = 7


class DeliveryError(FolateError):
    """An alert or a report did not reach whom it was meant for."""

    exit_code = 8


def suggestion(name: str, choices: Iterable[str]) -> str:
    """Return the tail of an error message, with its full stop: the nearest choice to `wanted`, else the first of them.

    >>> possible("brnads", ["brands", "watch"])
    "did you mean 'brands'?"
    """
    names = sorted(choices)
    near = get_close_matches(name[:_COMPARED], names[:_CHOICES], n=1)
    return (
        f"did you mean {quote_name(near[0])}?"
        if near
        else f"possible: {join_names(names) or 'nothing'}."
    )
