"""Files made to exhaust the machine, and files of another type than their name; with low bounds."""

import gzip
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.files import ImportOptions, Reject, bounds, read_post_file
from folate.cli import run_command
from folate.core.errors import InputError
from folate.core.post import Post

GOOD = {"text": "好", "published_at": "2026-03-02"}


def take(path: Path) -> tuple[list[Post], list[Reject], str]:
    """The posts and rejects of a file, and why it could not be read to its end."""
    posts, rejects = [], []
    try:
        for item in read_post_file(
            path, ImportOptions(source="s", now=datetime(2026, 3, 10, tzinfo=UTC))
        ):
            posts.append(item) if isinstance(item, Post) else rejects.append(item)
    except InputError as error:
        return posts, rejects, str(error)
    return posts, rejects, ""


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def parquet(folder: Path, columns: dict[str, Any]) -> Path:
    pq.write_table(pa.table(columns), folder / "a.parquet")
    return folder / "a.parquet"


class TestText:
    def test_a_line_longer_than_is_read_costs_its_row(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bounds, "MAX_ROW_CHARACTERS", 1000)
        long = "长" * 5000
        for name, lines in (
            ("a.csv", ["text,published_at", "a,2026-03-02", f"{long},2026-03-02", "b,2026-03-02"]),
            ("a.jsonl", [json.dumps(GOOD | {"text": text}) for text in ("", "a", long, "b")]),
        ):
            posts, rejects, problem = take(write(tmp_path, name, "\n".join(lines)))
            assert ([post.text for post in posts], problem) == (["a", "b"], "")
            assert [(reject.row, reject.reason) for reject in rejects][-1] == (3, "too long")

    def test_a_cell_longer_than_is_read_costs_its_row(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bounds, "MAX_CELL_CHARACTERS", 100)
        posts, rejects, _ = take(
            write(
                tmp_path,
                "a.csv",
                f"text,published_at\n{'a' * 101},2026-03-02\n{'a' * 100},2026-03-02\n",
            )
        )
        assert ([len(post.text) for post in posts], [reject.reason for reject in rejects]) == (
            [100],
            ["too long"],
        )
        assert rejects[0].values == {}

    @pytest.mark.parametrize(
        ("header", "words"),
        [
            ("a" * 2000, "at most 1,000 characters in the row of column names"),
            (",".join(f"c{n}" for n in range(200)), "at most 100 columns, got 200"),
            ("text,published_at," + "a" * 500, "column names, of at most 200 characters"),
        ],
    )
    def test_a_header_longer_than_is_read_is_told(
        self, tmp_path: Path, header: str, words: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in (
            ("MAX_ROW_CHARACTERS", 1000),
            ("MAX_COLUMNS", 100),
            ("MAX_COLUMN_NAME_CHARACTERS", 200),
        ):
            monkeypatch.setattr(bounds, name, value)
        _, _, problem = take(write(tmp_path, "a.csv", f"{header}\na,2026-03-02\n"))
        assert words in problem

    def test_keys_without_end_are_told_and_those_of_one_line_cost_that_line(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bounds, "MAX_COLUMNS", 100)
        wide_row = json.dumps({f"k{n}": n for n in range(200)})
        posts, rejects, problem = take(
            write(tmp_path, "a.jsonl", f"{json.dumps(GOOD)}\n{wide_row}\n")
        )
        assert (len(posts), [reject.reason for reject in rejects], problem) == (1, ["too long"], "")
        *_, problem = take(
            write(tmp_path, "a.jsonl", "\n".join(json.dumps({f"k{n}": n}) for n in range(200)))
        )
        assert "at most 100 names of columns, got more by line 101" in problem

    @pytest.mark.parametrize(
        ("bound", "words"), [("MAX_ROWS", "at most 50 rows"), ("MAX_LINES", "at most 50 lines")]
    )
    def test_rows_before_a_bound_are_taken(
        self, tmp_path: Path, bound: str, words: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bounds, bound, 50)
        rows = "".join(f"{n},2026-03-02\n" for n in range(99))
        posts, _, problem = take(write(tmp_path, "a.csv", f"text,published_at\n{rows}"))
        assert words in problem
        assert problem.endswith("rows before it are taken.")
        assert len(posts) in (49, 50)

    def test_bytes_without_end_are_told(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bounds, "MAX_FILE_BYTES", 500_000)
        text = "text,published_at\n" + "".join(f"{n},2026-03-02\n" for n in range(99_999))
        for path in (
            write(tmp_path, "a.csv", text),
            write(tmp_path, "a.csv.gz", gzip.compress(text.encode())),
        ):
            posts, _, problem = take(path)
            assert "at most 500,000 bytes, unpacked, got more; rows before it are taken" in problem
            assert 10_000 < len(posts) < 99_999

    def test_names_of_sources_without_end_cost_their_rows(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bounds, "MAX_SOURCES", 3)
        rows = "".join(f"t{n},2026-03-02,source{n % 5}\n" for n in range(10))
        posts, rejects, _ = take(write(tmp_path, "a.csv", f"text,published_at,source\n{rows}"))
        assert {post.source for post in posts} == {"source0", "source1", "source2"}
        assert [reject.reason for reject in rejects] == ["too many sources"] * 4
        assert "--source" in rejects[0].detail

    def test_a_long_cell_is_no_date(self, tmp_path: Path) -> None:
        spaces = "2026-" + " " * 500_000 + "x"
        _, rejects, _ = take(write(tmp_path, "a.csv", f"text,published_at\na,{spaces}\n"))
        assert [reject.reason for reject in rejects] == ["unreadable date"]

    def test_rejected_rows_do_not_fill_the_disk(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr("folate.pipeline.rejects.MAX_REJECT_CHARACTERS", 5000)
        (tmp_path / "folate.toml").write_text('name = "p"\n')
        path = write(tmp_path, "a.csv", "text,published_at\n" + "a,soon\n" * 1000)
        assert (
            run_command(["import", str(path), "--project", str(tmp_path), "--format", "jsonl"]) == 3
        )
        output = capsys.readouterr()
        assert json.loads(output.out)["rejected"] == 1000
        assert "only the first 5,000 characters are kept" in output.err
        assert (tmp_path / "rejects" / "a.csv.jsonl").stat().st_size < 6000

    @pytest.mark.parametrize("levels", [99, 101, 400, 490, 600, 800, 980, 3000, 100_000])
    @pytest.mark.parametrize("fault", ["soon", "2026-03-02"])
    def test_a_deep_row_is_a_reject_of_its_own(
        self, tmp_path: Path, levels: int, fault: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "folate.toml").write_text('name = "p"\n')
        nested = "[" * levels + "]" * levels
        deep = f'{{"published_at": "{fault}", "text": {nested}}}'
        path = write(
            tmp_path,
            "a.jsonl",
            f"{json.dumps(GOOD)}\n{deep}\n" + '{"text": "a", "published_at": "soon"}',
        )
        assert (
            run_command(["import", str(path), "--project", str(tmp_path), "--format", "jsonl"]) == 0
        )
        counts = json.loads(capsys.readouterr().out)
        assert (counts["added"], counts["rejected"]) == (1, 2)
        assert len((tmp_path / "rejects" / "a.jsonl.jsonl").read_text().splitlines()) == 2


class TestPacked:
    ROWS = "text,published_at\n" + "".join(f"t{n},2026-03-02\n" for n in range(300))

    @pytest.mark.parametrize("kind", ["csv", "jsonl"])
    @pytest.mark.parametrize(
        "damage",
        [
            lambda packed: packed[:-20],
            lambda packed: packed[: len(packed) // 2],
            lambda packed: packed + b"garbage",
            lambda packed: packed[:-8] + b"\0" * 8,
            lambda packed: packed + packed[:15],
        ],
    )
    def test_rows_before_a_break_are_taken(
        self, tmp_path: Path, kind: str, damage: Callable[[bytes], bytes]
    ) -> None:
        lines = "\n".join(json.dumps(GOOD | {"text": f"t{n}"}) for n in range(300))
        text = self.ROWS if kind == "csv" else lines
        posts, _, problem = take(
            write(tmp_path, f"a.{kind}.gz", damage(gzip.compress(text.encode())))
        )
        assert "can't be read after row" in problem
        assert problem.endswith("rows before it are taken.")
        assert len(posts) > 50

    @pytest.mark.parametrize("after", [b"", b"\0" * 1000])
    def test_members_in_a_row_and_zeros_after_them_are_fine(
        self, tmp_path: Path, after: bytes
    ) -> None:
        half = len(self.ROWS) // 2
        packed = (
            gzip.compress(self.ROWS[:half].encode())
            + gzip.compress(self.ROWS[half:].encode())
            + after
        )
        posts, rejects, problem = take(write(tmp_path, "a.csv.gz", packed))
        assert (len(posts), rejects, problem) == (300, [], "")

    def test_an_import_keeps_and_tells_what_came_before_a_break(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "folate.toml").write_text('name = "p"\n')
        path = write(tmp_path, "a.csv.gz", gzip.compress(self.ROWS.encode()) + b"garbage")
        assert (
            run_command(["import", str(path), "--project", str(tmp_path), "--format", "jsonl"]) == 3
        )
        output = capsys.readouterr()
        row = json.loads(output.out)
        assert (row["added"], row["rejected"]) == (300, 0)
        assert output.err == f"folate: {row['problem']}\n"
        assert run_command(["export", "posts", "--project", str(tmp_path)]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 300


class TestKinds:
    """A file that is not what its name says is named for what it is."""

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("a.csv", b"PAR1....", "a Parquet file"),
            ("a.jsonl", b"\x1f\x8b\x08\0", "packed with gzip"),
            ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old kind"),
            ("a.csv", b"%PDF-1.7", "a PDF"),
            ("a.csv", b"\xef\xbb\xbf\n<!DOCTYPE HTML><html>", "a web page"),
            ("a.csv", b'{"text": "a"}\n', "JSON lines"),
            ("a.csv", b'[{"text": "a"}]', "a list in JSON"),
            ("a.csv.gz", b"text,published_at\n", "not packed with gzip but plain text"),
            ("a.csv.gz", b"PK\3\4....", "not packed with gzip but a zip archive"),
            ("a.jsonl.gz", gzip.compress(b"PAR1....", mtime=0), "a Parquet file"),
            ("a.xlsx", b"text,published_at\n", "a text"),
            ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "with a password"),
            ("a.xlsx", b"<html>", "a web page"),
            ("a.parquet", b"PK\3\4", "a zip archive or an Excel workbook"),
            ("a.parquet", b"ARROW1\0\0", "an Arrow or Feather file"),
            ("a.xlsx.gz", gzip.compress(b"PK\3\4", mtime=0), "name ends in"),
            ("a.xls", b"\xd0\xcf\x11\xe0", "name ends in"),
        ],
    )
    def test_it_is_named(self, tmp_path: Path, name: str, content: bytes, words: str) -> None:
        posts, rejects, problem = take(write(tmp_path, name, content))
        assert (posts, rejects) == ([], [])
        assert words in problem
        assert problem.count("\n") == 0


class TestParquet:
    @pytest.mark.parametrize(
        ("column", "text"),
        [
            (pa.array([Decimal("1.50")]), "1.50"),
            (pa.array([7], pa.uint64()), "7"),
            (pa.array(["文"]).cast(pa.binary()), "文"),
            (pa.array(["文"]).dictionary_encode(), "文"),
            (pa.array(["文"], pa.large_string()), "文"),
            (pa.array([True]), "True"),
        ],
    )
    def test_types_that_are_texts_after_all(
        self, tmp_path: Path, column: pa.Array, text: str
    ) -> None:
        posts, rejects, problem = take(
            parquet(tmp_path, {"text": column, "published_at": pa.array(["2026-03-02"])})
        )
        assert ([post.text for post in posts], rejects, problem) == ([text], [], "")

    @pytest.mark.parametrize(
        "column",
        [
            pa.array([["a"]]),
            pa.array([{"a": 1}]),
            pa.array([[("a", "b")]], pa.map_(pa.string(), pa.string())),
            pa.array([b"\xff\0"]),
            pa.array([2**50], pa.timestamp("ms")),
            pa.array([2**30], pa.date32()),
            pa.array([1], pa.timestamp("s", tz="No/Where")),
        ],
    )
    def test_types_that_are_none_cost_their_rows(self, tmp_path: Path, column: pa.Array) -> None:
        posts, rejects, problem = take(
            parquet(tmp_path, {"text": column, "published_at": pa.array(["2026-03-02"])})
        )
        assert (posts, problem) == ([], "")
        assert [reject.reason for reject in rejects] in (["unreadable value"], ["unreadable row"])

    def test_one_text_of_many_rows_is_not_multiplied(self, tmp_path: Path) -> None:
        texts = pa.DictionaryArray.from_arrays(
            pa.array([0] * 20_000, pa.int32()), pa.array(["a" * 900_000])
        )
        path = parquet(tmp_path, {"text": texts, "published_at": pa.array(["2026-03-02"] * 20_000)})
        assert path.stat().st_size < 100_000
        items = [
            item
            for _, item in zip(
                range(50), read_post_file(path, ImportOptions(source="s")), strict=False
            )
        ]
        assert sum(isinstance(item, Post) for item in items) == 1

    def test_a_row_longer_than_is_read_costs_itself(self, tmp_path: Path) -> None:
        texts = ["a", "b" * 20_000_000, "c"]
        posts, rejects, _ = take(
            parquet(tmp_path, {"text": texts, "published_at": ["2026-03-02"] * 3})
        )
        assert (
            [post.text for post in posts],
            [(reject.row, reject.reason) for reject in rejects],
        ) == (["a", "c"], [(2, "too long")])

    def test_a_page_that_unpacks_to_more_than_memory_is_told(self, tmp_path: Path) -> None:
        texts = pa.array(["a" * 2**30, "b"], pa.large_string())
        pq.write_table(
            pa.table({"text": texts, "published_at": ["2026-03-02"] * 2}),
            tmp_path / "a.parquet",
            compression="zstd",
            use_dictionary=False,
        )
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        posts, rejects, problem = take(tmp_path / "a.parquet")
        assert (posts, rejects) == ([], [])
        assert "memory" in problem
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000

    def test_columns_of_one_name_and_none_at_all(self, tmp_path: Path) -> None:
        table = pa.table([["a"], ["2026-03-02"], ["b"]], names=["text", "published_at", "text"])
        pq.write_table(table, tmp_path / "a.parquet")
        posts, _, _ = take(tmp_path / "a.parquet")
        assert [post.text for post in posts] == ["a"]
        pq.write_table(pa.table({}), tmp_path / "a.parquet")
        assert "is empty" in take(tmp_path / "a.parquet")[2]

    def test_pages_that_are_damaged_are_told(self, tmp_path: Path) -> None:
        path = parquet(
            tmp_path,
            {"text": [f"t{n}" for n in range(5000)], "published_at": ["2026-03-02"] * 5000},
        )
        content = bytearray(path.read_bytes())
        content[100:4000] = bytes(3900)
        path.write_bytes(content)
        assert "can't be read" in take(path)[2]


BOMBS = """
import gzip, sys, zipfile
name = sys.argv[1]
if name.endswith(".gz"):
    with gzip.open(name, "wb", 1) as out:
        out.write(b"text,published_at\\na,2026-03-02\\n")
        for _ in range(128):
            out.write(b"a" * 2**24)
        out.write(b"\\nb,2026-03-02\\n")
else:
    part = name.rpartition("/")[2].removesuffix(".xlsx").replace("-", "/")
    with (
        zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(part, "w", force_zip64=True) as out,
    ):
        out.write(b"<x>")
        for _ in range(128):
            out.write(b"a" * 2**24)
"""


LIMITED = """
import sys
from pathlib import Path
from folate.cli import run_command
code = run_command(sys.argv[1:])
status = Path("/proc/self/status").read_text()
peak = int(status.partition("VmHWM:")[2].split()[0])  # of this process alone
assert peak < 1_500_000, peak  # KB
sys.exit(code)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["a.csv.gz", "[Content_Types].xml.xlsx", "xl-workbook.xml.xlsx", "xl-sharedStrings.xml.xlsx"],
)
def test_two_gigabytes_in_a_few_bytes_are_imported_in_the_memory_of_any_file(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    subprocess.run([sys.executable, "-c", BOMBS, str(path)], check=True)
    (tmp_path / "folate.toml").write_text('name = "p"\n')
    process = subprocess.run(
        [
            *(sys.executable, "-c", LIMITED, "import", str(path)),
            *("--project", str(tmp_path), "--format", "jsonl"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if name == "a.csv.gz":
        counts = json.loads(process.stdout)
        assert (process.returncode, counts["added"], counts["rejected"]) == (0, 2, 1)
    else:
        assert process.returncode == 3
        assert len(process.stderr.splitlines()) == 1
