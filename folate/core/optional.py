"""Optional dependencies: import them where they are used, and name the pip line when they are missing."""

from importlib import import_module
from types import ModuleType

from folate.core.errors import MissingExtra


def import_optional(module: str, extra: str) -> ModuleType:
    """Import `module`, which the extra `extra` brings. Raises MissingExtra with the line that installs it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{module!r} is needed here and is not installed: pip install 'folate[{extra}]'."
        ) from error
