"""A report as JSON for other programs. Field names are a promise: docs/report.md describes them, `SCHEMA` numbers them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from importlib.resources import files
from typing import Any

from reports.build import Report
from reports.figures import Change, Figure, FigureSentence
from reports.measures.brands import BrandMeasures
from reports.sections.campaigns import CampaignResult
from reports.sections.concerns import Concern
from reports.sections.people import People
from reports.sections.perception import BrandComparison, MapPoint, Perception
from reports.sections.posts_and_sources import SourceLine, TopPost
from reports.sections.quotes import Quote
from reports.sections.topic_search import TopicSearch
from reports.sections.topics import ReportTopic, TopicAudience

REPORT_SCHEMA = "folate-report/1"


def to_json(report: Report, page: bytes = b"") -> str:
    """The report as indented JSON, ending in a line break, with the digests of `page`, the HTML beside it, and of itself.

    The same report gives the same bytes.
    """
    plain = report_document(report)
    return _dumped(plain | {"digests": _digests(plain, page)})


def digests_match(document: Mapping[str, Any], page: bytes) -> bool:
    """Whether a report in JSON and an HTML page are the pair that was written, neither of them cut off or edited."""
    plain = {name: value for name, value in document.items() if name != "digests"}
    try:
        return bool(document.get("digests") == _digests(plain, page))
    except ValueError:  # it has a number that no report has
        return False


def _digests(plain: Mapping[str, Any], page: bytes) -> dict[str, str]:
    """SHA-256 of the page, as sha256sum prints it, and of the document without its digests."""
    return {
        "page": sha256(page).hexdigest(),
        "document": sha256(_dumped(plain).encode("utf-8", "surrogatepass")).hexdigest(),
    }


def _dumped(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def load_report_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the document, as published in reports/report.schema.json."""
    found: dict[str, Any] = json.loads(
        files("reports").joinpath("report.schema.json").read_text(encoding="utf-8")
    )
    return found


def report_document(report: Report) -> dict[str, Any]:
    """The report as plain values."""
    start, stop = report.week.bounds(report.timezone)
    return {
        "schema": REPORT_SCHEMA,
        "project": report.project,
        "language": report.language,
        "week": str(report.week),
        "starts": _moment(start),
        "ends": _moment(stop),
        "partial_until": _moment(report.partial_until),
        "versions": dict(report.versions),
        "summary": [_sentence(sentence) for sentence in report.summary],
        "week_posts": _figure(report.week_posts),
        "reading": {
            name: {part: _figure(getattr(weeks, part)) for part in ("posts", "unread", "unjudged")}
            for name in ("week", "perception", "moves")
            for weeks in (getattr(report.reading, name),)
        },
        "topics_sought": _search(report.topic_search),
        "configured": dict(report.configured),
        "brands": [_brand(brand) for brand in report.brands],
        "topics": [_topic(topic) for topic in report.topics],
        "concerns": {
            "tracked": _concerns(report.concerns.tracked),
            "untracked": _concerns(report.concerns.untracked),
        },
        "perception": _perception(report.perception),
        "people": _people(report.people),
        "campaigns": [campaign_document(result) for result in report.campaigns],
        "posts": [_post(post) for post in report.posts],
        "sources": [_source(source) for source in report.sources],
        "evidence": report.evidence,
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "evidence": figure.id, "value": figure.value, "low": figure.low, "high": figure.high, "n": figure.n, "unit": figure.unit,
        "flags": list(figure.flags),
    }  # fmt: skip


def _change(change: Change) -> dict[str, Any]:
    return _figure(change.figure) | {
        "direction": change.direction,
        "detectable": _figure(change.detectable),
    }


def _sentence(sentence: FigureSentence) -> dict[str, Any]:
    return {
        "id": sentence.id,
        "key": sentence.key,
        "text": sentence.text,
        "evidence": [figure.id for figure in sentence.figures],
    }


def _brand(brand: BrandMeasures) -> dict[str, Any]:
    return {
        "id": brand.id,
        "label": brand.label,
        "own": brand.own,
        "method": brand.method,
        "measures": {name: _figure(figure) for name, figure in brand.figures.items()},
        "changes": {name: _change(change) for name, change in brand.changes.items()},
        "trailing": {name: _change(change) for name, change in brand.trailing.items()},
        "trend": {
            name: [{"week": figure.week, **_figure(figure)} for figure in figures]
            for name, figures in brand.trend.items()
        },
    }


def _topic(topic: ReportTopic) -> dict[str, Any]:
    return {
        "id": topic.id,
        "state": topic.state,
        "labels": dict(topic.labels),
        "terms": list(topic.terms),
        "authors": _figure(topic.authors),
        "posts": _figure(topic.posts),
        "gain": _figure(topic.gain),
        "copies": _figure(topic.copies),
        "net": _figure(topic.net) if topic.net else None,
        "rise": {part: _figure(figure) for part, figure in topic.rise.items()},
        "first_seen": _moment(topic.first_seen),
        "sources": list(topic.sources),
        "watched": topic.watched,
        "flags": list(topic.flags),
        "audience": [_audience(audience) for audience in topic.audience],
        "brands": list(topic.brands),
        "quotes": [_quote(quote) for quote in topic.quotes],
    }


