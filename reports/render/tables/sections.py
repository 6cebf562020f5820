"""The tables of brands, topics, posts and sources, and of the evidence behind them."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from reports.build import Report
from reports.measures.brands import BrandMeasures
from reports.measures.coverage import nothing
from reports.measures.figures import Change, Figure
from reports.messages import Catalogue
from reports.render.html import VOICE_COLUMNS
from reports.render.tables.table import QUOTED, Section, Table, labels, names, plain, quoted
from reports.sections.topic_search import doubt

SENTIMENT_COLUMNS = (
    "net_sentiment_polar",
    "net_sentiment_all",
    "negative",
    "neutral",
    "positive",
    "rating",
)


def summary(report: Report, say: Catalogue) -> Iterator[Table]:
    rows = tuple((sentence.text,) for sentence in report.summary)
    yield Table(
        id="summary", title=say("page.summary"), columns=(say("table.sentence"),), rows=rows
    )


def voice(report: Report, say: Catalogue) -> Iterator[Table]:
    if report.empty:
        return
    yield _brands(
        "voice", VOICE_COLUMNS, "share_of_voice", report, say, lead=say("page.voice_lead")
    )
    yield _weeks("voice_weeks", "share_of_voice", report, say)


def sentiment(report: Report, say: Catalogue) -> Iterator[Table]:
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


def measures(report: Report, say: Catalogue) -> Iterator[Table]:
    """Every measure, a column a brand."""
    if report.empty:
        return
    yield Table(
        id="measures", title=say("table.measures"), columns=(*names(say, "measure"), *(brand.label for brand in report.brands)),
        rows=tuple((say.measure(name), *(brand.figures[name] for brand in report.brands)) for name in report.brands[0].figures),
    )  # fmt: skip


def _brands(
    name: str, measures: Sequence[str], changed: str, report: Report, say: Catalogue, lead: str
) -> Table:
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
    return Table(id=name, title=say(f"page.{name}"), columns=columns, rows=rows, lead=lead)


def _label(brand: BrandMeasures, say: Catalogue) -> str:
    return f"{brand.label} ({say('page.own')})" if brand.own else brand.label


def _change(change: Change | None, say: Catalogue) -> tuple[str, Figure | None]:
    return (
        (say("change.missing"), None)
        if change is None
        else (say(f"direction.{change.direction}"), change.figure)
    )


def _weeks(name: str, measure: str, report: Report, say: Catalogue) -> Table:
    """A row a week, a column a brand."""
    trends = [brand.trend[measure] for brand in report.brands]
    return Table(
        id=name,
        title=say("table.by_week", measure=say.measure(measure)),
        columns=(say("page.week_column"), *(brand.label for brand in report.brands)),
        rows=tuple((figures[0].week, *figures) for figures in zip(*trends, strict=True)),
    )


def topics(report: Report, say: Catalogue) -> Iterator[Table]:
    joined = say("join.list").join
    shown = ("topic_authors", "topic_posts", "topic_gain", "topic_copies")
    doubts = doubt(report.search, report.week_posts, say)
    lead, empty = say("page.topics_lead"), say("page.topics_none")
    yield Table(
        id="topics", title=say("page.topics"), lead=f"{lead} {doubts.text}" if doubts else lead, empty=doubts.text if doubts else empty,
        columns=(
            *names(say, "topic", "state", "watched"), *(say.measure(measure) for measure in shown),
            *names(say, "first_seen", "sources", "terms", "audience", "flags"),
        ),
        rows=tuple(
            (
                topic.label(say.language), say.word("state", topic.state), say("watch.yes" if topic.watched else "watch.no"),
                topic.authors, topic.posts, topic.gain, topic.copies,
                topic.first_seen.astimezone(ZoneInfo(report.zone)).date() if topic.first_seen else None,
                joined(topic.sources), joined(topic.terms), joined(audience.name for audience in topic.audience),
                joined(say.word("flag", flag) for flag in topic.flags),
            )
            for topic in report.topics
        ),
    )  # fmt: skip
    yield Table(
        id="quotes", title=say("table.quotes"), columns=names(say, "topic", *QUOTED),
        rows=tuple((topic.label(say.language), *quoted(quote, report.zone)) for topic in report.topics for quote in topic.quotes),
    )  # fmt: skip


def posts(report: Report, say: Catalogue) -> Iterator[Table]:
    known = labels(report)
    yield Table(
        id="posts", title=say("page.posts"), lead=say("page.posts_lead"),
        empty=plain(nothing("page.posts_none", report.reading.week, report.reading.week.unread, say)),
        columns=(say("page.brand_column"), say.measure("engagement"), *names(say, *QUOTED)),
        rows=tuple((known[post.brand], post.engagement, *quoted(post.quote, report.zone)) for post in report.posts),
    )  # fmt: skip


def sources(report: Report, say: Catalogue) -> Iterator[Table]:
    columns = ("source", "status", "posts", "copies", "queries")
    yield Table(
        id="sources", title=say("page.sources"), lead=say("page.sources_lead"), empty=say("page.sources_none"),
        columns=(*(say(f"column.{name}") for name in columns), *names(say, "complete", "reasons")),
        rows=tuple(
            (line.name, say.word("status", line.status), line.posts, line.copies, line.queries, line.complete, "; ".join(line.reasons))
            for line in report.sources
        ),
    )  # fmt: skip


def evidence(report: Report, say: Catalogue) -> Iterator[Table]:
    """Every number of the report, whatever section it is of."""
    known = labels(report)
    yield Table(
        id="evidence", title=say("page.evidence"), lead=say("page.evidence_paper"),
        columns=(
            *names(say, "id", "measure"), say("page.brand_column"), say("page.week_column"),
            *names(say, "value", "n", "flags"),
        ),
        rows=tuple(
            (
                figure.id, say.measure(figure.measure), known.get(figure.brand or "", figure.brand), figure.week, figure, figure.n,
                say("join.list").join(say.word("flag", flag) for flag in figure.flags),
            )
            for figure in report.figures
        ),
    )  # fmt: skip


def definitions(report: Report, say: Catalogue) -> Iterator[Table]:
    measures = dict.fromkeys(figure.measure for figure in report.figures)
    yield Table(
        id="definitions", title=say("page.method"), columns=names(say, "measure", "definition"),
        rows=tuple((say.measure(measure), say.measure(measure, "definition")) for measure in measures),
    )  # fmt: skip


ALL: tuple[Section, ...] = (summary, voice, sentiment, measures, topics, posts, sources)
LAST: tuple[Section, ...] = (definitions, evidence)
