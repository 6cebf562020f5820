"""Tables of brands, topics, posts and sources, and of the evidence behind them."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from folate.core.measures import brand_table_columns
from reports.build import Report
from reports.measures.coverage import no_results_message
from reports.messages import Messages
from reports.render.tables.table import (
    QUOTE_COLUMNS,
    SHARE_OF_VOICE_COLUMNS,
    ReportTable,
    TableBuilder,
    TableRow,
    brand_labels,
    change_cells,
    column_titles,
    parts_to_text,
    quote_cells,
)
from reports.sections.topic_search import incomplete_topics_sentence
from reports.sections.topics import ReportTopic

SENTIMENT_COLUMNS = brand_table_columns("sentiment")
_TOPIC_MEASURES = ("topic_authors", "topic_posts", "topic_gain", "topic_copies")


def summary_table(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield the sentences of the summary as a table of one column."""
    yield ReportTable(
        id="summary",
        title=message("page.summary"),
        columns=(message("table.sentence"),),
        rows=tuple((sentence.text,) for sentence in report.summary),
    )


def share_of_voice_tables(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield the share of voice of all brands, in the week and by week."""
    if report.empty:
        return
    yield _brands_table("voice", SHARE_OF_VOICE_COLUMNS, "share_of_voice", report, message)
    yield _trend_table("voice_weeks", "share_of_voice", report, message)


def sentiment_tables(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield the sentiment of all brands, in the week and by week."""
    if report.empty:
        return
    yield _brands_table("sentiment", SENTIMENT_COLUMNS, "net_sentiment_polar", report, message)
    yield _trend_table("sentiment_weeks", "net_sentiment_polar", report, message)


def measures_table(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield every measure of every brand, one row for each measure."""
    if report.empty:
        return
    rows: list[TableRow] = []
    for measure in report.brands[0].figures:
        figures = [brand.figures[measure] for brand in report.brands]
        rows.append((message.measure(measure), *figures))
    brand_titles = [brand.label for brand in report.brands]
    yield ReportTable(
        id="measures",
        title=message("table.measures"),
        columns=(*column_titles(message, "measure"), *brand_titles),
        rows=tuple(rows),
    )


def _brands_table(
    table_id: str,
    measures: Sequence[str],
    changed_measure: str,
    report: Report,
    message: Messages,
) -> ReportTable:
    """Return a table with the measures of each brand, and how one of them changed."""
    rows: list[TableRow] = []
    for brand in report.brands:
        label = f"{brand.label} ({message('page.own')})" if brand.own else brand.label
        figures = [brand.figures[measure] for measure in measures]
        change = change_cells(brand.changes.get(changed_measure), message)
        rows.append((label, *figures, *change))
    measure_titles = [message.measure(measure) for measure in measures]
    return ReportTable(
        id=table_id,
        title=message(f"page.{table_id}"),
        columns=(
            message("page.brand_column"),
            *measure_titles,
            message("page.against"),
            message("table.difference"),
        ),
        rows=tuple(rows),
        lead=message(f"page.{table_id}_lead"),
    )


def _trend_table(table_id: str, measure: str, report: Report, message: Messages) -> ReportTable:
    """Return a table of one measure with a row for each week and a column for each brand."""
    trends = [brand.trend[measure] for brand in report.brands]
    brand_titles = [brand.label for brand in report.brands]
    return ReportTable(
        id=table_id,
        title=message("table.by_week", measure=message.measure(measure)),
        columns=(message("page.week_column"), *brand_titles),
        rows=tuple((figures[0].week, *figures) for figures in zip(*trends, strict=True)),
    )


def topic_tables(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield the table of topics and that of their quotes."""
    problem = incomplete_topics_sentence(report.topic_search, report.week_posts, message)
    lead = message("page.topics_lead")
    measure_titles = [message.measure(measure) for measure in _TOPIC_MEASURES]
    yield ReportTable(
        id="topics",
        title=message("page.topics"),
        lead=f"{lead} {problem.text}" if problem else lead,
        empty_text=problem.text if problem else message("page.topics_none"),
        columns=(
            *column_titles(message, "topic", "state", "watched"),
            *measure_titles,
            *column_titles(message, "first_seen", "sources", "terms", "audience", "flags"),
        ),
        rows=tuple(_topic_row(topic, report.timezone, message) for topic in report.topics),
    )
    quote_rows: list[TableRow] = []
    for topic in report.topics:
        label = topic.label(message.language)
        quote_rows += [(label, *quote_cells(quote, report.timezone)) for quote in topic.quotes]
    yield ReportTable(
        id="quotes",
        title=message("table.quotes"),
        columns=column_titles(message, "topic", *QUOTE_COLUMNS),
        rows=tuple(quote_rows),
    )


def _topic_row(topic: ReportTopic, timezone: str, message: Messages) -> TableRow:
    separator = message("join.list")
    first_day = None
    if topic.first_seen:
        first_day = topic.first_seen.astimezone(ZoneInfo(timezone)).date()
    return (
        topic.label(message.language),
        message.word("state", topic.state),
        message("watch.yes" if topic.watched else "watch.no"),
        topic.authors,
        topic.posts,
        topic.gain,
        topic.copies,
        first_day,
        separator.join(topic.sources),
        separator.join(topic.terms),
        separator.join(audience.name for audience in topic.audience),
        separator.join(message.word("flag", flag) for flag in topic.flags),
    )


def top_posts_table(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield the posts about each brand with the most engagement."""
    labels = brand_labels(report)
    coverage = report.reading.week
    no_results = no_results_message("page.posts_none", coverage, coverage.unread, message)
    rows = [
        (labels[post.brand], post.engagement, *quote_cells(post.quote, report.timezone))
        for post in report.posts
    ]
    yield ReportTable(
        id="posts",
        title=message("page.posts"),
        lead=message("page.posts_lead"),
        empty_text=parts_to_text(no_results),
        columns=(
            message("page.brand_column"),
            message.measure("engagement"),
            *column_titles(message, *QUOTE_COLUMNS),
        ),
        rows=tuple(rows),
    )


def sources_table(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield the sources, how completely they were crawled, and how many posts they gave."""
    columns = ("source", "status", "posts", "copies", "queries")
    titles = [message(f"column.{name}") for name in columns]
    rows: list[TableRow] = []
    for source in report.sources:
        row = (
            source.name,
            message.word("status", source.status),
            source.posts,
            source.copies,
            source.queries,
            source.complete,
            "; ".join(source.reasons),
        )
        rows.append(row)
    yield ReportTable(
        id="sources",
        title=message("page.sources"),
        lead=message("page.sources_lead"),
        empty_text=message("page.sources_none"),
        columns=(*titles, *column_titles(message, "complete", "reasons")),
        rows=tuple(rows),
    )


def evidence_table(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield every figure of the report, in the order of `Report.figures`."""
    labels = brand_labels(report)
    rows: list[TableRow] = []
    for figure in report.figures:
        flags = message("join.list").join(message.word("flag", flag) for flag in figure.flags)
        row = (
            figure.id,
            message.measure(figure.measure),
            labels.get(figure.brand or "", figure.brand),
            figure.week,
            figure,
            figure.n,
            flags,
        )
        rows.append(row)
    yield ReportTable(
        id="evidence",
        title=message("page.evidence"),
        lead=message("page.evidence_paper"),
        columns=(
            *column_titles(message, "id", "measure"),
            message("page.brand_column"),
            message("page.week_column"),
            *column_titles(message, "value", "n", "flags"),
        ),
        rows=tuple(rows),
    )


def definitions_table(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield the definition of every measure in the report."""
    measures = dict.fromkeys(figure.measure for figure in report.figures)
    rows = [
        (message.measure(measure), message.measure(measure, "definition")) for measure in measures
    ]
    yield ReportTable(
        id="definitions",
        title=message("page.method"),
        columns=column_titles(message, "measure", "definition"),
        rows=tuple(rows),
    )


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
