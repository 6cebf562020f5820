"""The emerging topics of a week as a report shows them: what was found, how sure it is, and three voices each."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf
from typing import Any

from corpora.store.snapshot import Snapshot, sql_literal
from nlp.extract.segments import SegmentDetector as Segments
from reports.figures import Figure
from reports.measures.brands import ReportContext
from reports.sections.quotes import Quote, load_quotes

MAX_TOPIC_QUOTES = 3  # of each topic
RISE_FACTORS = ("coverage", "volume", "share")
TopicFigureFactory = Callable[[str, float | None, str], Figure]
"""Makes a figure of a topic from a measure, its value and the SQL expression that gives it."""


@dataclass(frozen=True, kw_only=True)
class TopicAudience:
    """A segment that writes of a topic more than others do."""

    name: str
    share: Figure  # of the topic's authors
    outside: Figure  # of the week's other authors


@dataclass(frozen=True, kw_only=True)
class ReportTopic:
    """An emerging topic of the week, best first in a report."""

    id: str
    state: str  # new, weak, strong, fading, gone
    labels: Mapping[str, str]  # language -> label
    terms: tuple[str, ...]
    authors: Figure
    posts: Figure
    gain: Figure
    copies: Figure
    net: (
        Figure | None
    )  # net sentiment of its authors less that of the week's others; missing where it was not measured
    own_brand_authors: Figure | None  # its authors who name our brand with it; missing under five
    rise: Mapping[
        str, Figure
    ]  # coverage, volume and share: factors whose product is the rise over the mean of the weeks before
    first_seen: datetime | None
    sources: tuple[str, ...]
    watched: bool
    flags: tuple[str, ...]
    may_be_artefact: bool  # a flag says that the rise may be none
    audience: tuple[TopicAudience, ...]
    brands: tuple[str, ...]
    quotes: tuple[Quote, ...]

    def label(self, language: str) -> str:
        """In `language`, beside the other language's when that has a name of its own."""
        other = next((text for code, text in self.labels.items() if code != language and text), "")
        own = self.labels.get(language) or other
        return own if other in ("", own) else f"{own} / {other}"


def topics(snapshot: Snapshot, context: ReportContext) -> tuple[ReportTopic, ...]:
    """The topics stored for the week, best first, as discovery ranked them."""
    rows = snapshot.sql(
        f"SELECT * FROM topics WHERE week = {sql_literal(str(context.week))}"
    ).to_pylist()
    parsed = sorted(((row, json.loads(row["detail"] or "{}")) for row in rows), key=_rank)
    chosen = [
        (row["evidence"] or [])[: 4 * MAX_TOPIC_QUOTES] for row, _ in parsed
    ]  # the central ones come first; spare ones, as some repeat each other
    found = load_quotes(snapshot, [post for posts in chosen for post in posts])
    return tuple(
        _topic(row, detail, [found[post] for post in posts if post in found], context)
        for (row, detail), posts in zip(parsed, chosen, strict=True)
    )


def _rank(topic: tuple[Mapping[str, Any], Mapping[str, Any]]) -> tuple[float, bool, float, str]:
    """Discovery's rank; topics stored without one come last, tested before carried over, then by the margin over the threshold."""
    row, detail = topic
    return detail.get("rank", inf), row["q"] is None, -detail.get("margin", 0.0), row["id"]


def _topic(
    row: Mapping[str, Any], detail: Mapping[str, Any], said: Iterable[Quote], asked: ReportContext
) -> ReportTopic:
    figure = _asking(row, asked)
    rise = detail.get("rise") or {}
    return ReportTopic(
        id=row["id"],
        state=row["state"] or "new",
        labels={"zh": row["label_zh"] or "", "en": row["label_en"] or ""},
        terms=tuple(row["terms"] or ()),
        authors=figure("topic_authors", row["authors"], "authors"),
        posts=figure("topic_posts", row["posts"], "posts"),
        gain=figure("topic_gain", detail.get("gain"), _number("'gain'")),
        copies=figure("topic_copies", detail.get("copies"), _number("'copies'")),
        net=_net(detail.get("sentiment"), figure),
        own_brand_authors=_customers(detail.get("goes_with") or {}, figure, asked),
        rise={
            part: figure(f"topic_{part}", rise[part], _number("'rise'", f"'{part}'"))
            for part in RISE_FACTORS
            if rise.get(part) is not None
        },
        first_seen=row["first_seen"],
        sources=tuple(row["sources"] or ()),
        watched=bool(row["watched"]),
        flags=tuple(row["flags"] or ()),
        may_be_artefact=bool(detail.get("artefact")),
        audience=tuple(
            _audience(segment, found, figure, asked)
            for segment, found in sorted((detail.get("segments") or {}).items())
        ),
        brands=tuple(row["brands"] or ()),
        quotes=_distinct(said),
    )


def _net(told: Mapping[str, float] | None, figure: TopicFigureFactory) -> Figure | None:
    if not told:
        return None
    difference = figure("topic_net", told["difference"], _number("'sentiment'", "'difference'"))
    return replace(difference, low=told["low"], high=told["high"], n=int(told["authors"]))


def _customers(
    brands: Mapping[str, Mapping[str, float]], figure: TopicFigureFactory, asked: ReportContext
) -> Figure | None:
    own = asked.config.own_brand
    if own is None or own.id not in brands:
        return None
    authors = brands[own.id]["authors"]
    made = figure(
        "concern_authors", authors, _number("'goes_with'", sql_literal(own.id), "'authors'")
    )
    return replace(made, brand=own.id, n=int(authors))


def _audience(
    segment: str, found: Mapping[str, float], figure: TopicFigureFactory, asked: ReportContext
) -> TopicAudience:
    segments = Segments(asked.config.segments)
    at = ("'segments'", sql_literal(segment))
    return TopicAudience(
        name=" / ".join(segments.display_names(segment))
        if segment in segments.segment_ids
        else segment,
        share=figure("topic_audience", found["share"], _number(*at, "'share'")),
        outside=figure("topic_audience_outside", found["outside"], _number(*at, "'outside'")),
    )


def _asking(row: Mapping[str, Any], asked: ReportContext) -> TopicFigureFactory:
    """Makes the figures of one topic: measure, value and the SQL expression that gives it."""
    where = f"week = {sql_literal(str(asked.week))} AND id = {sql_literal(row['id'])}"
    common: dict[str, Any] = {
        "week": str(asked.week),
        "n": row["posts"] or 0,
        "versions": asked.versions,
        "posts": tuple(row["evidence"] or ()),
    }

    def figure(measure: str, value: float | None, expression: str) -> Figure:
        return Figure(
            measure=measure,
            value=value,
            query=f"SELECT {expression} FROM topics WHERE {where}",
            **common,
        )

    return figure


def _number(*path: str) -> str:
    """SQL for the number at a path of the JSON in `detail`."""
    return f"CAST({' -> '.join(('detail', *path[:-1]))} ->> {path[-1]} AS DOUBLE)"


def _distinct(quotes: Iterable[Quote]) -> tuple[Quote, ...]:
    return tuple({quote.text: quote for quote in reversed(list(quotes))}.values())[::-1][
        :MAX_TOPIC_QUOTES
    ]
