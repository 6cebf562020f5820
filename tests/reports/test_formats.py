"""The report as Markdown, workbook and PDF: the same numbers, hostile words as words, the same bytes."""

import json
import re
import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from openpyxl import load_workbook

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
    "=cmd|'/c calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\tx", "<script>alert(1)</script>", "](https://evil.example) ![x](y)", "| a | b |",
    "# heading", "www.evil.example http://evil.example a@b.c", "\u202egnp.exe\x00\x1b[31m", "`code` **bold** ~~gone~~ &lt;", "1. list",
)  # fmt: skip
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
    """Every quote of the report is one of HOSTILE."""
    found = assemble_report(snapshot, config, week)
    posts = [
        replace(found.posts[0], quote=replace(found.posts[0].quote, text=text)) for text in HOSTILE
    ]
    return replace(found, posts=tuple(posts), project=HOSTILE[0])


def test_every_figure_stands_in_the_tables_and_rows_are_even(report: Report) -> None:
    found = report_tables(report)
    (evidence,) = (table for table in found if table.id == "evidence")
    assert {cell.id for row in evidence.rows for cell in row if isinstance(cell, Figure)} == {
        figure.id for figure in report.figures
    }
    assert len({table.id for table in found}) == len(found)
    assert {"campaigns", "campaign_parts"} <= {table.id for table in found}
    with pytest.raises(ValueError, match="wanted 2 cells in every row"):
        ReportTable(id="x", title="x", columns=("a", "b"), rows=(("a",),))


def test_markdown_is_read_as_the_tables_it_was_made_of(report: Report) -> None:
    text = markdown.render_markdown(report).decode()
    tokens = READER.parse(text)
    shown = [token.content for token in tokens if token.type == "inline"]
    titles = [markdown.escape_markdown(table.title) for table in report_tables(report)]
    assert [title for title in titles if title not in shown] == []
    wide = [table for table in report_tables(report) if len(table.columns) > 1 and table.rows]
    assert sum(token.type == "tr_open" for token in tokens) == sum(
        len(table.rows) + 1 for table in wide
    )
    assert markdown.render_markdown(report).decode() == text


@given(st.text(max_size=60) | st.sampled_from(HOSTILE))
def test_whatever_it_says_it_is_one_text_of_one_item(text: str) -> None:
    """Rendered and read back, an escaped string is the string, in a list and in a cell: no tag, link, heading or column of its own."""
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
    voice = book.worksheets[1]
    linked = voice["B2"].hyperlink.location
    assert (
        book[linked.split("'")[1]][linked.split("!")[1]].value
        == report.brands[0].figures["authors"].id
    )
    assert xlsx.render_workbook(report) == data


def test_every_unit_has_a_number_format() -> None:
    assert set(xlsx.NUMBER_FORMATS) == {*MEASURE_UNITS.values(), *CHANGE_UNITS.values()}


def test_no_cell_of_a_workbook_is_a_formula(hostile: Report) -> None:
    book = load_workbook(BytesIO(xlsx.render_workbook(hostile)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr", "n", "d"}
    texts = {cell.value: cell for cell in cells if isinstance(cell.value, str)}
    for text in HOSTILE:
        assert texts[printable_text(text)].quotePrefix


def test_chinese_columns_are_wide_enough(report: Report) -> None:
    book = load_workbook(BytesIO(xlsx.render_workbook(report)))
    (posts,) = (
        sheet
        for sheet, table in zip(book, report_tables(report), strict=True)
        if table.id == "sources"
    )
    for column in posts.columns:
        widest = max(
            len(str(cell.value).encode("gbk", "replace"))
            for cell in column
            if isinstance(cell.value, str)
        )
        assert posts.column_dimensions[column[0].column_letter].width >= min(widest, 60)


def test_the_document_keeps_its_published_schema(report: Report) -> None:
    validator = jsonschema.Draft202012Validator(load_report_schema())
    validator.check_schema(load_report_schema())
    assert list(validator.iter_errors(json.loads(to_json(report)))) == []
    wrong: dict[str, Any] = report_document(report) | {"week_posts": {"value": 1}}
    assert list(validator.iter_errors(wrong))


def test_every_field_of_the_document_is_in_the_schema(report: Report) -> None:
    assert set(json.loads(to_json(report))) == set(load_report_schema()["properties"])
    assert set(report_document(report)["brands"][0]) == set(
        load_report_schema()["properties"]["brands"]["items"]["properties"]
    )


def test_without_a_browser_one_sentence_says_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(pdf, "ELSEWHERE", ())
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
    monkeypatch.setattr(pdf, "TIMEOUT", 0.3)
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
