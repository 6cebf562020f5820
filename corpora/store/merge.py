"""Upsert plans: SQL over incoming rows and the stored rows of the same keys; nothing is written.

A plan reads three relations: `incoming` (the columns of the table and `batch_index`, the row's
position in the batch), `stored` (rows that share the first key column with an incoming row) and
`complete` (ids of posts all of whose rows are incoming). The result is rows with a column `action`:
`insert`, `update`, `keep` (nothing changes) or `delete`.
"""

import duckdb
import pyarrow as pa

from corpora.store.schema import POSTS, TableDefinition
from folate.core.post import TIME_PRECISIONS, hash_text, post_body

_SPECIAL_COLUMNS = ("id", "published_at", "precision", "fetched_at", "crawl", "text_hash", "month")
_LATEST_VALUE_COLUMNS = tuple(name for name in POSTS.schema.names if name not in _SPECIAL_COLUMNS)
# When and by which crawl a post was observed again is no change of the post.
_COMPARED_COLUMNS = (*_LATEST_VALUE_COLUMNS, "published_at", "precision")


def same_key_condition(table: TableDefinition, left: str, right: str) -> str:
    """Return SQL that is true for two rows of one key; two missing values are equal.

    `left` and `right` are the aliases of the rows.
    """
    conditions = []
    for name in table.key_columns:
        if name == "id":
            conditions.append(f"{left}.{name} = {right}.{name}")
        else:
            # in quotes, since `end` is a word of SQL
            conditions.append(f'({left}."{name}" IS NOT DISTINCT FROM {right}."{name}")')
    return " AND ".join(conditions)


def plan_rows(con: duckdb.DuckDBPyConnection, table: TableDefinition) -> pa.Table:
    """Plan to replace the stored rows of the incoming keys; the last incoming row of a key wins.

    Stored rows of the ids in `complete` whose key is not incoming are deleted.
    """
    names = table.schema.names
    first_key = table.key_columns[0]
    same_key = same_key_condition(table, "i", "s")
    key = ", ".join(f'"{name}"' for name in table.key_columns)
    return con.sql(
        f"""
        WITH i AS (
            SELECT * FROM incoming QUALIFY
                row_number() OVER (
                    PARTITION BY {key} ORDER BY batch_index DESC
                ) = 1
        )
        SELECT {_select_list("i", names)},
               CASE WHEN s.{first_key} IS NULL THEN 'insert'
                    WHEN {_differs_condition("i", "s", names)} THEN 'update'
                    ELSE 'keep' END AS action
        FROM i LEFT JOIN stored s ON {same_key}
        UNION ALL
        SELECT {_select_list("s", names)}, 'delete'
        FROM stored s
        WHERE s.{first_key} IN (FROM complete) AND NOT EXISTS (FROM i WHERE {same_key})
        """
    ).to_arrow_table()


def plan_posts(con: duckdb.DuckDBPyConnection, now: int) -> pa.Table:
    """Merge all observations of a post, stored and incoming, into one row.

    Each field takes its latest known value: an observation that lacks a field erases nothing.
    `published_at` comes from the finest precision, since "3 days ago" is vaguer than "3 minutes
    ago", and among equally vague dates from the earliest observation, since they drift. The month
    stays that of the first observation. A post whose content and counts are as stored is kept.
    `now` (epoch microseconds) dates observations without `fetched_at`.
    """
    latest_values = ", ".join(
        f"arg_max({name}, latest) AS {name}"
        for name in (*_LATEST_VALUE_COLUMNS, "crawl", "text_hash")
    )
    merged = con.sql(
        f"""
        WITH observations AS (
            SELECT *, coalesce(epoch_us(fetched_at), $now) AS observed_at FROM incoming
            UNION ALL
            SELECT *, -1 AS batch_index, coalesce(epoch_us(fetched_at), 0) AS observed_at
            FROM stored
        ), ranked AS (
            SELECT *, row_number() OVER (ORDER BY observed_at, batch_index) AS latest,
                   row_number() OVER (
                       ORDER BY list_position($precisions, precision) DESC,
                                if(precision = 'second', observed_at, -observed_at), batch_index
                   ) AS most_precise
            FROM observations
        ), merged AS (
            SELECT id, {latest_values},
                   arg_max(published_at, most_precise) AS published_at,
                   arg_max(precision, most_precise) AS precision,
                   max(fetched_at) AS fetched_at, arg_min(month, batch_index) AS month
            FROM ranked GROUP BY id
        )
        SELECT {_select_list("m", POSTS.schema.names)},
               CASE WHEN s.id IS NULL THEN 'insert'
                    WHEN {_differs_condition("m", "s", _COMPARED_COLUMNS)} THEN 'update'
                    ELSE 'keep' END AS action
        FROM merged m LEFT JOIN stored s ON m.id = s.id ORDER BY m.id
        """,
        params={"now": now, "precisions": list(TIME_PRECISIONS)},
    ).to_arrow_table()
    return _recompute_text_hash(merged)


def _select_list(alias: str, names: list[str]) -> str:
    return ", ".join(f"{alias}.{name}" for name in names)


def _differs_condition(left: str, right: str, names: tuple[str, ...] | list[str]) -> str:
    return " OR ".join(f"{left}.{name} IS DISTINCT FROM {right}.{name}" for name in names)


def _recompute_text_hash(posts: pa.Table) -> pa.Table:
    """Hash each text anew: title, text and subject may come from several observations."""
    contents = zip(*(posts[name].to_pylist() for name in ("title", "text", "subject")), strict=True)
    hashes = [hash_text(post_body(title, text), subject) for title, text, subject in contents]
    column = pa.array(hashes, pa.string())
    return posts.set_column(posts.schema.get_field_index("text_hash"), "text_hash", column)
