"""The tables of brands, topics, posts and sources, and of the evidence behind them."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from folate.core.measures import brand_table_columns
from reports.build import Report
from reports.figures import Change, Figure
from reports.measures.brands import BrandMeasures
from reports.measures.coverage import no_results_message
from reports.messages import Messages
from reports.render.html import SHARE_OF_VOICE_COLUMNS
from reports.render.tables.table import (
    QUOTE_COLUMNS,
    ReportTable,
    TableBuilder,
    brand_labels,
    column_titles,
    parts_to_text,
    quote_cells,
)
from reports.sections.topic_search import incomplete_topics_sentence

SENTIMENT_COLUMNS = brand_table_columns("sentiment")


def summary_table(report: Report, say: Messages) -> Iterator[ReportTable]:
    rows = tuple((sentence.text,) for sentence in report.summary)
    yield ReportTable(
        id="summary", title=say("page.summary"), columns=(say("table.sentence"),), rows=rows
    )


def share_of_voice_tables(report: Report, say: Messages) -> Iterator[ReportTable]:
    if report.empty:
        return
    yield _brands(
        "voice", SHARE_OF_VOICE_COLUMNS, "share_of_voice", report, say, lead=say("page.voice_lead")
    )
    yield _weeks("voice_weeks", "share_of_voice", report, say)


def sentiment_tables(report: Report, say: Messages) -> Iterator[ReportTable]:
    if report.empty:
        return
    yield _brands(
        "sentiment",
        SENTIMENT_COLUMNS,
        "net_sentiment_polar",
        report,
        say,
        lead=say("page.sentiment_lead"),
    )
    yield _weeks("sentiment_weeks", "net_sentiment_polar", report, say)


def measures_table(report: Report, say: Messages) -> Iterator[ReportTable]:
    """Every measure, a column a brand."""
    if report.empty:
        return
    yield ReportTable(
        id="measures", title=say("table.measures"), columns=(*column_titles(say, "measure"), *(brand.label for brand in report.brands)),
        rows=tuple((say.measure(name), *(brand.figures[name] for brand in report.brands)) for name in report.brands[0].figures),
    )  # fmt: skip


def _brands(
    name: str, measures: Sequence[str], changed: str, report: Report, say: Messages, lead: str
) -> ReportTable:
    """A row a brand: its measures, and how one of them changed."""
    columns = (
        say("page.brand_column"),
        *(say.measure(measure) for measure in measures),
        say("page.against"),
        say("table.difference"),
    )
    rows = tuple(
        (
            _label(brand, say),
            *(brand.figures[measure] for measure in measures),
            *_change(brand.changes.get(changed), say),
        )
        for brand in report.brands
    )
    return ReportTable(id=name, title=say(f"page.{name}"), columns=columns, rows=rows, lead=lead)


def _label(brand: BrandMeasures, say: Messages) -> str:
    return f"{brand.label} ({say('page.own')})" if brand.own else brand.label


def _change(change: Change | None, say: Messages) -> tuple[str, Figure | None]:
    return (
        (say("change.missing"), None)
        if change is None
        else (say(f"direction.{change.direction}"), change.figure)
    )


def _weeks(name: str, measure: str, report: Report, say: Messages) -> ReportTable:
    """A row a week, a column a brand."""
    trends = [brand.trend[measure] for brand in report.brands]
    return ReportTable(
        id=name,
        title=say("table.by_week", measure=say.measure(measure)),
        columns=(say("page.week_column"), *(brand.label for brand in report.brands)),
        rows=tuple((figures[0].week, *figures) for figures in zip(*trends, strict=True)),
    )


def topic_tables(report: Report, say: Messages) -> Iterator[ReportTable]:
    joined = say("join.list").join
    shown = ("topic_authors", "topic_posts", "topic_gain", "topic_copies")
    doubts = incomplete_topics_sentence(report.topic_search, report.week_posts, say)
    lead, empty = say("page.topics_lead"), say("page.topics_none")
    yield ReportTable(
        id="topics", title=say("page.topics"), lead=f"{lead} {doubts.text}" if doubts else lead, empty_text=doubts.text if doubts else empty,
        columns=(
            *column_titles(say, "topic", "state", "watched"), *(say.measure(measure) for measure in shown),
            *column_titles(say, "first_seen", "sources", "terms", "audience", "flags"),
        ),
        rows=tuple(
            (
                topic.label(say.language), say.word("state", topic.state), say("watch.yes" if topic.watched else "watch.no"),
                topic.authors, topic.posts, topic.gain, topic.copies,
                topic.first_seen.astimezone(ZoneInfo(report.timezone)).date() if topic.first_seen else None,
                joined(topic.sources), joined(topic.terms), joined(audience.name for audience in topic.audience),
                joined(say.word("flag", flag) for flag in topic.flags),
            )
            for topic in report.topics
        ),
    )  # fmt: skip
    yield ReportTable(
        id="quotes", title=say("table.quotes"), columns=column_titles(say, "topic", *QUOTE_COLUMNS),
        rows=tuple((topic.label(say.language), *quote_cells(quote, report.timezone)) for topic in report.topics for quote in topic.quotes),
    )  # fmt: skip


def top_posts_table(report: Report, say: Messages) -> Iterator[ReportTable]:
    known = brand_labels(report)
    yield ReportTable(
        id="posts", title=say("page.posts"), lead=say("page.posts_lead"),
        empty_text=parts_to_text(no_results_message("page.posts_none", report.reading.week, report.reading.week.unread, say)),
        columns=(say("page.brand_column"), say.measure("engagement"), *column_titles(say, *QUOTE_COLUMNS)),
        rows=tuple((known[post.brand], post.engagement, *quote_cells(post.quote, report.timezone)) for post in report.posts),
    )  # fmt: skip


def sources_table(report: Report, say: Messages) -> Iterator[ReportTable]:
    columns = ("source", "status", "posts", "copies", "queries")
    yield ReportTable(
        id="sources", title=say("page.sources"), lead=say("page.sources_lead"), empty_text=say("page.sources_none"),
        columns=(*(say(f"column.{name}") for name in columns), *column_titles(say, "complete", "reasons")),
        rows=tuple(
            (line.name, say.word("status", line.status), line.posts, line.copies, line.queries, line.complete, "; ".join(line.reasons))
            for line in report.sources
        ),
    )  # fmt: skip


def evidence_table(report: Report, say: Messages) -> Iterator[ReportTable]:
    """Every number of the report, whatever section it is of."""
    known = brand_labels(report)
    yield ReportTable(
        id="evidence", title=say("page.evidence"), lead=say("page.evidence_paper"),
        columns=(
            *column_titles(say, "id", "measure"), say("page.brand_column"), say("page.week_column"),
            *column_titles(say, "value", "n", "flags"),
        ),
        rows=tuple(
            (
                figure.id, say.measure(figure.measure), known.get(figure.brand or "", figure.brand), figure.week, figure, figure.n,
                say("join.list").join(say.word("flag", flag) for flag in figure.flags),
            )
            for figure in report.figures
        ),
    )  # fmt: skip


def definitions_table(report: Report, say: Messages) -> Iterator[ReportTable]:
    measures = dict.fromkeys(figure.measure for figure in report.figures)
    yield ReportTable(
        id="definitions", title=say("page.method"), columns=column_titles(say, "measure", "definition"),
        rows=tuple((say.measure(measure), say.measure(measure, "definition")) for measure in measures),
    )  # fmt: skip


SECTION_TABLE_BUILDERS: tuple[TableBuilder, ...] = (
    summary_table,
    share_of_voice_tables,
    sentiment_tables,
    measures_table,
    topic_tables,
    top_posts_table,
    sources_table,
)
CLOSING_TABLE_BUILDERS: tuple[TableBuilder, ...] = (definitions_table, evidence_table)
