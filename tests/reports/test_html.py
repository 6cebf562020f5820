"""The page: links that lead somewhere, no number without one, nothing fetched, the same bytes twice."""

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from corpora.snapshot import Snapshot
from folate.config import LANGUAGES, Brand, Config
from folate.weeks import Week
from reports import charts
from reports.build import Report, build
from reports.html import render

NOT_A_MEASURE = "//time | //h1 | //bdi | //cite//code | //svg | //style | //tbody//th | //section[@class='method' or @class='evidence']"


@pytest.fixture(scope="module", params=LANGUAGES)
def report(request: pytest.FixtureRequest, snapshot: Snapshot, config: Config, week: Week) -> Report:
    return build(snapshot, config, week, request.param)


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return render(report)


@pytest.fixture
def tree(page: str, parse: Callable[[str], Any]) -> Any:
    return parse(page)


def test_the_same_report_gives_the_same_bytes(report: Report, page: str) -> None:
    assert render(report) == page
    assert len(page.encode()) < 2_000_000


def test_every_number_links_to_its_evidence(tree: Any, report: Report) -> None:
    targets = set(tree.xpath("//article/@id"))
    links = tree.xpath("//a[@class='n']/@href")
    assert len(links) > 80
    assert {link[1:] for link in links} <= targets
    assert {f"e-{figure.id}" for figure in report.figures} <= targets


def test_ids_are_unique(tree: Any) -> None:
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_no_number_of_the_data_stands_without_a_link(tree: Any) -> None:
    """Outside names and quotes, dates, weeks, method and evidence, digits stand in links only."""
    for part in tree.xpath(f"{NOT_A_MEASURE} | //a[@class='n']"):
        if tree in part.iterancestors():
            part.drop_tree()
    loose = re.findall(r"\S*\d\S*", tree.body.text_content())
    assert loose == []


def test_nothing_is_fetched_and_nothing_runs(tree: Any, page: str) -> None:
    assert tree.xpath("//script | //img | //link | //iframe | //@src | //@onload") == []
    assert "url(" not in page
    assert "default-src 'none'" in tree.xpath("string(//meta[@http-equiv]/@content)")


def test_a_screen_reader_finds_its_way(tree: Any, report: Report) -> None:
    assert tree.get("lang") == {"zh": "zh-Hans", "en": "en"}[report.language]
    assert len(tree.xpath("//h1")) == 1
    assert all(tree.xpath(f"//*[@id='{label}']") for label in tree.xpath("//@aria-labelledby"))
    assert all(svg.xpath("ancestor::*[@role='img']/@aria-label") for svg in tree.xpath("//svg"))
    assert len(tree.xpath("//details[@class='data']//table")) == 4
    assert all(cell.get("scope") for cell in tree.xpath("//th"))


def test_no_english_chrome_in_a_chinese_page(snapshot: Snapshot, config: Config, week: Week, parse: Callable[[str], Any]) -> None:
    tree = parse(render(build(snapshot, config, week, "zh")))
    headings = [heading.text_content() for heading in tree.xpath("//h2 | //thead//th | //summary | //dt")]
    assert [text for text in headings if not re.search(r"[\u4e00-\u9fff]", text) and text != "Luva"] == []


def test_charts_take_their_colours_from_the_page(report: Report) -> None:
    svg = charts.voice(report.brands, charts.WIDE)
    assert "var(--brand-0)" in svg
    assert re.findall(r'(?:fill|stroke)="#', svg) == []
    assert "font-family" not in svg


def test_weeks_run_on_into_the_next_year(report: Report) -> None:
    """Also where a week without an interval is missing from one layer of the chart."""
    brand = report.brands[0]
    names = ("2025-W50", "2025-W51", "2025-W52", "2026-W01", "2026-W02")
    figures = brand.trend["net_sentiment_polar"]
    trend = tuple(replace(figure, week=name) for figure, name in zip(figures, names, strict=False))
    trend = (trend[0], replace(trend[1], value=None, low=None, high=None), *trend[2:])
    turning = replace(brand, trend={"share_of_voice": trend, "net_sentiment_polar": trend})
    assert re.findall(r">(W\d\d)<", charts.voice((turning,), charts.WIDE)) == ["W50", "W51", "W52", "W01", "W02"]
    svg = charts.net(turning, 0)
    places = [(float(x), week) for x, week in re.findall(r"translate\(([\d.]+),[^>]*>(W\d\d)<", svg)]
    assert [week for _, week in sorted(places)] == ["W50", "W52", "W02"]


def test_a_hostile_name_in_a_chart(report: Report) -> None:
    hostile = replace(report.brands[0], label="<b>&\u202e")
    svg = charts.voice((hostile, *report.brands[1:]), charts.NARROW)
    assert "<b>" not in svg
    assert "\u202e" not in svg
    assert "&lt;b&gt;&amp;" in svg


def test_names_at_the_ends_of_lines_keep_apart(report: Report) -> None:
    ends = charts.line_ends([replace(report.brands[0], id=str(n), label=f"brand {n}") for n in range(5)], top=1.0, height=250)
    places = sorted(end["y"] * 250 for end in ends)
    assert all(later - earlier >= 14.9 for earlier, later in pairwise(places))


def test_twelve_brands(snapshot: Snapshot, config: Config, week: Week) -> None:
    more = tuple(Brand(id=f"b{n}", names=(f"另一个很长很长的品牌名字 {n}",)) for n in range(9))
    page = render(build(snapshot, replace(config, brands=config.brands + more), week))
    assert len(page.encode()) < 2_000_000
