"""CSV: every reader gets the rows back, and no spreadsheet runs a cell."""

import csv
import io
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from folate.core.spreadsheet import CsvWriter, csv_cell, escape_formula


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1", "'=1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@a", "'@a"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r'=1"),
        ("＝1", "'＝1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠a", "'＠a"),
        ("  =1", "'  =1"),
        ("\u3000=1", "'\u3000=1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("\u200b\u2060=1", "'\u200b\u2060=1"),
        ("\x00=1", "'\x00=1"),
        ("harmless\r=cmd|' /C calc'!A0", "harmless\r'=cmd|' /C calc'!A0"),
        ("a\n-1\r\n+2", "a\n'-1\r\n'+2"),
        ("a=1", "a=1"),
        ("a -1", "a -1"),
        ("'=1", "'=1"),
        ("", ""),
        ("好 = 不好", "好 = 不好"),
    ],
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str, written: str) -> None:
    assert escape_formula(text) == written


def test_numbers_stay_numbers_and_lists_are_json() -> None:
    assert [csv_cell(value) for value in (-0.3, -5, None, True)] == [-0.3, -5, None, True]
    assert csv_cell(["-a", "\n=b"]) == '["-a", "\\n=b"]'
    assert csv_cell("-0.3") == "'-0.3"


def written(rows: list[list[object]]) -> str:
    out = io.StringIO()
    writer = CsvWriter(out)
    for row in rows:
        writer.write_row(row)
    return out.getvalue()


def test_a_line_ends_with_a_line_feed_and_a_bare_return_is_quoted() -> None:
    assert written([["a\rb", 1], ["c", 2]]) == '"a\rb",1\nc,2\n'


CELLS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1
) | st.sampled_from(
    [
        "a\rb",
        "a\r\nb",
        "\r",
        "\n",
        '"',
        '""',
        ",",
        "a,b\r=1",
        " a ",
        "'",
        "\ufeff",
        "x\u2028y",
        "\x0b",
        "\x1c",
        "NULL",
        "nan",
        "\\",
    ]
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=5))
def test_every_reader_gets_the_rows_back(rows: list[tuple[str, str]], tmp_path: Path) -> None:
    text = written([["first", "second"], *map(list, rows)])
    wanted = [tuple(map(escape_formula, row)) for row in rows]
    assert [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))][1:] == wanted
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode("utf-8-sig"))
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert list(frame.itertuples(index=False, name=None)) == wanted
    with duckdb.connect() as con:
        options = (
            "all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"', "
            "nullstr = '\\0none'"
        )
        assert con.sql(f"FROM read_csv('{path}', {options})").fetchall() == wanted
