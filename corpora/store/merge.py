"""What an upsert would change: SQL over the rows that came and the stored rows of the same keys. Nothing is written here.

The relations are `fresh` (the columns of the table and `nth`, the row's place in the batch), `stored` (rows that share the
first column of the key) and `complete` (ids). A plan is the rows with a column `fate`: `new`, `changed`, `same` or `gone`.
"""

import duckdb
import pyarrow as pa

from corpora.store.schema import POSTS, TableDefinition
from folate.core.post import TIME_PRECISIONS, hash_text, post_body

_HANDLED_APART = ("id", "published_at", "precision", "fetched_at", "crawl", "text_hash", "month")
_LATEST_KNOWN = tuple(name for name in POSTS.schema.names if name not in _HANDLED_APART)
_COMPARED = (
    *_LATEST_KNOWN,
    "published_at",
    "precision",
)  # when and by whom a post was seen again is no change of the post


def same_key_condition(table: TableDefinition, left: str, right: str) -> str:
    """SQL that is true for two rows of one key. Two missing values are equal."""
    return " AND ".join(
        f"{left}.{name} = {right}.{name}"
        if name == "id"
        else f"({left}.{name} IS NOT DISTINCT FROM {right}.{name})"
        for name in table.key_columns
    )


def plan_rows(con: duckdb.DuckDBPyConnection, table: TableDefinition) -> pa.Table:
    """A fresh row replaces the stored row of its key; of several fresh rows with one key the last wins.

    Stored rows of the ids in `complete` whose key is not in `fresh` are gone.
    """
    names = table.schema.names
    first = table.key_columns[0]
    return con.sql(
        f"""
        WITH f AS (SELECT * FROM fresh QUALIFY row_number() OVER (PARTITION BY {", ".join(table.key_columns)} ORDER BY nth DESC) = 1)
        SELECT {", ".join(f"f.{name}" for name in names)},
               CASE WHEN s.{first} IS NULL THEN 'new' WHEN {_differs("f", "s", names)} THEN 'changed' ELSE 'same' END AS fate
        FROM f LEFT JOIN stored s ON {same_key_condition(table, "f", "s")}
        UNION ALL
        SELECT {", ".join(f"s.{name}" for name in names)}, 'gone'
        FROM stored s WHERE s.{first} IN (FROM complete) AND NOT EXISTS (FROM f WHERE {same_key_condition(table, "f", "s")})
        """
    ).to_arrow_table()


def plan_posts(con: duckdb.DuckDBPyConnection, now: int) -> pa.Table:
    """Merge every sight of a post, the stored one and the fresh ones, into one row. `now` (epoch microseconds) dates sights
    without `fetched_at`.

    Each field takes its latest known value: a sight that misses a field erases nothing. `published_at` comes from the finest
    precision, since "3 days ago" is vaguer than "3 minutes ago"; among equally vague dates from the earliest sight, since they
    drift. The month stays that of the first sight. A post whose content and counts stay as stored is `same`, whenever seen.
    """
    merged = con.sql(
        f"""
        WITH sights AS (
            SELECT *, coalesce(epoch_us(fetched_at), $now) AS seen FROM fresh
            UNION ALL SELECT *, -1 AS nth, coalesce(epoch_us(fetched_at), 0) AS seen FROM stored
        ), ranked AS (
            SELECT *, row_number() OVER (ORDER BY seen, nth) AS latest, row_number() OVER (
                ORDER BY list_position($precisions, precision) DESC, if(precision = 'second', seen, -seen), nth
            ) AS surest FROM sights
        ), merged AS (
            SELECT id, {", ".join(f"arg_max({name}, latest) AS {name}" for name in (*_LATEST_KNOWN, "crawl", "text_hash"))},
                   arg_max(published_at, surest) AS published_at, arg_max(precision, surest) AS precision,
                   max(fetched_at) AS fetched_at, arg_min(month, nth) AS month
            FROM ranked GROUP BY id
        )
        SELECT {", ".join(f"m.{name}" for name in POSTS.schema.names)},
               CASE WHEN s.id IS NULL THEN 'new' WHEN {_differs("m", "s", _COMPARED)} THEN 'changed' ELSE 'same' END AS fate
        FROM merged m LEFT JOIN stored s ON m.id = s.id ORDER BY m.id
        """,
        params={"now": now, "precisions": list(TIME_PRECISIONS)},
    ).to_arrow_table()
    return _rehashed(merged)


def _differs(left: str, right: str, names: tuple[str, ...] | list[str]) -> str:
    return " OR ".join(f"{left}.{name} IS DISTINCT FROM {right}.{name}" for name in names)


def _rehashed(posts: pa.Table) -> pa.Table:
    """Title, text and subject may come from several sights, so their hash is taken anew."""
    read = zip(*(posts[name].to_pylist() for name in ("title", "text", "subject")), strict=True)
    hashes = pa.array(
        [hash_text(post_body(title, text), subject) for title, text, subject in read], pa.string()
    )
    return posts.set_column(posts.schema.get_field_index("text_hash"), "text_hash", hashes)
