"""Saved queries in a report: figures that `folate count` gives, changes, and failures in place."""

import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openpyxl import load_workbook

from corpora.corpus import Corpus
from corpora.index.versions import version_name
from corpora.store.snapshot import Snapshot
from corpora.store.store import STORE_FOLDER, Store
from folate.core.config import Config
from folate.core.errors import StoreError
from folate.core.weeks import Week
from reports.build import Report, assemble_report
from reports.evidence import explain_evidence
from reports.render import markdown, xlsx
from reports.render.document import load_report_schema, report_document, to_json
from reports.render.html import render_html
from reports.sections.saved_queries import RATE_MEASURE, WEEK_MEASURES, SavedQuery
from tests.reports.conftest import BRANDS
from tests.reports.conftest import Corpus as Rows

QUERIES = {
    "folate": '叶酸 OR "folic acid"',
    "ours": "brand:heye -is:duplicate",
    "leaks": "@stale OR 漏了",
    "stale": "stale",
    "nobody": "brand:nobody",
    "broken": '"a" [',
    "hostile": '"<script>alert(1)</script>"',
}
ANSWERED = ("folate", "ours", "leaks", "stale", "hostile")


@pytest.fixture(scope="module")
def project(corpus: Rows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    brands = "".join(
        f"[[brands]]\nid = {json.dumps(brand.id)}\nnames = {json.dumps(list(brand.names))}\n"
        for brand in BRANDS
    )
    queries = "".join(f"{name} = {json.dumps(text)}\n" for name, text in QUERIES.items())
    toml = f'name = "test"\ntimezone = "Asia/Shanghai"\n{brands}[queries]\n{queries}'
    (folder / "folate.toml").write_text(toml, encoding="utf-8")
    corpus.snapshot(folder / "corpus")
    return folder


@pytest.fixture(scope="module")
def opened(project: Path) -> Corpus:
    return Corpus.open(project)


@pytest.fixture(scope="module")
def asked_config(config: Config) -> Config:
    return replace(config, queries=QUERIES)


@pytest.fixture(scope="module")
def asked(opened: Corpus, asked_config: Config, week: Week) -> Report:
    return assemble_report(opened.snapshot, asked_config, week, open_corpus=lambda: opened)


def saved_query(report: Report, name: str) -> SavedQuery:
    return next(query for query in report.saved_queries if query.name == name)


def test_figures_are_those_that_a_count_gives(asked: Report, opened: Corpus) -> None:
    for name in ANSWERED:
        query = saved_query(asked, name)
        assert tuple(query.figures) == WEEK_MEASURES
        posts, authors, hits, rate = query.figures.values()
        [row] = opened.count(posts.query)
        assert [figure.value for figure in (posts, authors, hits)] == [
            row["posts"],
            row["authors"],
            row["hits"],
        ]
        if name != "ours":
            assert rate.value == pytest.approx(row["per_million"], abs=0.001)
        assert posts.query.endswith(" week:2026-W10")
        assert len(query.trend) == 8
        assert query.trend[-1] == rate


def test_a_query_of_metadata_is_compared_with_all_posts(asked: Report, opened: Corpus) -> None:
    rate = saved_query(asked, "ours").figures[RATE_MEASURE]
    [everything] = opened.count("week:2026-W10")
    [ours] = opened.count("brand:heye -is:duplicate week:2026-W10")
    assert rate.value == pytest.approx(1e6 * ours["posts"] / everything["posts"], abs=0.001)


def test_a_planted_rise_has_an_arrow_and_noise_has_none(asked: Report) -> None:
    rise = saved_query(asked, "ours").changes[RATE_MEASURE]
    assert rise.direction == "up"
    assert rise.figure.query == "brand:heye -is:duplicate week:2026-W09..2026-W10"
    assert saved_query(asked, "leaks").changes[RATE_MEASURE].direction == "none"


def test_a_query_of_few_people_has_neither_interval_nor_change(asked: Report) -> None:
    folate = saved_query(asked, "folate")
    assert folate.changes == {}
    assert (folate.trend[0].value, folate.trend[0].low, folate.trend[0].flags) == (
        0,
        None,
        ("few",),
    )


def test_a_query_that_fails_says_so_and_the_rest_is_as_without_it(asked: Report) -> None:
    nobody = saved_query(asked, "nobody")
    assert "no brand 'nobody'" in nobody.problem
    assert (nobody.figures, nobody.changes, nobody.trend) == ({}, {}, ())
    assert "bracket" in saved_query(asked, "broken").problem
    assert "Could not be answered: " in render_html(asked)


def test_a_corpus_that_fails_is_said_for_every_query(
    snapshot: Snapshot, asked_config: Config, week: Week
) -> None:
    def fail() -> Corpus:
        raise StoreError("the index can't be built.")

    report = assemble_report(snapshot, asked_config, week, open_corpus=fail)
    assert {query.problem for query in report.saved_queries} == {"the index can't be built."}
    assert [query.name for query in report.saved_queries] == list(QUERIES)


def test_without_saved_queries_nothing_changes(
    snapshot: Snapshot, config: Config, week: Week, opened: Corpus
) -> None:
    plain = assemble_report(snapshot, config, week)
    same = assemble_report(snapshot, config, week, open_corpus=lambda: opened)
    assert to_json(same) == to_json(plain)
    assert "saved_queries" not in report_document(plain)
    assert 'id="saved"' not in render_html(plain)


def test_the_same_versions_give_the_same_bytes(
    asked: Report, project: Path, asked_config: Config, week: Week
) -> None:
    again = Corpus.open(project, version_name(asked.versions))
    pinned = Store(project / STORE_FOLDER).snapshot(asked.versions)
    report = assemble_report(pinned, asked_config, week, open_corpus=lambda: again)
    assert to_json(report) == to_json(asked)
    assert render_html(report) == render_html(asked)


def test_every_form_shows_them(asked: Report, parse: Callable[[str], Any]) -> None:
    tree = parse(render_html(asked))
    assert len(tree.xpath("//section[@id='saved']//article")) == len(QUERIES)
    assert len(tree.xpath("//section[@id='saved']//*[name()='svg']")) == len(ANSWERED)
    assert not tree.xpath("//script")
    text = markdown.render_markdown(asked).decode()
    assert "Saved queries" in text
    assert "Hits per million by week" in text
    titles = load_workbook(BytesIO(xlsx.render_workbook(asked))).sheetnames
    assert {"Saved queries", "Hits per million by week"} <= set(titles)
    jsonschema.validate(json.loads(to_json(asked)), load_report_schema())


def test_evidence_says_how_to_ask_again(asked: Report, opened: Corpus) -> None:
    figure = saved_query(asked, "folate").figures["saved_posts"]
    [row] = [row for row in asked.evidence if row["id"] == figure.id]
    assert row["subject"] == "@folate"
    explained = explain_evidence(row, opened.snapshot)
    assert f"folate count QUERY --at {opened.version}" in explained
    assert '(叶酸 OR "folic acid") week:2026-W10' in explained
    assert len(row["posts"]) == 18