def _search(search: TopicSearch) -> dict[str, Any]:
    counted = {
        name: getattr(search, name) for name in ("baseline_weeks", "posts_since", "baseline_since")
    }
    return {
        "status": search.status, "versions": None if search.versions is None else dict(search.versions),
        "least_weeks": search.min_baseline_weeks, "wanted_weeks": search.configured_baseline_weeks,
    } | {name: figure and _figure(figure) for name, figure in counted.items()}  # fmt: skip


def _perception(seen: Perception) -> dict[str, Any]:
    return {
        "weeks": [str(week) for week in seen.weeks],
        "aspects": [
            {"brand": cell.brand, "aspect": cell.aspect, "share": _figure(cell.share), "net": _figure(cell.net)} for cell in seen.cells
        ],
        "gaps": [{"brand": gap.brand, "aspect": gap.aspect, "gap": _figure(gap.gap)} for gap in seen.gaps],
        "map": {
            "why": seen.map.why, "shown": [_figure(axis) for axis in seen.map.shown],
            "brands": [_place(place) for place in seen.map.brands], "aspects": [_place(place) for place in seen.map.aspects],
        },
        "words": [{"brand": word.brand, "word": word.text, "keyness": _figure(word.keyness)} for word in seen.words],
        "moves": {
            "weeks": [str(week) for week in seen.moves.weeks],
            "switches": [_pair(pair) for pair in seen.moves.switches],
            "preferred": [_pair(pair) for pair in seen.moves.preferred],
            "together": [{"one": pair.one, "other": pair.other, "posts": _figure(pair.posts)} for pair in seen.moves.together],
            "quotes": [_quote(quote) for quote in seen.moves.quotes],
        },
    }  # fmt: skip


def _people(who: People) -> dict[str, Any]:
    asked = who.questions
    return {
        "weeks": [str(week) for week in who.weeks],
        "voices": [
            {
                "author": voice.author, "source": voice.source, "brand": voice.brand, "posts": _figure(voice.posts),
                "reach": _figure(voice.reach), "engagement": _figure(voice.engagement), "opinion": _figure(voice.opinion),
            }
            for voice in who.voices
        ],
        "communities": [
            {"people": _figure(group.people), "brands": list(group.brands), "centre": group.centre} for group in who.communities
        ],
        "spreads": [
            {
                "topic": spread.topic, "first": _quote(spread.first), "spreader": _quote(spread.spreader) if spread.spreader else None,
                "carried": _figure(spread.carried),
            }
            for spread in who.spreads
        ],
        "questions": asked and {
            "asked": _figure(asked.asked), "unanswered": _figure(asked.unanswered), "quotes": [_quote(quote) for quote in asked.quotes],
        },
    }  # fmt: skip


def campaign_document(result: CampaignResult) -> dict[str, Any]:
    """One campaign as plain values, as a report and `folate campaign` give it."""
    return {
        "id": result.id, "names": list(result.names), "brand": result.brand, "start": str(result.start), "end": str(result.end),
        "phases": [{"phase": phase.name, "first": str(phase.first), "days": phase.days} for phase in result.phases],
        "scorecard": [
            {
                "measure": line.measure, "group": line.group, "values": _figures(line.values), "rivals": _figures(line.rivals),
                "effects": _figures(line.effects), "goal": line.goal, "reached": line.reached,
            }
            for line in result.lines
        ],
        "parts": [{"kind": part.kind, "name": part.name, "effects": _figures(part.effects)} for part in result.parts],
    }  # fmt: skip


def _figures(figures: Mapping[str, Figure]) -> dict[str, Any]:
    return {name: _figure(figure) for name, figure in figures.items()}


def _place(place: MapPoint) -> dict[str, Any]:
    outline = [list(corner) for corner in place.outline]
    return {
        "name": place.name,
        "across": _figure(place.across),
        "up": _figure(place.up),
        "outline": outline,
    }


def _pair(pair: BrandComparison) -> dict[str, Any]:
    return {
        "from": pair.from_brand,
        "to": pair.to_brand,
        "people": _figure(pair.people),
        "share": _figure(pair.share),
    }


def _concerns(concerns: tuple[Concern, ...]) -> list[dict[str, Any]]:
    return [
        {"labels": dict(concern.labels), "authors": _figure(concern.authors)}
        for concern in concerns
    ]


def _audience(audience: TopicAudience) -> dict[str, Any]:
    return {
        "name": audience.name,
        "share": _figure(audience.share),
        "outside": _figure(audience.outside),
    }


def _quote(quote: Quote) -> dict[str, Any]:
    return {
        "id": quote.id, "text": quote.text, "source": quote.source, "author": quote.author, "published_at": _moment(quote.published_at),
        "url": quote.url,
    }  # fmt: skip


def _post(post: TopPost) -> dict[str, Any]:
    return {"brand": post.brand, "engagement": _figure(post.engagement), "post": _quote(post.quote)}


def _source(source: SourceLine) -> dict[str, Any]:
    return {
        "name": source.name, "status": source.status, "posts": _figure(source.posts), "copies": _figure(source.copies),
        "queries": _figure(source.queries), "complete": _figure(source.complete), "reasons": list(source.reasons),
    }  # fmt: skip


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
