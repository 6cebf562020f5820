"""Reports as Markdown, workbook, PDF and JSON: correct numbers, hostile texts, same bytes."""

import json
import re
import shutil
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from openpyxl import Workbook, load_workbook

from corpora.store.snapshot import Snapshot
from folate.core.config import REPORT_LANGUAGES, Campaign, CampaignGoal, Config
from folate.core.errors import MissingExtra
from folate.core.text import printable_text
from folate.core.weeks import Week, last_day
from reports.build import Report, assemble_report
from reports.figures import CHANGE_UNITS, MEASURE_UNITS, Figure
from reports.render import markdown, pdf, xlsx
from reports.render.document import load_report_schema, report_document, to_json
from reports.render.tables import ReportTable, report_tables

HOSTILE = (
    "=cmd|'/c calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\tx",
    "<script>alert(1)</script>",
    "](https://evil.example) ![x](y)",
    "| a | b |",
    "# heading",
    "www.evil.example http://evil.example a@b.c",
    "https://evil.example/",
    "mailto:a@b.c",
    "internal:'x'!A1",
    "{=1+1}",
    "12345",
    "_x0041_",
    "\u202egnp.exe\x00\x1b[31m",
    "`code` **bold** ~~gone~~ &lt;",
    "1. list",
)
READER = MarkdownIt("gfm-like", {"linkify": False})


@pytest.fixture(scope="module", params=REPORT_LANGUAGES)
def report(
    request: pytest.FixtureRequest, snapshot: Snapshot, config: Config, week: Week
) -> Report:
    spring = Campaign(
        id="spring",
        names=("春季",),
        start=week.monday,
        end=last_day(week),
        goals=(CampaignGoal(measure="people", least=0.2),),
    )
    return assemble_report(snapshot, replace(config, campaign=(spring,)), week, request.param)


@pytest.fixture(scope="module")
def hostile(snapshot: Snapshot, config: Config, week: Week) -> Report:
    """A report whose quotes are the texts of HOSTILE."""
    report = assemble_report(snapshot, config, week)
    return replace(with_quotes(report, HOSTILE), project=HOSTILE[0])


def with_quotes(report: Report, texts: Iterable[str]) -> Report:
    """Return the report with these texts as its top posts."""
    post = report.posts[0]
    posts = [replace(post, quote=replace(post.quote, text=text)) for text in texts]
    return replace(report, posts=tuple(posts))


def read_workbook(report: Report) -> Workbook:
    return load_workbook(BytesIO(xlsx.render_workbook(report)))


def test_every_figure_stands_in_the_tables_and_rows_are_even(report: Report) -> None:
    tables = report_tables(report)
    (evidence,) = (table for table in tables if table.id == "evidence")
    assert {cell.id for row in evidence.rows for cell in row if isinstance(cell, Figure)} == {
        figure.id for figure in report.figures
    }
    assert len({table.id for table in tables}) == len(tables)
    assert {"campaigns", "campaign_parts"} <= {table.id for table in tables}
    with pytest.raises(ValueError, match="wanted 2 cells in every row"):
        ReportTable(id="x", title="x", columns=("a", "b"), rows=(("a",),))


def test_markdown_is_read_as_the_tables_it_was_made_of(report: Report) -> None:
    text = markdown.render_markdown(report).decode()
    tokens = READER.parse(text)
    texts = [token.content for token in tokens if token.type == "inline"]
    titles = [markdown.escape_markdown(table.title) for table in report_tables(report)]
    assert [title for title in titles if title not in texts] == []
    wide = [table for table in report_tables(report) if len(table.columns) > 1 and table.rows]
    assert sum(token.type == "tr_open" for token in tokens) == sum(
        len(table.rows) + 1 for table in wide
    )
    assert markdown.render_markdown(report).decode() == text


@given(st.text(max_size=60) | st.sampled_from(HOSTILE))
def test_whatever_it_says_it_is_one_text_of_one_item(text: str) -> None:
    """Parse an escaped string in a list and in a cell: it has no tag, link or column of its own."""
    line = printable_text(" ".join(text.split()))
    item = READER.parse(f"- {markdown.escape_markdown(text)}")
    inside = ["paragraph_open", "inline", "paragraph_close"] if line else []
    assert [token.type for token in item] == [
        "bullet_list_open",
        "list_item_open",
        *inside,
        "list_item_close",
        "bullet_list_close",
    ]
    cells = READER.parse(f"| a | b |\n| --- | --- |\n| x | {markdown.escape_markdown(text)} |")
    assert [token.type for token in cells].count("td_open") == 2
    for tokens in (item, cells):
        inline = [token for token in tokens if token.type == "inline"]
        if line:
            assert {child.type for child in inline[-1].children or ()} <= {"text", "text_special"}
            assert "".join(child.content for child in inline[-1].children or ()) == line


def test_hostile_words_are_words_in_markdown(hostile: Report) -> None:
    page = READER.render(markdown.render_markdown(hostile).decode())
    assert "<script>" not in page
    assert re.findall(r"<(?:a|img)\b", page) == []
    assert "\u202e" not in page


def test_a_workbook_has_a_sheet_a_table_and_the_values_of_the_figures(report: Report) -> None:
    data = xlsx.render_workbook(report)
    book = load_workbook(BytesIO(data))
    assert len(book.sheetnames) == len(report_tables(report))
    assert all(
        len(name) <= 31 and sheet.freeze_panes == "A2"
        for name, sheet in zip(book.sheetnames, book.worksheets, strict=True)
    )
    evidence = book.worksheets[-1]
    values = {
        evidence.cell(row, 1).value: evidence.cell(row, 5).value
        for row in range(2, evidence.max_row + 1)
    }
    for figure in report.figures:
        factor, _ = xlsx.NUMBER_FORMATS[figure.unit]
        assert values[figure.id] == (
            None if figure.value is None else pytest.approx(figure.value * factor)
        )
    share_of_voice = book.worksheets[1]
    link = share_of_voice["B2"].hyperlink.location
    linked_cell = book[link.split("'")[1]][link.split("!")[1]]
    assert linked_cell.value == report.brands[0].figures["authors"].id


