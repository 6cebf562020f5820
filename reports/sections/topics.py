"""The emerging topics of a week as a report shows them, with figures and quotes."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from math import inf
from typing import Any

from corpora.store.snapshot import sql_literal
from nlp.extract.segments import SegmentDetector
from reports.context import ReportContext
from reports.figures import Figure
from reports.sections.quotes import Quote, load_quotes

MAX_TOPIC_QUOTES = 3
"""Most quotes of each topic."""

_CANDIDATE_QUOTES = 4 * MAX_TOPIC_QUOTES
"""Most posts of a topic that its quotes are chosen from: some repeat each other."""

RISE_FACTORS = ("coverage", "volume", "share")
ENDED_STATES = ("fading", "gone")

Row = Mapping[str, Any]
TopicFigureFactory = Callable[[str, float | None, str], Figure]
"""Makes a figure of a topic from a measure, its value and the SQL expression that gives it."""


@dataclass(frozen=True, kw_only=True)
class TopicAudience:
    """An audience segment that writes about a topic more than others do."""

    name: str
    share: Figure
    """Share of the segment among the topic's authors."""
    outside: Figure
    """Share of the segment among the week's other authors."""


@dataclass(frozen=True, kw_only=True)
class ReportTopic:
    """An emerging topic of the week. A report has its topics best first."""

    id: str
    state: str
    """new, weak, strong, fading or gone."""
    labels: Mapping[str, str]
    """Label by language; empty where the topic has none in it."""
    terms: tuple[str, ...]
    authors: Figure
    posts: Figure
    gain: Figure
    copies: Figure
    net: Figure | None
    """Net sentiment of its authors less that of the week's other authors; None if not measured."""
    own_brand_authors: Figure | None
    """Its authors who name our brand with it; None under five."""
    rise: Mapping[str, Figure]
    """Coverage, volume and share: factors whose product is the rise over the baseline's mean."""
    first_seen: datetime | None
    sources: tuple[str, ...]
    watched: bool
    """Whether a term of the watch list is in it."""
    flags: tuple[str, ...]
    may_be_artefact: bool
    """Whether one of its flags says that it may not have risen at all."""
    audience: tuple[TopicAudience, ...]
    brands: tuple[str, ...]
    quotes: tuple[Quote, ...]

    def label(self, language: str) -> str:
        """Return the label in `language`, with that of another language where it differs."""
        other_labels = (text for code, text in self.labels.items() if code != language and text)
        other_label = next(other_labels, "")
        label = self.labels.get(language) or other_label
        return label if other_label in ("", label) else f"{label} / {other_label}"

    @property
    def has_ended(self) -> bool:
        """Whether the topic is fading or gone."""
        return self.state in ENDED_STATES


def rising_untracked_topics(topics: Iterable[ReportTopic]) -> Iterator[ReportTopic]:
    """Yield the topics that rise, are not on the watch list and may not be artefacts."""
    for topic in topics:
        if not topic.has_ended and not topic.watched and not topic.may_be_artefact:
            yield topic


def load_topics(context: ReportContext) -> tuple[ReportTopic, ...]:
    """Load the topics stored for the week, best first."""
    stored = context.rows(f"SELECT * FROM topics WHERE week = {sql_literal(str(context.week))}")
    details = [(row, json.loads(row["detail"] or "{}")) for row in stored]
    details.sort(key=_rank)
    # the most central posts come first
    candidates = [(row["evidence"] or [])[:_CANDIDATE_QUOTES] for row, _ in details]
    quotes = load_quotes(context.snapshot, list(chain.from_iterable(candidates)))
    topics = []
    for (row, detail), posts in zip(details, candidates, strict=True):
        topic_quotes = [quotes[post] for post in posts if post in quotes]
        topics.append(_report_topic(context, row, detail, topic_quotes))
    return tuple(topics)


def _rank(topic: tuple[Row, Row]) -> tuple[float, bool, float, str]:
    """Return the sort key of a topic: the rank that discovery gave it.

    Topics without a rank come last: those that were tested before those carried over, then by the
    margin over the threshold.
    """
    row, detail = topic
    return detail.get("rank", inf), row["q"] is None, -detail.get("margin", 0.0), row["id"]


