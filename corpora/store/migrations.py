"""The store's schema has a number, kept beside the tables. Numbered steps bring an older store up to it."""

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
    """One step. `apply` may be stopped half-way and run again."""

    number: int
    description: str
    apply: Callable[[Path], None]


def add_missing_columns(root: Path) -> None:
    """Give every table the columns that `corpora.store.schema` declares and it lacks; they are missing in the rows there are."""
    for name, table in TABLES.items():
        if delta_tables.table_exists(root, name):
            stored = delta_tables.open_table(root, name)
            have = {field.name for field in stored.schema().fields}
            lacking: list[Field] = [
                field for field in Schema.from_arrow(table.schema).fields if field.name not in have
            ]
            if lacking:
                with delta_tables.translate_read_errors(root, name):
                    stored.alter.add_columns(lacking)


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        1, "tables of a store without a number get every declared column", add_missing_columns
    ),
    Migration(2, "evidence says what of a brand a number is about", add_missing_columns),
    Migration(3, "judgements say how much of a very long post the model read", add_missing_columns),
)


def check_schema_number(root: Path) -> None:
    """Raises StoreError unless the store at `root` is of this code's schema, or new."""
    have, want = read_schema_number(root), len(MIGRATIONS)
    if have is not None and have < want:
        raise StoreError(
            f"the store {root} has schema {have} and this Folate needs {want}: run 'folate migrate'."
        )
    if have is not None and have > want:
        raise StoreError(
            f"the store {root} has schema {have} and this Folate knows only up to {want}: install a newer Folate."
        )


def migrate_store(root: Path) -> list[str]:
    """Apply the steps that the store lacks, in order; what each did. Raises StoreError when the store is newer than the code."""
    have = read_schema_number(root)
    steps = [] if have is None else MIGRATIONS[have:]
    for step in steps:
        step.apply(root)
        write_schema_number(root, step.number)
    check_schema_number(root)
    return [f"{step.number}: {step.description}" for step in steps]


def read_schema_number(root: Path) -> int | None:
    """The schema number of the store at `root`: 0 for tables without one, None where there is no store yet."""
    path = root / SCHEMA_FILE
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))["schema"]
    except FileNotFoundError:
        return _number_without_file(root)
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


def _number_without_file(root: Path) -> int | None:
    """0 for the tables of a store from before there were numbers; such a store has no noted commits."""
    if commits.read_commit_records(root):
        raise commits.damaged_file_error(
            root / SCHEMA_FILE, "is missing, and it says how the tables are to be read"
        )
    return 0 if any(delta_tables.table_exists(root, name) for name in TABLES) else None


def write_schema_number(root: Path, schema: int) -> None:
    """Write the number, whole or not at all."""
    root.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=root, prefix=SCHEMA_FILE, delete=False
    ) as aside:
        aside.write(json.dumps({"schema": schema}) + "\n")
    Path(aside.name).replace(root / SCHEMA_FILE)
