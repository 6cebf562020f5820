"""`folate.toml` to records. Unknown keys stop with the list of the known ones."""

import tomllib
from dataclasses import MISSING, fields
from datetime import date
from math import isfinite
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

from folate.core.config.checks import validate_config
from folate.core.config.records import CONFIG_FILE, Config
from folate.core.errors import ConfigError, suggestion
from folate.core.text import quote_name, truncate_text

T = TypeVar("T")
_LARGEST_NUMBER = 1e15  # above it not every whole number is a float
_LARGEST = 10_000_000  # bytes of a project file: a hundred thousand brands fit


def load_config(folder: Path) -> Config:
    """Read and check `project`/folate.toml. Raises ConfigError."""
    path = folder / CONFIG_FILE
    try:
        if (size := path.stat().st_size) > _LARGEST:
            raise ConfigError(f"wanted {path} of at most {_LARGEST:,} bytes, got {size:,}.")
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"no {CONFIG_FILE} in {folder.resolve()}: make one with 'folate init DIR' or name its folder by --project."
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"wanted {path} in UTF-8, got byte {error.object[error.start]:#04x} at {error.start}."
        ) from error
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}.") from error
    except RecursionError as error:
        raise ConfigError(
            f"wanted {path} without lists in lists in lists, got more of them than can be read."
        ) from error
    except (
        ValueError
    ) as error:  # tomllib also raises it for numbers and dates that nothing can hold
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    return parse_config(table)


def parse_config(table: dict[str, Any]) -> Config:
    """Build a Config from a parsed TOML table and check what spans several keys. Raises ConfigError."""
    config = _record(Config, table, CONFIG_FILE)
    validate_config(config)
    return config


def _record(cls: type[T], table: Any, where: str) -> T:
    """One dataclass from one table, by its annotations."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: wanted a table, got {_shown(table)}.")
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise ConfigError(f"{where}: unknown key {quote_name(key)}; {suggestion(key, known)}")
    for name, field in known.items():
        if name not in table and field.default is MISSING:
            raise ConfigError(f"{where}: {name!r} is missing.")
    return cls(
        **{key: _value(known[key].type, value, f"{where}: {key}") for key, value in table.items()}
    )


def _value(kind: Any, value: Any, where: str) -> Any:
    """`value` as the annotation `kind` wants it: a scalar, a tuple of them, a record or a tuple of records."""
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where}: wanted a list, got {_shown(value)}.")
        inner = get_args(kind)[0]
        return tuple(_value(inner, item, f"{where}[{i}]") for i, item in enumerate(value))
    if isinstance(kind, UnionType):
        kind = get_args(kind)[0]
    if hasattr(kind, "__dataclass_fields__"):
        return _record(kind, value, where)
    if kind is float and type(value) is int and abs(value) < _LARGEST_NUMBER:
        value = float(value)
    if type(value) is not kind or (kind is float and not isfinite(value)):
        raise ConfigError(f"{where}: wanted {_TYPE_NAMES[kind]}, got {_shown(value)}.")
    return value


def _shown(value: Any) -> str:
    """A value as Python writes it, cut: whoever wrote the file finds it by its key."""
    try:
        return truncate_text(repr(value), 100)
    except RecursionError:
        return "lists in lists"
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number with thousands of digits"


_TYPE_NAMES = {
    str: "a string",
    int: "a whole number",
    float: "a finite number",
    bool: "true or false",
    date: "a date such as 2026-03-02",
}
