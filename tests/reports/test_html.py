"""The page: every number has a valid link, nothing is fetched, and its bytes are reproducible."""

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
from reports.sections.perception.words import DistinctiveWord

# Elements whose digits are no measures.
NOT_A_MEASURE = (
    "//time | //h1 | //bdi | //cite//code | //svg | //style | //tbody//th "
    "| //section[@class='method' or @class='evidence']"
)


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
    for element in tree.xpath(f"{NOT_A_MEASURE} | //a[@class='n']"):
        if tree in element.iterancestors():
            element.drop_tree()
    unlinked_numbers = re.findall(r"\S*\d\S*", tree.body.text_content())
    assert unlinked_numbers == []


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
        name for name in PAGE_SECTIONS if name not in ("concerns", "campaigns", "saved")
    )
    empty_report = replace(report, brands=(), campaigns=())
    assert page_sections(empty_report) == (
        "summary",
        "topics",
        "posts",
        "sources",
        "method",
        "evidence",
    )


def create_judgements(corpus: Any) -> list[dict[str, Any]]:
    """Create rows of the table `judgements`, with the same probabilities for every post."""
    emotions = {
        "happy": 0.4,
        "angry": 0.1,
        "sad": 0.1,
        "fear": 0.1,
        "surprise": 0.1,
        "neutral": 0.2,
    }
    intents = {"buy": 0.3, "switch": 0.0, "ask": None, "complain": 0.1}
    rows = []
    for post in corpus.posts:
        key = {"id": post.id, "text_hash": post.text_hash, "annotator": "t", "version": "1"}
        rows.append(key | {"emotion": "happy"} | emotions | intents)
    return rows


def test_emotions_intents_and_authors_stand_beside_each_other(
    config: Config, week: Week, tmp_path: Path, parse: Callable[[str], Any], corpus: Any
) -> None:
    corpus = deepcopy(corpus)
    corpus.tables["judgements"] = create_judgements(corpus)
    report = assemble_report(corpus.snapshot(tmp_path), config, week)
    (section,) = parse(render_html(report)).xpath("//section[@id='emotions']")
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
    notes = {"en": "No post of this week has been read", "zh": "本周没有帖子判读过情绪"}
    assert notes[report.language] in section.text_content()
    assert section.xpath(".//span[contains(@class, 'meter')]") == []


def test_against_the_week_and_the_eight_weeks_before(tree: Any, report: Report) -> None:
    changes = tree.xpath(
        "//section[@id='voice']//tbody/tr[th[@scope='row']]/td[starts-with(@data-label, $name)]",
        name=change_label(report),
    )
    assert len(changes) == 2 * len(report.brands)
    ours = report.brands[0]
    links = {link[3:] for link in tree.xpath("//section[@id='summary']//dl//a/@href")}
    assert ours.trailing["share_of_voice"].figure.id in links


def change_label(report: Report) -> str:
    return {"en": "Against the", "zh": "与"}[report.language]


def test_how_many_labels_an_audit_rests_on(tree: Any, report: Report) -> None:
    panels = tree.xpath("//section[@id='sentiment']//article")
    for panel, brand in zip(panels, report.brands, strict=True):
        link = f"#e-{brand.figures['labels'].id}"
        assert panel.xpath(f".//a[@href='{link}']/text()") == ["0"]


HOSTILE = "<script>alert(1)</script>\u202e=cmd|' /C calc'!A0"


def test_hostile_names_are_text_in_every_section(
    report: Report, parse: Callable[[str], Any]
) -> None:
    """Test the names of brands, topics, concerns, aspects, words, sources and authors."""
    brand = replace(report.brands[0], label=HOSTILE)
    topic = report.topics[0]
    hostile_topic = replace(topic, labels={"en": HOSTILE, "zh": HOSTILE}, terms=(HOSTILE,))
    cells = report.perception.cells
    hostile_cells = (replace(cells[0], aspect=HOSTILE), *cells[1:])
    word = DistinctiveWord(
        brand=brand.id, text=HOSTILE, keyness=replace(brand.figures["labels"], measure="keyness")
    )
    posts = tuple(
        replace(post, quote=replace(post.quote, source=HOSTILE, text=HOSTILE, author=HOSTILE))
        for post in report.posts
    )
    concern = Concern(labels={"en": HOSTILE, "zh": HOSTILE}, authors=topic.authors)
    sources = [replace(source, name=HOSTILE, reasons=(HOSTILE,)) for source in report.sources]
    hostile = replace(
        report,
        brands=(brand, *report.brands[1:]),
        topics=(hostile_topic,),
        perception=replace(report.perception, cells=hostile_cells, words=(word,)),
        posts=posts,
        concerns=Concerns(tracked=(concern,), untracked=(concern,)),
        sources=tuple(sources),
    )
    tree = parse(render_html(hostile))
    assert tree.xpath("//script") == []
    assert all("alert" not in value for value in tree.xpath("//@style | //@href"))
    assert HOSTILE in tree.xpath("string(//section[@id='emotions']//thead)")
    for name in ("topics", "concerns", "perception", "posts", "sources"):
        isolated_texts = tree.xpath(f"//section[@id='{name}']//bdi[contains(., 'alert(1)')]")
        assert isolated_texts, name
    other_texts = tree.xpath(
        "//main//text()[contains(., '\u202e')][not(ancestor::bdi)][not(ancestor::pre)]"
    )
    assert other_texts == []


