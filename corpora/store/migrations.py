"""The number of the store's schema, kept beside the tables, and steps from older schemas."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from deltalake import Field
from deltalake.schema import Schema

from corpora.store import commits, delta_tables
from corpora.store.schema import TABLES
from folate.core.errors import StoreError

SCHEMA_FILE = "schema.json"


@dataclass(frozen=True)
class Migration:
    """One step to the schema `number`; `apply` may be interrupted and run again."""

    number: int
    description: str
    apply: Callable[[Path], None]


def add_missing_columns(root: Path) -> None:
    """Add the columns that `corpora.store.schema` declares to every table that lacks them.

    Existing rows have no value in them.
    """
    for name, table in TABLES.items():
        if not delta_tables.table_exists(root, name):
            continue
        stored = delta_tables.open_table(root, name)
        stored_names = {field.name for field in stored.schema().fields}
        declared: list[Field] = Schema.from_arrow(table.schema).fields
        missing = [field for field in declared if field.name not in stored_names]
        if missing:
            with delta_tables.translate_read_errors(root, name):
                stored.alter.add_columns(missing)


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        1, "tables of a store without a number get every declared column", add_missing_columns
    ),
    Migration(2, "evidence says what of a brand a number is about", add_missing_columns),
    Migration(3, "judgements say how much of a very long post the model read", add_missing_columns),
    Migration(4, "texts say where each word is, and who writes", add_missing_columns),
)


def check_schema_number(root: Path) -> None:
    """Raise StoreError unless the store at `root` has this code's schema, or is new."""
    stored = read_schema_number(root)
    needed = len(MIGRATIONS)
    if stored is not None and stored < needed:
        raise StoreError(
            f"the store {root} has schema {stored} and this Folate needs {needed}: "
            "run 'folate migrate'."
        )
    if stored is not None and stored > needed:
        raise StoreError(
            f"the store {root} has schema {stored} and this Folate knows only up to {needed}: "
            "install a newer Folate."
        )


def migrate_store(root: Path) -> list[str]:
    """Apply the steps that the store lacks, in order, and return a line on each.

    Raises StoreError when the store is newer than the code.
    """
    stored = read_schema_number(root)
    steps = [] if stored is None else MIGRATIONS[stored:]
    for step in steps:
        step.apply(root)
        write_schema_number(root, step.number)
    check_schema_number(root)
    return [f"{step.number}: {step.description}" for step in steps]


def read_schema_number(root: Path) -> int | None:
    """Return the schema number of a store: 0 for tables without one, None for no store yet."""
    path = root / SCHEMA_FILE
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))["schema"]
    except FileNotFoundError:
        return _default_schema_number(root)
    except NotADirectoryError as error:
        raise StoreError(f"wanted a folder for the store, got a file: {root}.") from error
    except OSError as error:
        raise commits.damaged_file_error(path, f"can't be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, RecursionError):
        schema = None
    if type(schema) is not int or schema < 0:
        raise StoreError(
            f"wanted {{\"schema\": number}} in {path}, got something else: run 'folate check'."
        )
    return schema


def _default_schema_number(root: Path) -> int | None:
    """Return 0 for tables from before there were schema numbers, which have no commit records."""
    if commits.read_commit_records(root):
        raise commits.damaged_file_error(
            root / SCHEMA_FILE, "is missing, and it says how the tables are to be read"
        )
    return 0 if any(delta_tables.table_exists(root, name) for name in TABLES) else None


def write_schema_number(root: Path, schema: int) -> None:
    """Write the schema number atomically."""
    root.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=root, prefix=SCHEMA_FILE, delete=False
    ) as temporary:
        temporary.write(json.dumps({"schema": schema}) + "\n")
    Path(temporary.name).replace(root / SCHEMA_FILE)
