"""A report as neutral tables: what Markdown and the workbook print, and any other form may.

A section of the report gets its tables by one function in SECTIONS: report and catalogue in, tables out.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from reports.build import Report
from reports.catalogue import Catalogue, catalogue
from reports.figures import Change, Figure
from reports.html import VOICE_COLUMNS
from reports.measures import BrandMeasures
from reports.sections import Quote

Cell = str | int | date | Figure | None
SENTIMENT_COLUMNS = ("net_sentiment_polar", "net_sentiment_all", "negative", "neutral", "positive", "rating")


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table under one title. Numbers of the data are Figures; every string may be hostile. Raises ValueError for uneven rows."""

    id: str  # the same in every language
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    lead: str = ""  # what it shows
    empty: str = ""  # said in place of the rows, when there are none

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"wanted {len(self.columns)} cells in every row of the table {self.id!r}, got other numbers.")


def tables(report: Report) -> list[Table]:
    """Every table of the report that has rows, or something to say of having none; the evidence is the last."""
    say = catalogue(report.language)
    return [table for section in SECTIONS for table in section(report, say) if table.rows or table.empty]


def _summary(report: Report, say: Catalogue) -> Iterator[Table]:
    rows = tuple((sentence.text,) for sentence in report.summary)
    yield Table(id="summary", title=say("page.summary"), columns=(say("table.sentence"),), rows=rows)


def _voice(report: Report, say: Catalogue) -> Iterator[Table]:
    if report.empty:
        return
    yield _brands("voice", VOICE_COLUMNS, "share_of_voice", report, say, lead=say("page.voice_lead"))
    yield _weeks("voice_weeks", "share_of_voice", report, say)


def _sentiment(report: Report, say: Catalogue) -> Iterator[Table]:
    if report.empty:
        return
    yield _brands("sentiment", SENTIMENT_COLUMNS, "net_sentiment_polar", report, say, lead=say("page.sentiment_lead"))
    yield _weeks("sentiment_weeks", "net_sentiment_polar", report, say)


def _brands(name: str, measures: Sequence[str], changed: str, report: Report, say: Catalogue, lead: str) -> Table:
    """A row a brand: its measures, and how one of them changed."""
    columns = (say("page.brand_column"), *(say.measure(measure) for measure in measures), say("page.against"), say("table.difference"))
    rows = tuple(
        (_label(brand, say), *(brand.figures[measure] for measure in measures), *_change(brand.changes.get(changed), say))
        for brand in report.brands
    )
    return Table(id=name, title=say(f"page.{name}"), columns=columns, rows=rows, lead=lead)


def _label(brand: BrandMeasures, say: Catalogue) -> str:
    return f"{brand.label} ({say('page.own')})" if brand.own else brand.label


def _change(change: Change | None, say: Catalogue) -> tuple[str, Figure | None]:
    return (say("change.missing"), None) if change is None else (say(f"direction.{change.direction}"), change.figure)


def _weeks(name: str, measure: str, report: Report, say: Catalogue) -> Table:
    """A row a week, a column a brand."""
    trends = [brand.trend[measure] for brand in report.brands]
    return Table(
        id=name,
        title=say("table.by_week", measure=say.measure(measure)),
        columns=(say("page.week_column"), *(brand.label for brand in report.brands)),
        rows=tuple((figures[0].week, *figures) for figures in zip(*trends, strict=True)),
    )


def _topics(report: Report, say: Catalogue) -> Iterator[Table]:
    joined = say("join.list").join
    shown = ("topic_authors", "topic_posts", "topic_gain", "topic_copies")
    yield Table(
        id="topics", title=say("page.topics"), lead=say("page.topics_lead"), empty=say("page.topics_none"),
        columns=(
            *_names(say, "topic", "state", "watched"), *(say.measure(measure) for measure in shown),
            *_names(say, "first_seen", "sources", "terms", "audience", "flags"),
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
        id="quotes", title=say("table.quotes"), columns=_names(say, "topic", "quote", "source", "date", "address"),
        rows=tuple((topic.label(say.language), *_quote(quote, report.zone)) for topic in report.topics for quote in topic.quotes),
    )  # fmt: skip


def _posts(report: Report, say: Catalogue) -> Iterator[Table]:
    labels = {brand.id: brand.label for brand in report.brands}
    yield Table(
        id="posts", title=say("page.posts"), lead=say("page.posts_lead"), empty=say("page.posts_none"),
        columns=(say("page.brand_column"), say.measure("engagement"), *_names(say, "quote", "source", "date", "address")),
        rows=tuple((labels[post.brand], post.engagement, *_quote(post.quote, report.zone)) for post in report.posts),
    )  # fmt: skip


def _sources(report: Report, say: Catalogue) -> Iterator[Table]:
    columns = ("source", "status", "posts", "copies", "queries")
    yield Table(
        id="sources", title=say("page.sources"), lead=say("page.sources_lead"), empty=say("page.sources_none"),
        columns=(*(say(f"column.{name}") for name in columns), *_names(say, "complete", "reasons")),
        rows=tuple(
            (line.name, say.word("status", line.status), line.posts, line.copies, line.queries, line.complete, "; ".join(line.reasons))
            for line in report.sources
        ),
    )  # fmt: skip


def _evidence(report: Report, say: Catalogue) -> Iterator[Table]:
    """Every number of the report, whatever section it is of."""
    labels = {brand.id: brand.label for brand in report.brands}
    yield Table(
        id="evidence", title=say("page.evidence"), lead=say("page.evidence_paper"),
        columns=(
            *_names(say, "id", "measure"), say("page.brand_column"), say("page.week_column"),
            *_names(say, "value", "n", "flags"),
        ),
        rows=tuple(
            (
                figure.id, say.measure(figure.measure), labels.get(figure.brand or "", figure.brand), figure.week, figure, figure.n,
                say("join.list").join(say.word("flag", flag) for flag in figure.flags),
            )
            for figure in report.figures
        ),
    )  # fmt: skip


def _definitions(report: Report, say: Catalogue) -> Iterator[Table]:
    measures = dict.fromkeys(figure.measure for figure in report.figures)
    yield Table(
        id="definitions", title=say("page.method"), columns=_names(say, "measure", "definition"),
        rows=tuple((say.measure(measure), say.measure(measure, "definition")) for measure in measures),
    )  # fmt: skip


def _quote(quote: Quote, zone: str) -> tuple[Cell, ...]:
    return quote.text, quote.source, quote.published_at.astimezone(ZoneInfo(zone)).date(), quote.url


def _names(say: Catalogue, *columns: str) -> tuple[str, ...]:
    return tuple(say(f"table.{column}") for column in columns)


SECTIONS: tuple[Callable[[Report, Catalogue], Iterator[Table]], ...] = (
    _summary, _voice, _sentiment, _topics, _posts, _sources, _definitions, _evidence,
)  # fmt: skip
"""In the order that they are printed in."""
