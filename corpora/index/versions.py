"""The version of a corpus in one short name: the version of each table that its answers read."""

import re
from collections.abc import Mapping

from folate.core.errors import NotFound
from folate.core.text import quote_name

INDEXED_TABLES = (
    "posts",
    "texts",
    "word_tags",
    "mentions",
    "sentiments",
    "adaptations",
    "aspects",
    "judgements",
    "duplicates",
    "topics",
    "labels",
    "comparisons",
    "embeddings",
    "crawls",
)
"""Tables in the order of their numbers in a name. Names that people noted down depend on it."""

_MISSING = "-"
_NAME = re.compile(rf"v(?:[0-9]{{1,18}}|-)(?:\.(?:[0-9]{{1,18}}|-)){{{len(INDEXED_TABLES) - 1}}}")


def version_name(versions: Mapping[str, int]) -> str:
    """Return the name of the versions of tables: "v12.9.-.7…", "-" for a table that is missing.

    Tables that no answer reads are left out.
    """
    return "v" + ".".join(str(versions.get(table, _MISSING)) for table in INDEXED_TABLES)


def parse_version_name(name: str) -> dict[str, int]:
    """Return the version of each table that exists in a version. Raises NotFound."""
    if not _NAME.fullmatch(name):
        raise NotFound(
            f"wanted a version such as 'v12.9.{_MISSING}.7…' with {len(INDEXED_TABLES)} numbers, "
            f"as answers print it, got {quote_name(name)}."
        )
    numbers = dict(zip(INDEXED_TABLES, name[1:].split("."), strict=True))
    return {table: int(number) for table, number in numbers.items() if number != _MISSING}
