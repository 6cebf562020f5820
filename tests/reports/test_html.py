"""The page: links that lead somewhere, no number without one, nothing fetched, the same bytes twice."""

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from corpora.store.snapshot import Snapshot
from folate.core.config import REPORT_LANGUAGES, Brand, Campaign, Config
from folate.core.weeks import Week
from reports.build import Report, assemble_report
from reports.render import charts
from reports.render.html import PAGE_SECTIONS, page_sections, render_html
from reports.sections.concerns import Concern, Concerns
from reports.sections.perception import DistinctiveWord

NOT_A_MEASURE = "//time | //h1 | //bdi | //cite//code | //svg | //style | //tbody//th | //section[@class='method' or @class='evidence']"


@pytest.fixture(scope="module", params=REPORT_LANGUAGES)
def report(
    request: pytest.FixtureRequest, snapshot: Snapshot, config: Config, week: Week
) -> Report:
    return assemble_report(snapshot, config, week, request.param)


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return render_html(report)


@pytest.fixture
def tree(page: str, parse: Callable[[str], Any]) -> Any:
    return parse(page)


def test_the_same_report_gives_the_same_bytes(report: Report, page: str) -> None:
    assert render_html(report) == page
    assert len(page.encode()) < 2_000_000


def test_every_number_links_to_its_evidence(tree: Any, report: Report) -> None:
    targets = set(tree.xpath("//section[@id='evidence']//li/@id"))
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
    levels = [int(heading.tag[1]) for heading in tree.xpath("//h1 | //h2 | //h3 | //h4")]
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert tree.xpath("//nav//a/@href") == [f"#{name}" for name in tree.xpath("//main/section/@id")]
    assert {quote.get("lang") for quote in tree.xpath("//blockquote")} == {"zh", "en"}
    assert all(cell.get("scope") for cell in tree.xpath("//th"))


def test_sections_come_as_a_manager_reads(report: Report) -> None:
    assert page_sections(report) == tuple(
        name for name in PAGE_SECTIONS if name not in ("concerns", "campaigns")
    )
    nothing = replace(report, brands=(), campaigns=())
    assert page_sections(nothing) == ("summary", "topics", "posts", "sources", "method", "evidence")


def judged(corpus: Any) -> list[dict[str, Any]]:
    """A judgement of every post, the same for all."""
    six = {"happy": 0.4, "angry": 0.1, "sad": 0.1, "fear": 0.1, "surprise": 0.1, "neutral": 0.2}
    four = {"buy": 0.3, "switch": 0.0, "ask": None, "complain": 0.1}
    made_by = [
        {"id": post.id, "text_hash": post.text_hash, "annotator": "t", "version": "1"}
        for post in corpus.posts
    ]
    return [row | {"emotion": "happy"} | six | four for row in made_by]


def test_emotions_intents_and_authors_stand_beside_each_other(
    config: Config, week: Week, tmp_path: Path, parse: Callable[[str], Any], corpus: Any
) -> None:
    corpus = deepcopy(corpus)
    corpus.tables["judgements"] = judged(corpus)
    section = parse(render_html(assemble_report(corpus.snapshot(tmp_path), config, week))).xpath(
        "//section[@id='emotions']"
    )[0]
    rows = {row.xpath("string(th)"): row.xpath("td") for row in section.xpath(".//tbody/tr")}
    assert [len(cells) for cells in rows.values()] == [3] * 15
    assert rows["Joy"][0].xpath("a/text()") == ["40.0%"]
    assert "--value:100.0%" in rows["Joy"][0].xpath("string(span/@style)")
    assert "--value:0.0%" in rows["Switches"][0].xpath("string(span/@style)")
    assert rows["Asks"][0].text_content() == "not measured"
    assert rows["Asks"][0].xpath("span") == []
    assert {"Posts per person", "By the busiest hundredth", "Engagement per post", "Rating"} <= set(
        rows
    )


def test_emotions_that_nobody_read_are_no_zeros(tree: Any, report: Report) -> None:
    section = tree.xpath("//section[@id='emotions']")[0]
    assert {"en": "No post of this week has been read", "zh": "本周没有帖子判读过情绪"}[
        report.language
    ] in section.text_content()
    assert section.xpath(".//span[contains(@class, 'meter')]") == []


