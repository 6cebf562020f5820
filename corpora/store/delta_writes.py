"""Writes to a Delta table: create it, apply a plan, overwrite rows, merge small files."""

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake

from corpora.store.merge import same_key_condition
from corpora.store.schema import TableDefinition
from corpora.store.snapshot import sql_literal

# A plan is valid for the version that it was made on: Delta must not move it to a later one.
_NO_REBASE = CommitProperties(max_commit_retries=0)
_WRITER = WriterProperties(compression="ZSTD", compression_level=1)
# Reports name versions; only `vacuum` deletes them.
_RETENTION = "interval 36500 days"


def create_table(uri: str, table: TableDefinition) -> None:
    """Create an empty table unless there is one."""
    DeltaTable.create(
        uri,
        table.schema,
        mode="ignore",
        partition_by=list(table.partition_columns) or None,
        commit_properties=_NO_REBASE,
        configuration={
            "delta.logRetentionDuration": _RETENTION,
            "delta.deletedFileRetentionDuration": _RETENTION,
            # statistics of texts would bloat the log
            "delta.dataSkippingStatsColumns": ",".join(table.key_columns),
        },
    )


def write_plan(table: TableDefinition, stored: DeltaTable, plan: pa.Table) -> None:
    """Apply a plan of `corpora.store.merge` in one commit; write nothing when nothing changes.

    It is an append when every row is new, else a merge.
    """
    rows = plan.filter(pc.not_equal(plan["action"], "keep"))
    if not rows.num_rows:
        return
    if set(pc.unique(rows["action"]).to_pylist()) == {"insert"}:
        write_deltalake(
            stored,
            rows.drop_columns("action").cast(table.schema),
            mode="append",
            writer_properties=_WRITER,
            commit_properties=_NO_REBASE,
        )
        return
    columns = {name: f'i."{name}"' for name in table.schema.names}
    merger = stored.merge(
        rows.cast(table.schema.append(pa.field("action", pa.string()))),
        _join_condition(table, rows),
        source_alias="i",
        target_alias="s",
        writer_properties=_WRITER,
        commit_properties=_NO_REBASE,
    )
    merger = merger.when_matched_delete("i.action = 'delete'")
    merger.when_matched_update(columns).when_not_matched_insert(columns).execute()


def _join_condition(table: TableDefinition, rows: pa.Table) -> str:
    """Return the join of a merge; it lists the partitions that change, so that no other is read."""
    stored_rows = rows.filter(pc.not_equal(rows["action"], "insert"))
    conditions = []
    for column in table.partition_columns:
        values = pc.unique(stored_rows[column]).sort().to_pylist()
        conditions.append(f"s.{column} IN ({', '.join(map(sql_literal, values))})")
    return " AND ".join([*conditions, same_key_condition(table, "s", "i")])


def overwrite_rows(stored: DeltaTable, rows: pa.Table, predicate: str | None) -> None:
    """Put `rows` in place of those that meet the SQL `predicate` (None: of all), in one commit."""
    write_deltalake(
        stored,
        rows,
        mode="overwrite",
        predicate=predicate,
        writer_properties=_WRITER,
        commit_properties=_NO_REBASE,
    )


def merge_small_files(stored: DeltaTable) -> None:
    """Merge the small files of a table into larger ones, in one commit."""
    stored.optimize.compact(writer_properties=_WRITER, commit_properties=_NO_REBASE)
