"""The exceptions of Folate. Each message is one sentence: what was wanted, got and possible."""

from collections.abc import Iterable
from difflib import get_close_matches

from folate.core.text import join_names, quote_name

# Characters of a name that are compared with choices: the time is quadratic in them.
_MAX_COMPARED_LENGTH = 200
# Choices that a name is compared with.
_MAX_COMPARED_CHOICES = 2_000


class FolateError(Exception):
    """Base of every error that Folate raises on purpose.

    `exit_code` is the exit code of the command line.
    """

    exit_code = 1


class ConfigError(FolateError):
    """Invalid `folate.toml` or command line options."""

    exit_code = 2


class InputError(FolateError):
    """A file or a line of input that can't be read at all."""

    exit_code = 3


class StoreError(FolateError):
    """A corpus that can't be read or written."""

    exit_code = 4


class NotFound(FolateError):
    """A name for which nothing exists."""

    exit_code = 5


class CrawlError(FolateError):
    """A crawl that could not start, or of which no source could be fetched in full."""

    exit_code = 6


class MissingExtra(FolateError):
    """An optional dependency that is not installed; the message gives the pip command."""

    exit_code = 7


class DeliveryError(FolateError):
    """An alert or a report that did not reach its recipients."""

    exit_code = 8


def suggestion(name: str, choices: Iterable[str]) -> str:
    """Return the end of an error message, with its punctuation: the nearest choice, else a list.

    >>> suggestion("brnads", ["brands", "watch"]), suggestion("x", ["brands", "watch"])
    ("did you mean 'brands'?", 'possible: brands, watch.')
    """
    names = sorted(choices)
    nearest = get_close_matches(name[:_MAX_COMPARED_LENGTH], names[:_MAX_COMPARED_CHOICES], n=1)
    if nearest:
        return f"did you mean {quote_name(nearest[0])}?"
    listed = join_names(names) or "nothing"
    full_stop = "" if listed.endswith(".") else "."
    return f"possible: {listed}{full_stop}"
