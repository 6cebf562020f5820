"""A report from a corpus: its figures against SQL and planted changes; thin and hostile weeks."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from corpora.store.schema import EVIDENCE
from corpora.store.snapshot import Snapshot
from corpora.store.store import Store
from folate.core.config import Config
from folate.core.weeks import Week
from nlp.stats.domains import DomainErrors
from reports.alerts.alert import sentiment_sentence
from reports.build import Report, assemble_report
from reports.evidence import explain_evidence
from reports.figures import MEASURE_UNITS
from reports.messages import load_messages
from reports.render import markdown, xlsx
from reports.render.document import report_document, to_json
from reports.render.html import render_html

NO_POSTS = (
    "source_queries",
    "source_complete",
    "topic_baseline",
    "topic_posts_since",
    "sentence",
)  # a sentence may rest on the former
GOLDEN = Path(__file__).parents[1] / "golden" / "report.json"
COUNTED = ("mentions", "authors", "share_of_voice", "share_of_voice_raw", "rating", "copies")


@pytest.fixture(scope="module")
def report(snapshot: Snapshot, config: Config, week: Week) -> Report:
    return assemble_report(snapshot, config, week)


TOPIC = tuple(measure for measure in MEASURE_UNITS if measure.startswith("topic_"))


def assemble_thin_report(
    corpus: Any, tmp_path: Path, config: Config, week: Week, **options: Any
) -> Report:
    """The report of a small corpus."""
    return assemble_report(corpus.seek(tmp_path, config, week), config, week, **options)


def render_page(report: Report) -> str:
    """The page of a report that can be written in both forms."""
    assert json.loads(to_json(report))["summary"]
    return render_html(report)


def test_golden(report: Report) -> None:
    """Compare the whole document.

    After an intended change write `without_evidence(report_document(report))` to the golden file.
    """
    expected = json.loads(GOLDEN.read_text(encoding="utf-8"))
    actual = json.loads(json.dumps(without_evidence(report_document(report)), ensure_ascii=False))
    assert actual.keys() == expected.keys()
    for part in expected:
        assert is_close(actual[part], expected[part]), part


def without_evidence(value: Any) -> Any:
    """Drop what depends on table versions: ids, and the rows of the evidence table."""
    if isinstance(value, dict):
        return {
            key: without_evidence(item)
            for key, item in value.items()
            if key not in ("evidence", "versions")
        }
    return [without_evidence(item) for item in value] if isinstance(value, list) else value


def is_close(actual: Any, expected: Any) -> bool:
    """Compare values, numbers to within rounding and without the ids of sentences."""
    if isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(
            is_close(actual[k], expected[k])
            for k in expected
            if not (k == "id" and "key" in expected)
        )
    if isinstance(expected, list):
        return len(actual) == len(expected) and all(map(is_close, actual, expected))
    return (
        bool(actual == pytest.approx(expected, abs=1e-4))
        if isinstance(expected, float)
        else bool(actual == expected)
    )


def test_counts_are_what_their_query_says(report: Report, snapshot: Snapshot) -> None:
    exact = {*COUNTED, *TOPIC, "week_posts", "source_posts", "source_copies", "engagement"}
    for figure in report.figures:
        if figure.measure in exact and figure.week == "2026-W10" and figure.brand != "luva":
            assert snapshot.sql(figure.query).column(0)[0].as_py() == pytest.approx(
                figure.value, abs=1e-6
            ), figure


def test_every_query_can_be_run_and_finds_rows(report: Report, snapshot: Snapshot) -> None:
    figure_by_measure = {figure.measure: figure for figure in report.figures if figure.n}
    assert len(figure_by_measure) > 30
    assert [
        measure
        for measure, figure in figure_by_measure.items()
        if not snapshot.sql(figure.query).num_rows
    ] == []


def test_the_query_of_a_change_tells_the_weeks_apart(report: Report, snapshot: Snapshot) -> None:
    change = report.brands[0].changes["mentions"].figure
    weeks = dict(snapshot.sql(change.query).to_pandas().itertuples(index=False))
    assert change.value == pytest.approx(weeks["2026-W10"] / weeks["2026-W09"] - 1, abs=1e-6)


def test_every_number_of_the_document_has_a_row_of_evidence(report: Report) -> None:
    rows = {row["id"]: row for row in report.evidence}
    assert len(rows) == len(report.evidence)
    assert set(report.evidence[0]) == set(EVIDENCE.schema.names)
    for figure in document_figures(report_document(report)):
        assert rows[figure["evidence"]]["value"] == figure["value"]
    assert all(
        row["posts"]
        for row in rows.values()
        if row["n"] and not row["measure"].startswith(NO_POSTS)
    )


def document_figures(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        inner = [figure for item in value.values() for figure in document_figures(item)]
        return inner + ([value] if isinstance(value.get("evidence"), str) else [])
    return (
        [figure for item in value for figure in document_figures(item)]
        if isinstance(value, list)
        else []
    )


def test_evidence_can_be_stored_and_the_report_stays_the_same(
    blank: Any, config: Config, week: Week, monday: datetime, tmp_path: Path
) -> None:
    blank.add("禾叶", monday, shares=(0.1, 0.2, 0.7))
    first = assemble_report(blank.seek(tmp_path), config, week)
    store = Store(tmp_path)
    store.upsert("evidence", first.evidence)
    again = assemble_report(store.snapshot(), config, week)
    assert to_json(again) == to_json(first)
    assert store.upsert("evidence", again.evidence).unchanged == len(first.evidence)


def test_the_evidence_is_the_same_in_both_languages(
    report: Report, snapshot: Snapshot, config: Config, week: Week
) -> None:
    by_id = [
        {row["id"]: row for row in one.evidence}
        for one in (report, assemble_report(snapshot, config, week, "zh"))
    ]
    assert by_id[0] == by_id[1]


def test_the_order_of_the_posts_does_not_matter(
    corpus: Any, report: Report, config: Config, week: Week, tmp_path: Path
) -> None:
    shuffled = replace(
        corpus,
        posts=corpus.posts[:],
        tables={name: rows[:] for name, rows in corpus.tables.items()},
    )
    for rows in (shuffled.posts, *shuffled.tables.values()):
        random.Random(3).shuffle(rows)
    assert to_json(assemble_report(shuffled.seek(tmp_path), config, week)) == to_json(report)


def test_planted_changes_are_found_and_others_are_not(report: Report) -> None:
    heye, kangben, luva = report.brands
    assert heye.changes["share_of_voice"].direction == "up"
    assert heye.changes["net_sentiment_polar"].direction == "down"
    assert kangben.changes["authors"].direction == "none"
    assert luva.changes["net_sentiment_polar"].direction == "none"
    assert all(
        c.detectable.value is not None and c.detectable.value >= 0.02
        for brand in report.brands
        for c in brand.changes.values()
    )


def test_a_copied_text_counts_once(report: Report) -> None:
    kangben = report.brands[1]
    assert kangben.figures["mentions"].value == kangben.figures["authors"].n + 29
    assert kangben.figures["copies"].value == pytest.approx(
        29 / (kangben.figures["mentions"].value or 1), abs=1e-6
    )


def test_summary_has_at_most_five_sentences_and_the_three_lines_first(report: Report) -> None:
    assert [sentence.key for sentence in report.summary] == [
        "voice_ahead",
        "sentiment",
        "topic_gain",
        "incomplete",
        "rival_down",
    ]
    assert [line.partition(":")[0] for line in report.headlines] == [
        "Share of voice",
        "Net sentiment",
        "The word that nobody tracked",
    ]


def test_topics_come_in_the_order_that_discovery_gave(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    """Without a rank they come last, what was tested before what was carried over."""
    blank.add("禾叶", monday)
    places = (
        ("carried", None, {}),
        ("tested", 0.1, {"margin": 99.0}),
        ("second", 0.1, {"rank": 1, "margin": 9.0}),
        ("best", 0.2, {"rank": 0}),
    )
    for name, q, detail in places:
        row = {
            "week": str(week),
            "id": name,
            "state": "new",
            "label_zh": name,
            "label_en": "",
            "terms": [name],
            "q": q,
            "posts": 1,
        }
        blank.tables["topics"].append(
            row | {"authors": 1, "watched": False, "detail": json.dumps(detail)}
        )
    report = assemble_thin_report(blank, tmp_path, config, week)
    assert [topic.id for topic in report.topics] == ["best", "second", "tested", "carried"]
    assert "best" in next(line.text for line in report.summary if line.key.startswith("topic"))


def test_a_topic_with_a_flag_against_it_is_shown_and_never_the_headline(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    blank.add("禾叶", monday)
    row = {
        "week": str(week),
        "id": "t",
        "state": "new",
        "label_zh": "广告",
        "label_en": "",
        "terms": ["广告"],
        "posts": 9,
        "authors": 9,
    }
    detail = json.dumps({"rank": 0, "artefact": True})
    blank.tables["topics"].append(
        row | {"q": 0.01, "watched": False, "flags": ["copied text"], "detail": detail}
    )
    report = assemble_thin_report(blank, tmp_path, config, week)
    assert [topic.id for topic in report.topics] == ["t"]
    assert [line.key for line in report.summary if line.key.startswith("topic")] == ["topic_none"]


def test_sources_say_how_complete_they_are(report: Report) -> None:
    assert {source.name: source.status for source in report.sources} == {
        "mombaby": "complete",
        "shop": "imported",
        "weiba": "saturated",
    }
    assert report.sources[2].reasons == ("stopped at page 50 of the search",)
    assert "incomplete" in report.brands[0].figures["mentions"].flags


def test_three_distinct_quotes(report: Report) -> None:
    quotes = [quote.text for quote in report.topics[0].quotes]
    assert len(quotes) == len(set(quotes)) == 3


def test_top_posts_are_the_most_engaging_each_text_once(report: Report) -> None:
    own = [post.engagement.value or 0 for post in report.posts if post.brand == "heye"]
    assert own == sorted(own, reverse=True)
    assert len({post.quote.text for post in report.posts}) == len(report.posts)


def test_a_week_without_posts(blank: Any, tmp_path: Path, config: Config, week: Week) -> None:
    report = assemble_thin_report(blank, tmp_path, config, week)
    assert report.empty
    assert "The corpus has no post of this week" in render_page(report)
    assert (
        report.summary[0].text
        == "The corpus has no post of this week (0), so that nothing was measured."
    )
    assert report.brands[0].figures["mentions"].value is None
    assert report.brands[0].figures["net_sentiment_polar"].value is None
    assert report.brands[0].figures["share_of_voice"].value is None


def test_a_week_with_posts_about_no_brand(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    blank.add("下雨了", monday, brand=None)
    assert (
        "has 1 posts of the week"
        in assemble_thin_report(blank, tmp_path, config, week).summary[0].text
    )


def test_no_brands_at_all(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    blank.add("下雨了", monday, brand=None)
    report = assemble_thin_report(blank, tmp_path, replace(config, brands=()), week)
    assert (report.empty, report.brands) == (True, ())
    assert "The project has no brand to look for" in render_page(report)


def test_no_own_brand_leaves_the_stage_to_the_largest(
    snapshot: Snapshot, config: Config, week: Week
) -> None:
    report = assemble_report(
        snapshot,
        replace(config, brands=tuple(replace(brand, own=False) for brand in config.brands[1:])),
        week,
    )
    assert report.summary[0].text.startswith("康本 has ")


def test_one_brand_has_nobody_to_share_the_voice_with(
    snapshot: Snapshot, config: Config, week: Week
) -> None:
    report = assemble_report(snapshot, replace(config, brands=config.brands[:1]), week)
    assert report.summary[0].key == "voice_alone"
    assert report.brands[0].figures["share_of_voice"].value == 1


def test_a_brand_without_mentions(snapshot: Snapshot, config: Config, week: Week) -> None:
    absent = replace(config.brands[0], id="absent", names=("Absent",))
    report = assemble_report(snapshot, replace(config, brands=(absent, *config.brands[1:])), week)
    figures = report.brands[0].figures
    assert (
        figures["mentions"].value,
        figures["share_of_voice"].value,
        figures["net_sentiment_all"].value,
    ) == (0, 0, None)
    assert report.summary[1].key == "sentiment_missing"
    assert render_page(report).count("not measured") > 3


def test_one_post(blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime) -> None:
    blank.add("禾叶真好吃", monday, shares=(0.1, 0.2, 0.7), author="a" * 16)
    figures = (report := assemble_thin_report(blank, tmp_path, config, week)).brands[0].figures
    assert figures["share_of_voice"].value == 1
    assert (figures["negative"].value, figures["negative"].low) == (None, None)
    assert {"few", "unmeasurable"} <= set(figures["negative"].flags)
    assert "not measurable: too few people" in render_page(report)
    assert report.brands[0].method == "tempered"
    assert report.brands[0].changes == {}
    assert "fewer than five people" in render_page(report)


def test_missing_is_not_zero(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    """Without ratings, likes and annotation nothing is 0, and sentiment is not neutral."""
    blank.add("禾叶", monday)
    report = assemble_thin_report(blank, tmp_path, config, week)
    assert report.brands[0].figures["rating"].value is None
    assert report.brands[0].figures["neutral"].value is None
    assert report.posts == ()


def test_posts_without_an_author_are_authors_of_their_own(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    for hour in range(3):
        blank.add(f"禾叶 {hour}", monday + timedelta(hours=hour))
    assert (
        assemble_thin_report(blank, tmp_path, config, week).brands[0].figures["authors"].value == 3
    )


@pytest.mark.parametrize(("days", "partial"), [(3, True), (7, False)])
def test_a_week_that_is_not_over(
    days: int,
    partial: bool,
    blank: Any,
    tmp_path: Path,
    config: Config,
    week: Week,
    monday: datetime,
) -> None:
    for hour in range(40):
        blank.add(f"禾叶 {hour}", monday - timedelta(days=7, hours=-hour))
        blank.add(f"禾叶 那 {hour}", monday + timedelta(hours=hour))
    report = assemble_thin_report(blank, tmp_path, config, week, now=monday + timedelta(days=days))
    assert bool(report.partial_until) is partial
    assert ("partial" in report.brands[0].figures["mentions"].flags) is partial
    assert ("mentions" in report.brands[0].changes) is not partial
    assert ("is not over" in render_page(report)) is partial


def test_a_week_that_is_not_over_has_the_same_bytes_whenever_it_is_written(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    post = blank.add("禾叶", monday + timedelta(hours=1))
    reports = [
        assemble_thin_report(blank, tmp_path, config, week, now=monday + timedelta(days=days))
        for days in (2, 3)
    ]
    assert reports[0].partial_until == post.published_at
    assert render_page(reports[0]) == render_page(reports[1])


def test_the_corpus_knows_by_itself_that_the_week_is_not_over(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    blank.add("禾叶", monday, fetched_at=monday + timedelta(days=2))
    assert assemble_thin_report(blank, tmp_path, config, week).partial_until == monday + timedelta(
        days=2
    )


@pytest.mark.parametrize(("days", "partial"), [(3, True), (7, False)])
def test_a_crawl_before_the_week_does_not_know_whether_it_is_over(
    days: int,
    partial: bool,
    blank: Any,
    tmp_path: Path,
    config: Config,
    week: Week,
    monday: datetime,
) -> None:
    add_crawls(
        blank,
        monday,
        one={
            "status": "complete",
            "finished_at": monday - timedelta(days=1),
            "until": monday - timedelta(days=1),
        },
    )
    blank.add("禾叶", monday + timedelta(days=1))
    report = assemble_thin_report(blank, tmp_path, config, week, now=monday + timedelta(days=days))
    assert bool(report.partial_until) is partial


def test_weeks_are_cut_in_the_zone_of_the_project(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    blank.add("禾叶", monday - timedelta(seconds=1))
    blank.add("禾叶 again", monday)
    trend = assemble_thin_report(blank, tmp_path, config, week).brands[0].trend["share_of_voice"]
    assert [figure.n for figure in trend[-2:]] == [1, 1]


@pytest.mark.parametrize("status", ["failed", "partial", "saturated", "complete"])
def test_the_worst_query_speaks_for_its_source(
    status: str, blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    add_crawls(
        blank, monday, complete={"status": "complete"}, other={"status": status, "reason": "why"}
    )
    source = next(
        s for s in assemble_thin_report(blank, tmp_path, config, week).sources if s.name == "weiba"
    )
    assert source.status == status


def test_a_crawl_that_stopped_midweek_is_partial_and_an_older_one_is_none(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    add_crawls(
        blank,
        monday,
        one={
            "status": "complete",
            "until": monday + timedelta(days=3),
            "finished_at": monday + timedelta(days=3),
        },
    )
    snapshot_weeks = (week, week + 1)
    statuses = [
        next(
            s.status
            for s in assemble_report(blank.snapshot(tmp_path), config, one).sources
            if s.name == "weiba"
        )
        for one in snapshot_weeks
    ]
    assert statuses == ["partial", "uncrawled"]


def add_crawls(corpus: Any, monday: datetime, **queries: dict[str, Any]) -> None:
    crawl = {
        "crawl": "r",
        "source": "weiba",
        "since": monday - timedelta(days=1),
        "until": monday + timedelta(days=7),
        "reason": None,
        "started_at": monday,
        "finished_at": monday + timedelta(days=8),
        "requests": 1,
        "posts": 1,
        "dropped": "{}",
    }
    corpus.tables["crawls"] += [
        {**crawl, "query": query, **values} for query, values in queries.items()
    ]


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "\u202etxt.exe\u2066",
    "=cmd|' /C calc'!A0",
    "{{ 7*7 }} {% raw %}",
    "'; DROP TABLE posts; --",
    "]]></svg>",
)


@pytest.mark.parametrize("text", [" ".join(HOSTILE[:4]), " ".join(HOSTILE[4:])])
def test_hostile_text_is_shown_as_text(
    text: str,
    blank: Any,
    tmp_path: Path,
    config: Config,
    week: Week,
    monday: datetime,
    parse: Callable[[str], Any],
) -> None:
    """In posts, in names of brands and sources, in topics, in reasons of the ledger."""
    mark = f"{text} 禾叶"
    post = blank.add(mark, monday, likes=3, url="javascript:alert(1)", author=text[:16])
    add_crawls(blank, monday, **{text: {"status": "failed", "reason": text}})
    blank.tables["topics"].append(
        {
            "week": str(week),
            "id": "t",
            "state": text,
            "label_zh": text,
            "label_en": text,
            "terms": [text],
            "score": 1.0,
            "posts": 1,
            "authors": 1,
            "sources": [text],
            "watched": False,
            "flags": [text],
            "evidence": [post.id],
            "detail": "{}",
        }
    )
    brands = (replace(config.brands[0], names=(text,)), *config.brands[1:])
    report = assemble_thin_report(blank, tmp_path, replace(config, name=text, brands=brands), week)
    page = parse(render_page(report))
    assert (
        page.xpath("//script | //img | //*[@onerror] | //a[starts-with(@href, 'javascript')]") == []
    )
    assert page.xpath("string(//article[@class='topic']//h3/bdi)") == text
    assert mark in page.xpath("//blockquote/bdi/text()")
    assert json.loads(to_json(report))["project"] == text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "not measurable without an audit: label 50 posts"),
        ("zh", "未经抽检无法测得：请标注 50 条帖子"),
    ],
)
def test_what_nobody_can_know_without_an_audit_is_said_in_place_of_a_number(
    language: str, words: str, snapshot: Snapshot, config: Config, week: Week
) -> None:
    """A model without measured domain errors has no share, no net sentiment and no interval."""
    report = assemble_report(snapshot, config, week, language, domain_errors=DomainErrors())
    ours = report.brands[0]
    for name in ("negative", "neutral", "positive", "net_sentiment_polar", "net_sentiment_all"):
        figure = ours.figures[name]
        assert (figure.value, figure.low, figure.high) == (None, None, None)
        assert "unmeasurable" in figure.flags
        assert figure.n > 0
    assert ours.figures["mentions"].value
    assert any(words in sentence.text for sentence in report.summary)
    assert f'class="n words" href="#e-{ours.figures["net_sentiment_polar"].id}"' in render_html(
        report
    )  # may wrap, or it leaves its card
    assert words in render_html(report)
    alert = sentiment_sentence(
        "X",
        ours.figures["net_sentiment_polar"],
        ours.changes["net_sentiment_polar"],
        load_messages(language),
    ).text
    assert {"en": f"; its level is {words} (", "zh": f"；其水平{words}（"}[language] in alert
    plain = json.loads(to_json(report))["brands"][0]["measures"]["negative"]
    assert plain["value"] is None
    assert "unmeasurable" in plain["flags"]
    assert words in markdown.render_markdown(report).decode()
    cells = [
        cell
        for sheet in load_workbook(BytesIO(xlsx.render_workbook(report)))
        for row in sheet.values
        for cell in row
    ]
    assert words in cells
    row = figure.evidence_row(load_messages("en").measure(figure.measure, "definition"))
    assert "value       not measurable without an audit" in explain_evidence(row, snapshot)
