"""Functions compiled by numba. Modules of such functions are imported where they are called."""

from collections.abc import Callable
from typing import TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function at its first call, and keep the machine code for the next processes.

    It is kept beside the module, else in the user's cache folder, else in the folder that the
    environment variable NUMBA_CACHE_DIR names. Where none can be written, every process compiles
    anew, which takes it some seconds.
    """
    try:
        result: F = njit(cache=True)(function)
    except RuntimeError:
        result = njit(function)
    return result
