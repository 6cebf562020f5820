"""Parsing of `folate.toml` into records, with an error for unknown keys."""

import tomllib
from collections.abc import Mapping
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

RecordT = TypeVar("RecordT")
# Not every whole number above it is a float.
_MAX_WHOLE_FLOAT = 1e15
# Bytes of a project file: enough for a hundred thousand brands.
_MAX_FILE_BYTES = 10_000_000
# Characters of a value in a message.
_MAX_SHOWN_LENGTH = 100


def load_config(folder: Path) -> Config:
    """Load and validate folate.toml of a project folder. Raises ConfigError."""
    path = folder / CONFIG_FILE
    try:
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise ConfigError(f"wanted {path} of at most {_MAX_FILE_BYTES:,} bytes, got {size:,}.")
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"no {CONFIG_FILE} in {folder.resolve()}: make one with 'folate init DIR' "
            "or name its folder by --project."
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
    except ValueError as error:  # also for numbers and dates out of range
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    return parse_config(table)


def parse_config(table: dict[str, Any]) -> Config:
    """Make a Config of a parsed TOML table and validate it. Raises ConfigError."""
    config = _parse_record(Config, table, CONFIG_FILE)
    validate_config(config)
    return config


def _parse_record(cls: type[RecordT], table: Any, where: str) -> RecordT:
    """Make a record of a table, by the annotations of its fields."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: wanted a table, got {_shorten_value(table)}.")
    fields_by_key = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    for key in table:
        if key not in fields_by_key:
            raise ConfigError(
                f"{where}: unknown key {quote_name(key)}; {suggestion(key, fields_by_key)}"
            )
    for name, field in fields_by_key.items():
        if name not in table and field.default is field.default_factory is MISSING:
            raise ConfigError(f"{where}: {name!r} is missing.")
    values = {}
    for key, value in table.items():
        values[key] = _parse_value(fields_by_key[key].type, value, f"{where}: {key}")
    return cls(**values)


def _parse_value(annotation: Any, value: Any, where: str) -> Any:
    """Convert `value` to the type `annotation`: a scalar, a record, or a tuple of either."""
    if get_origin(annotation) is tuple:
        if not isinstance(value, list):
            raise ConfigError(f"{where}: wanted a list, got {_shorten_value(value)}.")
        item_type = get_args(annotation)[0]
        items = []
        for index, item in enumerate(value):
            items.append(_parse_value(item_type, item, f"{where}[{index}]"))
        return tuple(items)
    if get_origin(annotation) is Mapping:
        return _parse_mapping(get_args(annotation)[1], value, where)
    if isinstance(annotation, UnionType):
        annotation = get_args(annotation)[0]
    if hasattr(annotation, "__dataclass_fields__"):
        return _parse_record(annotation, value, where)
    if annotation is float and type(value) is int and abs(value) < _MAX_WHOLE_FLOAT:
        value = float(value)
    if type(value) is not annotation or (annotation is float and not isfinite(value)):
        raise ConfigError(
            f"{where}: wanted {_TYPE_NAMES[annotation]}, got {_shorten_value(value)}."
        )
    return value


def _parse_mapping(value_type: Any, table: Any, where: str) -> dict[str, Any]:
    """Convert a table whose keys are names that the project chooses."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: wanted a table, got {_shorten_value(table)}.")
    values = {}
    for key, value in table.items():
        values[key] = _parse_value(value_type, value, f"{where}: {quote_name(key)}")
    return values


def _shorten_value(value: Any) -> str:
    """Format a value for a message, shortened: the key says where it is in the file."""
    try:
        return truncate_text(repr(value), _MAX_SHOWN_LENGTH)
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
