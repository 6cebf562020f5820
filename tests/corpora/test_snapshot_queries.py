"""Queries that people type: only a SELECT is answered, and no query has a side effect."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from corpora.store.snapshot import Snapshot
from corpora.store.store import Store
from folate.core.errors import FolateError, InputError
from folate.core.post import Post

REFUSED = [
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{file}' (use_tmp_file false)",
    "EXPLAIN ANALYZE COPY posts TO '{new}'",
    "EXPLAIN ANALYZE SELECT 1",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1",
    "COPY (SELECT 1) TO '{file}'",
    "COPY posts TO '{new}' (FORMAT parquet)",
    "COPY posts FROM '{secret}'",
    "EXPORT DATABASE '{new}'",
    "IMPORT DATABASE '{new}'",
    "WITH x AS (SELECT 1) INSERT INTO posts SELECT * FROM x",
    "WITH x AS (DELETE FROM posts RETURNING *) SELECT * FROM x",
    "INSERT INTO posts VALUES (1)",
    "DELETE FROM posts",
    "UPDATE posts SET id = 'x'",
    "MERGE INTO posts USING posts p ON true WHEN MATCHED THEN DELETE",
    "CREATE TABLE t AS SELECT 1",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW posts AS SELECT 1",
    "CREATE MACRO m() AS 1",
    "DROP VIEW posts",
    "ALTER VIEW posts RENAME TO p",
    "COMMENT ON VIEW posts IS 'x'",
    "TRUNCATE posts",
    "PRAGMA database_list",
    "PRAGMA show_tables",
    "PRAGMA enable_profiling",
    "ATTACH '{new}'",
    "DETACH memory",
    "USE memory",
    "CALL pragma_version()",
    "CALL enable_profiling(save_location := '{new}')",
    "SET threads = 1",
    "SET enable_external_access = true",
    "RESET allowed_paths",
    "SET VARIABLE x = 1",
    "INSTALL httpfs",
    "LOAD httpfs",
    "UPDATE EXTENSIONS",
    "PREPARE a AS SELECT 1",
    "EXECUTE a",
    "DEALLOCATE a",
    "BEGIN",
    "COMMIT",
    "CHECKPOINT",
    "VACUUM",
    "ANALYZE",
    "PIVOT posts ON source USING count(*)",
    "SELECT 1; DROP VIEW posts",
    "SELECT 1; SELECT 2",
    "SELECT 1 --;\n; DROP VIEW posts",
    "",
    ";",
    "-- nothing",
    "SELECT '\ud800'",
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_blob('{secret}')",
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM read_json('{secret}')",
    "SELECT * FROM read_parquet('{folder}/*.parquet')",
    "SELECT * FROM read_duckdb('{new}')",
    "SELECT * FROM parquet_metadata('{secret}')",
    "SELECT * FROM sniff_csv('{secret}')",
    "SELECT * FROM glob('{folder}/*')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM 'https://127.0.0.1:9/x.parquet'",
    "SELECT (SELECT content FROM read_text('{secret}'))",
    "FROM read_text('{secret}')",
    "SELECT * FROM query('COPY (SELECT 1) TO ''{new}''')",
    "SELECT * FROM query('DROP VIEW posts')",
    "SELECT * FROM query_table('{secret}')",
    "SELECT getenv('HOME')",
    "SELECT * FROM sql_auto_complete('SEL')",
    "SELECT * FROM enable_profiling(save_location := '{new}')",
    "SELECT * FROM enable_logging(storage := 'file', storage_path := '{new}')",
    "SELECT * FROM json_execute_serialized_sql('{{}}')",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM python_variable",
]
HARMLESS = [
    "VALUES (1)",
    "FROM posts",
    "TABLE posts",
    "DESCRIBE posts",
    "SUMMARIZE posts",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('posts')",
    "SELECT * FROM checkpoint()",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SELECT write_log('x')",
    "SELECT current_setting('allowed_paths')",
]
python_variable = [1, 2]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("queries")
    (folder / "secret.txt").write_text("secret")
    store = Store(folder / "corpus")
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    store.upsert_posts(
        Post(id=f"论坛:{n}", source="论坛", kind="forum", text="楼", published_at=moment)
        for n in range(50)
    )
    return folder


@pytest.fixture(autouse=True)
def _nothing_is_written(root: Path) -> Iterator[None]:
    before = digests(root)
    yield
    assert digests(root) == before


@pytest.fixture
def snapshot(root: Path) -> Snapshot:
    return Store(root / "corpus").snapshot()


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_hostile_queries_are_refused_and_write_nothing(snapshot: Snapshot, root: Path) -> None:
    file = next((root / "corpus" / "posts").rglob("*.parquet"))
    answered = []
    for query in REFUSED:
        full_query = query.format(
            file=file, new=root / "new", secret=root / "secret.txt", folder=root
        )
        with suppress(FolateError):
            snapshot.explain(full_query)  # some can be explained: nothing of them is run
        for run_query in (snapshot.sql, lambda full_query: list(snapshot.stream(full_query))):
            try:
                run_query(full_query)
            except FolateError as error:
                answered += [query] if "\n" in str(error) else []
            else:
                answered.append(query)
    assert not answered
    assert snapshot.sql("SELECT count(*) AS n FROM posts")["n"].to_pylist() == [50]


@pytest.mark.parametrize("query", HARMLESS)
def test_harmless_queries_change_nothing(snapshot: Snapshot, query: str) -> None:
    snapshot.sql(query)
    assert snapshot.sql("SELECT count(*) AS n FROM posts")["n"].to_pylist() == [50]


def test_explain_shows_the_plan_and_does_not_run_it(root: Path) -> None:
    endless = "SELECT count(*) FROM range(100000000000000)"
    assert "RANGE" in Store(root / "corpus").snapshot(max_query_seconds=60).explain(endless).upper()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM range(100000000000000)",
        "SELECT count(*) FROM posts a, posts b, posts c, posts d, posts e, posts f, posts g, "
        "posts h",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
    ],
)
def test_a_query_without_an_end_is_stopped_with_a_sentence(root: Path, query: str) -> None:
    snapshot = Store(root / "corpus").snapshot(max_query_seconds=0.2)
    with pytest.raises(InputError, match=r"longer than 0\.2 seconds"):
        snapshot.sql(query)
    with pytest.raises(InputError, match=r"longer than 0\.2 seconds"):
        list(snapshot.stream(query))
    assert snapshot.sql("SELECT count(*) AS n FROM posts")["n"].to_pylist() == [50]


def test_a_query_that_holds_too_much_is_stopped_and_spills_nothing(
    root: Path, snapshot: Snapshot
) -> None:
    assert snapshot.sql(
        "SELECT current_setting('temp_directory') AS d, current_setting('memory_limit') AS m"
    ).to_pylist() == [{"d": "", "m": "3.7 GiB"}]


def test_a_subquery_is_never_replaced_within_a_string_literal(snapshot: Snapshot) -> None:
    subquery = "SELECT id FROM posts"
    with snapshot.materialize("ids", subquery):
        row = (
            snapshot.reading_subqueries_from({subquery: "FROM ids"})
            .sql(
                f"SELECT '({subquery})' AS plain, 'it''s ({subquery})' AS quoted, "
                f"(SELECT count(*) FROM ({subquery})) AS n"
            )
            .to_pylist()[0]
        )
    assert row == {"plain": f"({subquery})", "quoted": f"it's ({subquery})", "n": 50}