def test_against_the_week_and_the_eight_weeks_before(tree: Any, report: Report) -> None:
    changes = tree.xpath(
        "//section[@id='voice']//tbody/tr[th[@scope='row']]/td[starts-with(@data-label, $name)]",
        name=say_against(report),
    )
    assert len(changes) == 2 * len(report.brands)
    ours = report.brands[0]
    links = {link[3:] for link in tree.xpath("//section[@id='summary']//dl//a/@href")}
    assert {ours.trailing[name].figure.id for name in ("share_of_voice",)} <= links


def say_against(report: Report) -> str:
    return {"en": "Against the", "zh": "与"}[report.language]


def test_how_many_labels_an_audit_rests_on(tree: Any, report: Report) -> None:
    panels = tree.xpath("//section[@id='sentiment']//article")
    assert all(panel.xpath(f".//a[@href='#e-{brand.figures['labels'].id}']/text()") == ["0"]
               for panel, brand in zip(panels, report.brands, strict=True))  # fmt: skip


HOSTILE = "<script>alert(1)</script>\u202e=cmd|' /C calc'!A0"


def test_hostile_names_are_text_in_every_section(
    report: Report, parse: Callable[[str], Any]
) -> None:
    """Of brands, topics, concerns, aspects, words, sources and authors."""
    brand = replace(report.brands[0], label=HOSTILE)
    seen, topic = report.perception, report.topics[0]
    cells = (replace(seen.cells[0], aspect=HOSTILE), *seen.cells[1:])
    word = DistinctiveWord(
        brand=brand.id, text=HOSTILE, keyness=replace(brand.figures["labels"], measure="keyness")
    )
    posts = tuple(
        replace(post, quote=replace(post.quote, source=HOSTILE, text=HOSTILE, author=HOSTILE))
        for post in report.posts
    )
    concern = Concern(labels={"en": HOSTILE, "zh": HOSTILE}, authors=topic.authors)
    hostile = replace(
        report, brands=(brand, *report.brands[1:]), topics=(replace(topic, labels={"en": HOSTILE, "zh": HOSTILE}, terms=(HOSTILE,)),),
        perception=replace(seen, cells=cells, words=(word,)), posts=posts, concerns=Concerns(tracked=(concern,), untracked=(concern,)),
        sources=tuple(replace(source, name=HOSTILE, reasons=(HOSTILE,)) for source in report.sources),
    )  # fmt: skip
    page = render_html(hostile)
    tree = parse(page)
    assert tree.xpath("//script") == []
    assert all("alert" not in value for value in tree.xpath("//@style | //@href"))
    assert HOSTILE in tree.xpath("string(//section[@id='emotions']//thead)")
    for name in ("topics", "concerns", "perception", "posts", "sources"):
        shown = tree.xpath(f"//section[@id='{name}']//bdi[contains(., 'alert(1)')]")
        assert shown, name
    loose = tree.xpath(
        "//main//text()[contains(., '\u202e')][not(ancestor::bdi)][not(ancestor::pre)]"
    )
    assert loose == []