def _report_topic(
    context: ReportContext, row: Row, detail: Row, quotes: Iterable[Quote]
) -> ReportTopic:
    """Make a topic of a row of the table `topics`; `detail` is its parsed column of that name."""
    figure = _topic_figure_factory(context, row)
    factors = detail.get("rise") or {}
    segments = sorted((detail.get("segments") or {}).items())
    return ReportTopic(
        id=row["id"],
        state=row["state"] or "new",
        labels={"zh": row["label_zh"] or "", "en": row["label_en"] or ""},
        terms=tuple(row["terms"] or ()),
        authors=figure("topic_authors", row["authors"], "authors"),
        posts=figure("topic_posts", row["posts"], "posts"),
        gain=figure("topic_gain", detail.get("gain"), _detail_number("'gain'")),
        copies=figure("topic_copies", detail.get("copies"), _detail_number("'copies'")),
        net=_sentiment_difference(detail.get("sentiment"), figure),
        own_brand_authors=_own_brand_authors(context, detail.get("goes_with") or {}, figure),
        rise={
            name: figure(f"topic_{name}", factors[name], _detail_number("'rise'", f"'{name}'"))
            for name in RISE_FACTORS
            if factors.get(name) is not None
        },
        first_seen=row["first_seen"],
        sources=tuple(row["sources"] or ()),
        watched=bool(row["watched"]),
        flags=tuple(row["flags"] or ()),
        may_be_artefact=bool(detail.get("artefact")),
        audience=tuple(
            _topic_audience(context, segment, shares, figure) for segment, shares in segments
        ),
        brands=tuple(row["brands"] or ()),
        quotes=_distinct_quotes(quotes),
    )


def _sentiment_difference(
    sentiment: Mapping[str, float] | None, figure: TopicFigureFactory
) -> Figure | None:
    if not sentiment:
        return None
    expression = _detail_number("'sentiment'", "'difference'")
    difference = figure("topic_net", sentiment["difference"], expression)
    return replace(
        difference, low=sentiment["low"], high=sentiment["high"], n=int(sentiment["authors"])
    )


def _own_brand_authors(
    context: ReportContext, brands: Mapping[str, Mapping[str, float]], figure: TopicFigureFactory
) -> Figure | None:
    own_brand_id = context.own_brand_id
    if own_brand_id is None or own_brand_id not in brands:
        return None
    author_count = brands[own_brand_id]["authors"]
    expression = _detail_number("'goes_with'", sql_literal(own_brand_id), "'authors'")
    authors = figure("concern_authors", author_count, expression)
    return replace(authors, brand=own_brand_id, n=int(author_count))


def _topic_audience(
    context: ReportContext, segment: str, shares: Mapping[str, float], figure: TopicFigureFactory
) -> TopicAudience:
    detector = SegmentDetector(context.config.segments)
    is_configured = segment in detector.segment_ids
    path = ("'segments'", sql_literal(segment))
    return TopicAudience(
        name=" / ".join(detector.display_names(segment)) if is_configured else segment,
        share=figure("topic_audience", shares["share"], _detail_number(*path, "'share'")),
        outside=figure(
            "topic_audience_outside", shares["outside"], _detail_number(*path, "'outside'")
        ),
    )


def _topic_figure_factory(context: ReportContext, row: Row) -> TopicFigureFactory:
    condition = f"week = {sql_literal(str(context.week))} AND id = {sql_literal(row['id'])}"

    def make_figure(measure: str, value: float | None, expression: str) -> Figure:
        return context.figure(
            measure,
            value,
            n=row["posts"] or 0,
            query=f"SELECT {expression} FROM topics WHERE {condition}",
            posts=row["evidence"] or (),
        )

    return make_figure


def _detail_number(*path: str) -> str:
    """Return SQL for the number at a path of the JSON in `detail`."""
    return f"CAST({' -> '.join(('detail', *path[:-1]))} ->> {path[-1]} AS DOUBLE)"


def _distinct_quotes(quotes: Iterable[Quote]) -> tuple[Quote, ...]:
    """Return at most MAX_TOPIC_QUOTES quotes with different texts.

    Of copies the first is returned, at the place of the last.
    """
    by_text: dict[str, Quote] = {}
    for quote in reversed(list(quotes)):
        by_text[quote.text] = quote
    return tuple(reversed(by_text.values()))[:MAX_TOPIC_QUOTES]