def test_eight_brands_of_many_aspects_and_a_campaign_stay_small(
    config: Config,
    week: Week,
    tmp_path: Path,
    blank: Any,
    monday: datetime,
    parse: Callable[[str], Any],
) -> None:
    """Render eight brands in each of nine weeks, 17 aspects and a campaign in under 2 MB."""
    brands = tuple(Brand(id=f"b{n}", names=(f"品牌 {n}",), own=n == 0) for n in range(8))
    aspects = [f"aspect {n}" for n in range(17)]
    for number in range(8 * 9 * 12):
        brand = brands[number % 8]
        weeks_back = number // 8 % 9
        day = monday + timedelta(days=number % 7, hours=number % 23)
        post = blank.add(
            f"{brand.names[0]} {number} 叶酸",
            day - timedelta(weeks=weeks_back),
            brand.id,
            shares=(0.2, 0.3, 0.5),
            author=f"a{number}",
            likes=number % 9,
        )
        key = {
            "id": post.id,
            "text_hash": post.text_hash,
            "annotator": "t",
            "version": "1",
            "brand": brand.id,
        }
        sentiment = {
            "label": "positive",
            "confidence": 0.9,
            "negative": 0.2,
            "neutral": 0.1,
            "positive": 0.7,
        }
        for offset in range(4):
            aspect = aspects[(number // 8 + offset) % 17]
            blank.tables["aspects"].append(key | sentiment | {"aspect": aspect})
    blank.tables["judgements"] = create_judgements(blank)
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
    other_headings = [text for text in headings if not re.search(r"[\u4e00-\u9fff]", text)]
    assert set(other_headings) <= {"Luva"}


def test_charts_take_their_colours_from_the_page(report: Report) -> None:
    svg = charts.share_of_voice_chart(report.brands, charts.WIDE_SIZE_PX)
    assert "var(--brand-0)" in svg
    assert re.findall(r'(?:fill|stroke)="#', svg) == []
    assert "font-family" not in svg


def test_weeks_run_on_into_the_next_year(report: Report) -> None:
    """Test it with a week that has no interval and so is missing in one layer of the chart."""
    brand = report.brands[0]
    names = ("2025-W50", "2025-W51", "2025-W52", "2026-W01", "2026-W02")
    figures = brand.trend["net_sentiment_polar"]
    trend = tuple(replace(figure, week=name) for figure, name in zip(figures, names, strict=False))
    trend = (trend[0], replace(trend[1], value=None, low=None, high=None), *trend[2:])
    brand = replace(brand, trend={"share_of_voice": trend, "net_sentiment_polar": trend})
    wide_svg = charts.share_of_voice_chart((brand,), charts.WIDE_SIZE_PX)
    assert re.findall(r">(W\d\d)<", wide_svg) == ["W50", "W51", "W52", "W01", "W02"]
    panel_svg = charts.net_sentiment_chart(brand, 0)
    labels = re.findall(r"translate\(([\d.]+),[^>]*>(W\d\d)<", panel_svg)
    labels.sort(key=lambda label: float(label[0]))
    assert [week for _, week in labels] == ["W50", "W52", "W02"]


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
    heights = sorted(end["y"] * 250 for end in ends)
    assert all(higher - lower >= 14.9 for lower, higher in pairwise(heights))


def test_twelve_brands(snapshot: Snapshot, config: Config, week: Week) -> None:
    new_brands = tuple(
        Brand(id=f"b{n}", names=(f"另一个很长很长的品牌名字 {n}",)) for n in range(9)
    )
    page = render_html(
        assemble_report(snapshot, replace(config, brands=config.brands + new_brands), week)
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
