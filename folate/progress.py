"""Progress bars, on standard error, for whatever takes more than two seconds."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress(what: str, total: int | None = None, unit: str = "post", items: Iterable[Any] | None = None) -> "tqdm[Any]":
    """A bar that appears after two seconds and leaves no trace when standard error is not a terminal."""
    return tqdm(
        items,
        desc=what,
        total=total,
        unit=f" {unit}",
        delay=2,
        file=sys.stderr,
        disable=not sys.stderr.isatty(),
        dynamic_ncols=True,
        leave=False,
        mininterval=0.5,
    )
