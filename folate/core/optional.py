"""Import of optional dependencies, with the pip command in the error for a missing one."""

from importlib import import_module
from types import ModuleType

from folate.core.errors import MissingExtra


def import_optional(module: str, extra: str) -> ModuleType:
    """Import `module`, a dependency of the extra `extra`.

    Raises MissingExtra with the pip command that installs it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{module!r} is needed here and is not installed: pip install 'folate[{extra}]'."
        ) from error