def test_eight_brands_of_many_aspects_and_a_campaign_stay_small(
    config: Config,
    week: Week,
    tmp_path: Path,
    blank: Any,
    monday: datetime,
    parse: Callable[[str], Any],
) -> None:
    """Under 2 MB: eight brands in each of nine weeks, 17 aspects, a campaign."""
    brands = tuple(Brand(id=f"b{n}", names=(f"品牌 {n}",), own=n == 0) for n in range(8))
    aspects = [f"aspect {n}" for n in range(17)]
    for number in range(8 * 9 * 12):
        brand, back = brands[number % 8], number // 8 % 9
        at = monday + timedelta(days=number % 7, hours=number % 23) - timedelta(weeks=back)
        post = blank.add(
            f"{brand.names[0]} {number} 叶酸",
            at,
            brand.id,
            shares=(0.2, 0.3, 0.5),
            author=f"a{number}",
            likes=number % 9,
        )
        made_by = {
            "id": post.id,
            "text_hash": post.text_hash,
            "annotator": "t",
            "version": "1",
            "brand": brand.id,
        }
        read = {
            "label": "positive",
            "confidence": 0.9,
            "negative": 0.2,
            "neutral": 0.1,
            "positive": 0.7,
        }
        blank.tables["aspects"] += [
            made_by | read | {"aspect": aspects[(number // 8 + more) % 17]} for more in range(4)
        ]
    blank.tables["judgements"] = judged(blank)
    first = monday.date()
    spring = Campaign(
        id="spring",
        brand="b0",
        names=(HOSTILE,),
        start=first,
        end=first + timedelta(days=6),
        before=28,
        after=14,
        themes=("叶酸",),
    )
    report = assemble_report(
        blank.snapshot(tmp_path), replace(config, brands=brands, campaign=(spring,)), week, "zh"
    )
    assert len({cell.aspect for cell in report.perception.cells}) == 17
    page = render_html(report)
    assert len(page.encode()) < 2_000_000
    assert parse(page).xpath("string(//section[@id='campaigns']/h3)") == HOSTILE


def test_no_english_chrome_in_a_chinese_page(
    snapshot: Snapshot, config: Config, week: Week, parse: Callable[[str], Any]
) -> None:
    tree = parse(render_html(assemble_report(snapshot, config, week, "zh")))
    headings = [
        heading.text_content() for heading in tree.xpath("//h2 | //thead//th | //summary | //dt")
    ]
    assert [
        text for text in headings if not re.search(r"[\u4e00-\u9fff]", text) and text != "Luva"
    ] == []


def test_charts_take_their_colours_from_the_page(report: Report) -> None:
    svg = charts.share_of_voice_chart(report.brands, charts.WIDE_SIZE_PX)
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
    assert re.findall(
        r">(W\d\d)<", charts.share_of_voice_chart((turning,), charts.WIDE_SIZE_PX)
    ) == [
        "W50",
        "W51",
        "W52",
        "W01",
        "W02",
    ]
    svg = charts.net_sentiment_chart(turning, 0)
    places = [
        (float(x), week) for x, week in re.findall(r"translate\(([\d.]+),[^>]*>(W\d\d)<", svg)
    ]
    assert [week for _, week in sorted(places)] == ["W50", "W52", "W02"]


def test_a_hostile_name_in_a_chart(report: Report) -> None:
    hostile = replace(report.brands[0], label="<b>&\u202e")
    svg = charts.share_of_voice_chart((hostile, *report.brands[1:]), charts.NARROW_SIZE_PX)
    assert "<b>" not in svg
    assert "\u202e" not in svg
    assert "&lt;b&gt;&amp;" in svg


def test_names_at_the_ends_of_lines_keep_apart(report: Report) -> None:
    ends = charts.line_ends(
        [replace(report.brands[0], id=str(n), label=f"brand {n}") for n in range(5)],
        top=1.0,
        height=250,
    )
    places = sorted(end["y"] * 250 for end in ends)
    assert all(later - earlier >= 14.9 for earlier, later in pairwise(places))


def test_twelve_brands(snapshot: Snapshot, config: Config, week: Week) -> None:
    more = tuple(Brand(id=f"b{n}", names=(f"另一个很长很长的品牌名字 {n}",)) for n in range(9))
    page = render_html(
        assemble_report(snapshot, replace(config, brands=config.brands + more), week)
    )
    assert len(page.encode()) < 2_000_000


def test_control_characters_never_reach_the_page(
    blank: Any, monday: datetime, config: Config, week: Week, tmp_path: Path
) -> None:
    brands = (replace(config.brands[0], names=("禾\x1b[2J叶",)), *config.brands[1:])
    blank.add("前\x1b[31m\x07后", monday, likes=3, shares=(0.1, 0.2, 0.7))
    page = render_html(
        assemble_report(blank.snapshot(tmp_path), replace(config, brands=brands), week)
    )
    assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f]", page) == []
    assert "前\ufffd[31m\ufffd后" in page