def test_the_same_report_gives_the_same_workbook_at_any_time(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = xlsx.render_workbook(report)
    later = time.time() + 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(later))
    assert xlsx.render_workbook(report) == data
    properties = load_workbook(BytesIO(data)).properties
    period_end = report.week.bounds(report.timezone)[1].astimezone(UTC).replace(tzinfo=None)
    assert (properties.created, properties.modified) == (period_end, period_end)
    with ZipFile(BytesIO(data)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_text_that_no_cell_can_hold_is_cut_and_that_is_said(report: Report) -> None:
    limit = xlsx.MAX_CELL_LENGTH
    texts = ["a" * limit, "b" * (limit + 1), "😀" * (limit // 2 + 1), "短"]
    book = read_workbook(with_quotes(report, texts))
    cells = {cell.value for sheet in book for row in sheet.iter_rows() for cell in row}
    assert {
        "a" * limit,
        "b" * (limit - 1) + "…",
        "😀" * ((limit - 1) // 2) + "…",
        "短",
    } <= cells
    assert book.properties.description == "2 texts were cut to 32,767 characters."
    assert not read_workbook(report).properties.description


def test_a_sheet_has_no_more_links_than_excel_reads_and_that_is_said(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx, "MAX_SHEET_LINKS", 5)
    book = read_workbook(report)
    for sheet in book.worksheets[:-1]:
        cells = [cell for row in sheet.iter_rows() for cell in row]
        assert sum(cell.hyperlink is not None for cell in cells) <= 5
    assert re.fullmatch(
        r"\d+ numbers have no link: a sheet can have 5 links\.", book.properties.description
    )


def test_names_of_sheets_are_those_that_excel_allows() -> None:
    titles = ["a" * 40, "A" * 40, "x/y:[z]*?\\'", "'", "'q'", "话" * 40, ""]
    names = xlsx._create_sheet_titles(titles)
    assert len({name.casefold() for name in names}) == len(titles)
    assert all(0 < len(name) <= 31 and not re.search(r"[\[\]:*?/\\\']", name) for name in names)


def test_every_unit_has_a_number_format() -> None:
    assert set(xlsx.NUMBER_FORMATS) == {*MEASURE_UNITS.values(), *CHANGE_UNITS.values()}


def test_no_cell_of_a_workbook_is_a_formula(hostile: Report) -> None:
    book = read_workbook(hostile)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr", "n", "d"}
    assert not any(cell.hyperlink and cell.hyperlink.target for cell in cells)
    cells_by_text = {cell.value: cell for cell in cells if isinstance(cell.value, str)}
    for text in HOSTILE:
        cell = cells_by_text[printable_text(text)]
        assert cell.quotePrefix
        assert cell.hyperlink is None


def test_chinese_columns_are_wide_enough(report: Report) -> None:
    book = read_workbook(report)
    (sources,) = (
        sheet
        for sheet, table in zip(book, report_tables(report), strict=True)
        if table.id == "sources"
    )
    for column in sources.columns:
        widest = max(
            len(str(cell.value).encode("gbk", "replace"))
            for cell in column
            if isinstance(cell.value, str)
        )
        assert sources.column_dimensions[column[0].column_letter].width >= min(widest, 60)


def test_the_document_keeps_its_published_schema(report: Report) -> None:
    validator = jsonschema.Draft202012Validator(load_report_schema())
    validator.check_schema(load_report_schema())
    assert list(validator.iter_errors(json.loads(to_json(report)))) == []
    invalid: dict[str, Any] = report_document(report) | {"week_posts": {"value": 1}}
    assert list(validator.iter_errors(invalid))


def test_every_field_of_the_document_is_in_the_schema(report: Report) -> None:
    described = set(load_report_schema()["properties"])
    # written where folate.toml has saved queries
    assert set(json.loads(to_json(report))) == described - {"saved_queries"}
    assert set(report_document(report)["brands"][0]) == set(
        load_report_schema()["properties"]["brands"]["items"]["properties"]
    )


def test_without_a_browser_one_sentence_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(pdf, "BROWSER_PATHS", ())
    with pytest.raises(MissingExtra, match="apt install chromium"):
        pdf.print_page(tmp_path / "page.html", tmp_path / "page.pdf")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("echo went wrong >&2; exit 3", "did not print .*: went wrong"),
        ("exit 0", "exit code 0"),
        ("sleep 9", "within 0 seconds"),
    ],
)
def test_a_browser_that_fails_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, problem: str
) -> None:
    program = tmp_path / "chromium"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(program))
    monkeypatch.setattr(pdf, "TIMEOUT_SECONDS", 0.3)
    with pytest.raises(pdf.PrintError, match=problem):
        pdf.print_page(tmp_path / "page.html", tmp_path / "page.pdf")
    assert not (tmp_path / "page.pdf").exists()


@pytest.mark.slow
@pytest.mark.skipif(not any(map(shutil.which, pdf.BROWSER_NAMES)), reason="no Chromium here")
def test_a_page_becomes_a_pdf(tmp_path: Path) -> None:
    page = tmp_path / "页 1.html"
    page.write_text(
        "<!doctype html><title>x</title><p>叶酸<script>document.title = 'ran'</script>",
        encoding="utf-8",
    )
    pdf.print_page(page, tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF-")
