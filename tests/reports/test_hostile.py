"""Names and texts with markup, formulas and control characters, in every form of a report."""

import email
import json
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from lxml import html as lxml_html
from openpyxl import load_workbook

from folate.core.config import Brand, Config, SmtpConfig, Source
from folate.core.weeks import Week
from folate.delivery.mail import compose_mail
from reports.build import Report, assemble_report
from reports.render import markdown, xlsx
from reports.render.document import to_json
from reports.render.email import compose_report_email
from reports.render.html import render_html

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></svg><svg onload=alert(1)>",
    "\u202egnp.exe\u2066",
    '=cmd|"/c calc"!A1',
    "@SUM(1+1)",
    "[click](javascript:alert(1)) ![x](http://evil/x.png)",
    "# heading | cell | `code`",
    "=?utf-8?q?=0D=0ABcc=3A_e=40x?=",
    "line\r\nBcc: everyone@example.org",
    "\x1b[2J\x00",
)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, config: Config, week: Week) -> list[Report]:
    """Reports with each hostile text as project, brand, source, watch word, topic and post."""
    from tests.reports.conftest import Corpus

    corpus = Corpus()
    start = week.bounds(config.timezone)[0]
    for n in range(len(HOSTILE) * 3):
        corpus.add(
            f"禾叶 {HOSTILE[n % len(HOSTILE)]} {n}",
            start + timedelta(hours=n),
            shares=(0.1, 0.2, 0.7),
            likes=n,
            author=f"{n:016x}",
        )
    row = {
        "week": str(week),
        "id": "t",
        "state": "new",
        "terms": list(HOSTILE),
        "posts": 9,
        "authors": 9,
        "q": 0.01,
        "watched": False,
    }
    labels = {
        "label_zh": HOSTILE[0],
        "label_en": HOSTILE[6],
        "sources": [HOSTILE[4]],
        "evidence": ["weiba:0", "weiba:3", "weiba:5"],
    }
    corpus.tables["topics"].append(row | labels | {"detail": json.dumps({"rank": 0, "gain": 3.0})})
    own_brand = Brand(id="heye", names=(HOSTILE[0],), own=True)
    competitors = [Brand(id=f"b{n}", names=(text,)) for n, text in enumerate(HOSTILE)]
    config = replace(
        config,
        name=" ".join(HOSTILE),
        watch=HOSTILE,
        segments=(),
        brands=(own_brand, *competitors),
        sources=(Source(name=HOSTILE[3], spider="forum", start=()),),
    )
    snapshot = corpus.seek(tmp_path_factory.mktemp("hostile"), config, week)
    return [assemble_report(snapshot, config, week, language) for language in ("zh", "en")]


def test_a_page_has_no_script_no_handler_and_no_address_but_of_the_web(
    reports: list[Report],
) -> None:
    for report in reports:
        page = lxml_html.fromstring(render_html(report))
        assert (
            page.xpath("//script | //img | //iframe | //object | //embed | //base | //form") == []
        )
        attributes = {str(name).lower() for element in page.iter() for name in element.attrib}
        assert not any(name.startswith("on") for name in attributes)
        assert not any(link.split(":")[0] == "javascript" for link in page.xpath("//@href"))
        assert "\x1b" not in page.text_content()
        assert any("<script>alert(1)</script>" in text for text in page.xpath("//bdi/text()"))


def test_markdown_has_its_own_headings_and_no_links_or_tags(reports: list[Report]) -> None:
    from markdown_it import MarkdownIt

    for report in reports:
        tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(
            markdown.render_markdown(report).decode()
        )
        token_types = {token.type for token in tokens}
        for token in tokens:
            token_types.update(child.type for child in token.children or ())
        assert token_types.isdisjoint(
            {"html_block", "html_inline", "link_open", "image", "code_inline", "fence"}
        )
        headings = [token for token in tokens if token.type == "heading_open"]
        assert [heading.tag for heading in headings].count("h1") == 1


def test_a_workbook_has_no_formula_and_no_link_out(reports: list[Report]) -> None:
    for report in reports:
        book = load_workbook(BytesIO(xlsx.render_workbook(report)))
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert not any(cell.data_type == "f" for cell in cells)
        assert not any(cell.hyperlink and cell.hyperlink.target for cell in cells)


def test_a_letter_and_its_mail_keep_to_their_headers(reports: list[Report]) -> None:
    smtp = SmtpConfig(host="h", sender="f@example.org")
    for report in reports:
        report_mail = compose_report_email(json.loads(to_json(report)))
        body = lxml_html.fromstring(report_mail.html)
        assert body.xpath("//script | //img | //svg | //a") == []
        assert "\u202e" not in report_mail.text
        composed = compose_mail(smtp, "a@example.org", "e", report_mail.subject, report_mail.text)
        mail = email.message_from_bytes(composed.as_bytes())
        assert mail.keys() == [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "Content-Type",
            "Content-Transfer-Encoding",
            "MIME-Version",
        ]


def test_the_json_says_what_was_there(reports: list[Report]) -> None:
    for report in reports:
        document: dict[str, Any] = json.loads(to_json(report))
        assert document["project"] == " ".join(HOSTILE)
        assert [brand["label"] for brand in document["brands"][1:]] == list(HOSTILE)
