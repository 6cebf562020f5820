"""The index of all weeks: its links, the files that it ignores, and hostile texts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora.store.snapshot import Snapshot
from folate.core.config import REPORT_LANGUAGES, Config
from folate.core.weeks import Week
from reports.build import assemble_report
from reports.render.document import report_document, to_json
from reports.render.email import compose_report_email
from reports.render.html import render_html
from reports.render.index import write_index


@pytest.fixture(scope="module")
def folder(
    snapshot: Snapshot, config: Config, week: Week, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the reports of two weeks, and files that are no reports."""
    folder = tmp_path_factory.mktemp("reports")
    for report_week in (week, week - 1):
        report = assemble_report(snapshot, config, report_week)
        (folder / f"{report_week}.json").write_text(to_json(report), encoding="utf-8")
        (folder / f"{report_week}.html").write_text(render_html(report), encoding="utf-8")
    for name, text in (
        ("other.json", "[]"),
        ("broken.json", "{"),
        ("2026-W01.json", '{"schema": "folate-report/1"}'),
    ):
        (folder / name).write_text(text)
        (folder / name).with_suffix(".html").write_text("")
    # A report without its page.
    document = (folder / f"{week}.json").read_text(encoding="utf-8")
    (folder / "2026-W02.json").write_text(document, encoding="utf-8")
    return folder


@pytest.mark.parametrize("language", REPORT_LANGUAGES)
def test_every_week_newest_first_with_its_sentence_figures_and_links(
    folder: Path, language: str, parse: Callable[[str], Any], week: Week
) -> None:
    tree = parse(write_index(folder, language).read_text(encoding="utf-8"))
    assert tree.xpath("//h2/a/@href") == [f"{week}.html", f"{week - 1}.html"]
    for item, report_week in zip(tree.xpath("//ol/li"), (week, week - 1), strict=True):
        report = json.loads((folder / f"{report_week}.json").read_text(encoding="utf-8"))
        assert report["summary"][0]["text"] in item.text_content()
        links = item.xpath(".//a[@class='n']/@href")
        page = parse((folder / f"{report_week}.html").read_text(encoding="utf-8"))
        assert {link.partition("#")[0] for link in links} == {f"{report_week}.html"}
        assert {link.partition("#")[2] for link in links} <= set(page.xpath("//@id"))
        own_brand = report["brands"][0]
        assert (
            f"{report_week}.html#e-{own_brand['measures']['share_of_voice']['evidence']}" in links
        )
        arrows = [
            own_brand["changes"][name]["direction"]
            for name in ("share_of_voice", "net_sentiment_polar", "authors")
        ]
        assert [item.text_content().count(arrow) for arrow in "▲▼"] == [
            arrows.count("up"),
            arrows.count("down"),
        ]


def test_nothing_is_fetched_and_nothing_runs(folder: Path, parse: Callable[[str], Any]) -> None:
    page = write_index(folder, "en").read_text(encoding="utf-8")
    tree = parse(page)
    assert tree.xpath("//script | //img | //link | //@src | //@onload") == []
    assert "default-src 'none'" in tree.xpath("string(//meta[@http-equiv]/@content)")
    assert write_index(folder, "en").read_text(encoding="utf-8") == page


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    assert "No report has been written yet." in write_index(tmp_path, "en").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("language", REPORT_LANGUAGES)
def test_a_hostile_report_stays_words_in_index_and_letter(
    snapshot: Snapshot,
    config: Config,
    week: Week,
    language: str,
    tmp_path: Path,
    parse: Callable[[str], Any],
) -> None:
    hostile = "<script>alert(1)</script>\u202e\r\nBcc: x@y.z"
    document = report_document(assemble_report(snapshot, config, week, language))
    document["project"] = document["brands"][0]["label"] = document["summary"][0]["text"] = hostile
    document["partial_until"] = document["starts"]
    (tmp_path / f"{week}.json").write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / f"{week}.html").touch()
    page = write_index(tmp_path, language).read_text(encoding="utf-8")
    mail = compose_report_email(document)
    for text in (page, mail.html):
        assert parse(text).xpath("//script") == []
    assert parse(page).xpath("count(//*[@class='chip partial'])") == 1
    assert "\u202e" not in mail.text + mail.html + mail.subject
    assert "\n" not in mail.subject
    assert mail.text.count("\n- ") == len(document["summary"])
