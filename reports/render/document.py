"""A report as JSON for other programs.

Its fields are described in docs/report.md; they change only together with `REPORT_SCHEMA`.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from importlib.resources import files
from typing import Any

from reports.build import Report
from reports.figures import Change, Figure, FigureSentence
from reports.measures.brands import BrandMeasures
from reports.measures.coverage import AnnotationCoverage
from reports.sections.campaigns.measure import CampaignResult, ScorecardLine
from reports.sections.concerns import Concern
from reports.sections.people.find import BrandQuestions, Influencer, People, TopicSpread
from reports.sections.perception.aspects import AspectMeasures
from reports.sections.perception.map import MapPoint
from reports.sections.perception.moves import BrandComparison, BrandRelations
from reports.sections.perception.perceive import Perception
from reports.sections.posts_and_sources import SourceLine, TopPost
from reports.sections.quotes import Quote
from reports.sections.topic_search import TopicSearch
from reports.sections.topics import ReportTopic, TopicAudience

REPORT_SCHEMA = "folate-report/1"


def to_json(report: Report, page: bytes = b"") -> str:
    """Return the report as indented JSON; the same report gives the same bytes.

    It contains the digests of itself and of `page`, the HTML page of the same report.
    """
    fields = report_document(report)
    return serialize_document(fields | {"digests": _compute_digests(fields, page)})


def digests_match(document: Mapping[str, Any], page: bytes) -> bool:
    """Return whether a report in JSON and an HTML page are complete and were written together."""
    fields = {name: value for name, value in document.items() if name != "digests"}
    try:
        digests = _compute_digests(fields, page)
    except ValueError:  # NaN or infinity, which no report contains
        return False
    return bool(document.get("digests") == digests)


def _compute_digests(fields: Mapping[str, Any], page: bytes) -> dict[str, str]:
    """Return the SHA-256 of the page, and of the document without its digests."""
    document = serialize_document(fields).encode("utf-8", "surrogatepass")
    return {"page": sha256(page).hexdigest(), "document": sha256(document).hexdigest()}


def serialize_document(document: Mapping[str, Any]) -> str:
    """Return a document as JSON, as it is written and as its digest is computed.

    Raises ValueError for NaN and infinity.
    """
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def load_report_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the document, reports/report.schema.json."""
    text = files("reports").joinpath("report.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def report_document(report: Report) -> dict[str, Any]:
    """Return the report as plain values, without digests."""
    start, end = report.week.bounds(report.timezone)
    return {
        "schema": REPORT_SCHEMA,
        "project": report.project,
        "language": report.language,
        "week": str(report.week),
        "starts": _moment_text(start),
        "ends": _moment_text(end),
        "partial_until": _moment_text(report.partial_until),
        "versions": dict(report.versions),
        "summary": [_sentence_fields(sentence) for sentence in report.summary],
        "week_posts": _figure_fields(report.week_posts),
        "reading": {
            "week": _coverage_fields(report.reading.week),
            "perception": _coverage_fields(report.reading.perception),
            "moves": _coverage_fields(report.reading.moves),
        },
        "topics_sought": _topic_search_fields(report.topic_search),
        "configured": dict(report.configured),
        "brands": [_brand_fields(brand) for brand in report.brands],
        "topics": [_topic_fields(topic) for topic in report.topics],
        "concerns": {
            "tracked": _concern_rows(report.concerns.tracked),
            "untracked": _concern_rows(report.concerns.untracked),
        },
        "perception": _perception_fields(report.perception),
        "people": _people_fields(report.people),
        "campaigns": [campaign_document(result) for result in report.campaigns],
        **_saved_query_fields(report),
        "posts": [_post_fields(post) for post in report.posts],
        "sources": [_source_fields(source) for source in report.sources],
        "evidence": report.evidence,
    }


def _saved_query_fields(report: Report) -> dict[str, Any]:
    """Return the field `saved_queries`; a project without saved queries has none."""
    if not report.saved_queries:
        return {}
    rows = [
        {
            "name": query.name,
            "query": query.canonical,
            "problem": query.problem,
            "measures": _figures_by_name(query.figures),
            "changes": _changes_by_name(query.changes),
            "trend": _trend_rows(query.trend),
        }
        for query in report.saved_queries
    ]
    return {"saved_queries": rows}


def campaign_document(result: CampaignResult) -> dict[str, Any]:
    """Return one campaign as plain values, as in a report and in `folate campaign`."""
    return {
        "id": result.id,
        "names": list(result.names),
        "brand": result.brand,
        "start": str(result.start),
        "end": str(result.end),
        "phases": [
            {"phase": phase.name, "first": str(phase.first), "days": phase.days}
            for phase in result.phases
        ],
        "scorecard": [_scorecard_row(line) for line in result.lines],
        "parts": [
            {"kind": part.kind, "name": part.name, "effects": _figures_by_name(part.effects)}
            for part in result.parts
        ],
    }


def _scorecard_row(line: ScorecardLine) -> dict[str, Any]:
    return {
        "measure": line.measure,
        "group": line.group,
        "values": _figures_by_name(line.values),
        "rivals": _figures_by_name(line.rivals),
        "effects": _figures_by_name(line.effects),
        "goal": line.goal,
        "reached": line.reached,
    }


def _figure_fields(figure: Figure) -> dict[str, Any]:
    return {
        "evidence": figure.id,
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "n": figure.n,
        "unit": figure.unit,
        "flags": list(figure.flags),
    }


def _optional_figure_fields(figure: Figure | None) -> dict[str, Any] | None:
    return None if figure is None else _figure_fields(figure)


def _figures_by_name(figures: Mapping[str, Figure]) -> dict[str, Any]:
    return {name: _figure_fields(figure) for name, figure in figures.items()}


def _change_fields(change: Change) -> dict[str, Any]:
    return {
        **_figure_fields(change.figure),
        "direction": change.direction,
        "detectable": _figure_fields(change.detectable),
    }


def _changes_by_name(changes: Mapping[str, Change]) -> dict[str, Any]:
    return {name: _change_fields(change) for name, change in changes.items()}


def _trend_rows(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    return [{"week": figure.week, **_figure_fields(figure)} for figure in figures]


def _sentence_fields(sentence: FigureSentence) -> dict[str, Any]:
    return {
        "id": sentence.id,
        "key": sentence.key,
        "text": sentence.text,
        "evidence": [figure.id for figure in sentence.figures],
    }


def _coverage_fields(coverage: AnnotationCoverage) -> dict[str, Any]:
    return {
        "posts": _figure_fields(coverage.posts),
        "unread": _figure_fields(coverage.unread),
        "unjudged": _figure_fields(coverage.unjudged),
    }


def _brand_fields(brand: BrandMeasures) -> dict[str, Any]:
    return {
        "id": brand.id,
        "label": brand.label,
        "own": brand.own,
        "method": brand.method,
        "measures": _figures_by_name(brand.figures),
        "changes": _changes_by_name(brand.changes),
        "trailing": _changes_by_name(brand.trailing),
        "trend": {name: _trend_rows(figures) for name, figures in brand.trend.items()},
    }


def _topic_fields(topic: ReportTopic) -> dict[str, Any]:
    return {
        "id": topic.id,
        "state": topic.state,
        "labels": dict(topic.labels),
        "terms": list(topic.terms),
        "authors": _figure_fields(topic.authors),
        "posts": _figure_fields(topic.posts),
        "gain": _figure_fields(topic.gain),
        "copies": _figure_fields(topic.copies),
        "net": _optional_figure_fields(topic.net),
        "rise": _figures_by_name(topic.rise),
        "first_seen": _moment_text(topic.first_seen),
        "sources": list(topic.sources),
        "watched": topic.watched,
        "flags": list(topic.flags),
        "audience": [_audience_fields(audience) for audience in topic.audience],
        "brands": list(topic.brands),
        "quotes": [_quote_fields(quote) for quote in topic.quotes],
    }


def _topic_search_fields(search: TopicSearch) -> dict[str, Any]:
    return {
        "status": search.status,
        "versions": None if search.versions is None else dict(search.versions),
        "least_weeks": search.min_baseline_weeks,
        "wanted_weeks": search.configured_baseline_weeks,
        "baseline_weeks": _optional_figure_fields(search.baseline_weeks),
        "posts_since": _optional_figure_fields(search.posts_since),
        "baseline_since": _optional_figure_fields(search.baseline_since),
    }


def _perception_fields(perception: Perception) -> dict[str, Any]:
    perceptual_map = perception.map
    return {
        "weeks": [str(week) for week in perception.weeks],
        "aspects": [_aspect_row(cell) for cell in perception.cells],
        "gaps": [
            {"brand": gap.brand, "aspect": gap.aspect, "gap": _figure_fields(gap.gap)}
            for gap in perception.gaps
        ],
        "map": {
            "why": perceptual_map.why,
            "shown": [_figure_fields(axis) for axis in perceptual_map.shown],
            "brands": [_map_point_fields(point) for point in perceptual_map.brands],
            "aspects": [_map_point_fields(point) for point in perceptual_map.aspects],
        },
        "words": [
            {"brand": word.brand, "word": word.text, "keyness": _figure_fields(word.keyness)}
            for word in perception.words
        ],
        "moves": _brand_relation_fields(perception.moves),
    }


def _aspect_row(cell: AspectMeasures) -> dict[str, Any]:
    return {
        "brand": cell.brand,
        "aspect": cell.aspect,
        "share": _figure_fields(cell.share),
        "net": _figure_fields(cell.net),
    }


def _map_point_fields(point: MapPoint) -> dict[str, Any]:
    return {
        "name": point.name,
        "across": _figure_fields(point.across),
        "up": _figure_fields(point.up),
        "outline": [list(corner) for corner in point.outline],
    }


def _brand_relation_fields(relations: BrandRelations) -> dict[str, Any]:
    return {
        "weeks": [str(week) for week in relations.weeks],
        "switches": [_comparison_fields(comparison) for comparison in relations.switches],
        "preferred": [_comparison_fields(comparison) for comparison in relations.preferred],
        "together": [
            {"one": pair.one, "other": pair.other, "posts": _figure_fields(pair.posts)}
            for pair in relations.together
        ],
        "quotes": [_quote_fields(quote) for quote in relations.quotes],
    }


def _comparison_fields(comparison: BrandComparison) -> dict[str, Any]:
    return {
        "from": comparison.from_brand,
        "to": comparison.to_brand,
        "people": _figure_fields(comparison.people),
        "share": _figure_fields(comparison.share),
    }


def _people_fields(people: People) -> dict[str, Any]:
    questions = people.questions
    return {
        "weeks": [str(week) for week in people.weeks],
        "voices": [_influencer_fields(influencer) for influencer in people.voices],
        "communities": [
            {
                "people": _figure_fields(community.people),
                "brands": list(community.brands),
                "centre": community.centre,
            }
            for community in people.communities
        ],
        "spreads": [_spread_fields(spread) for spread in people.spreads],
        "questions": None if questions is None else _question_fields(questions),
    }


def _influencer_fields(influencer: Influencer) -> dict[str, Any]:
    return {
        "author": influencer.author,
        "source": influencer.source,
        "brand": influencer.brand,
        "posts": _figure_fields(influencer.posts),
        "reach": _figure_fields(influencer.reach),
        "engagement": _figure_fields(influencer.engagement),
        "opinion": _figure_fields(influencer.opinion),
    }


def _spread_fields(spread: TopicSpread) -> dict[str, Any]:
    return {
        "topic": spread.topic,
        "first": _quote_fields(spread.first),
        "spreader": _quote_fields(spread.spreader) if spread.spreader else None,
        "carried": _figure_fields(spread.carried),
    }


def _question_fields(questions: BrandQuestions) -> dict[str, Any]:
    return {
        "asked": _figure_fields(questions.asked),
        "unanswered": _figure_fields(questions.unanswered),
        "quotes": [_quote_fields(quote) for quote in questions.quotes],
    }


def _concern_rows(concerns: Iterable[Concern]) -> list[dict[str, Any]]:
    return [
        {"labels": dict(concern.labels), "authors": _figure_fields(concern.authors)}
        for concern in concerns
    ]


def _audience_fields(audience: TopicAudience) -> dict[str, Any]:
    return {
        "name": audience.name,
        "share": _figure_fields(audience.share),
        "outside": _figure_fields(audience.outside),
    }


def _quote_fields(quote: Quote) -> dict[str, Any]:
    return {
        "id": quote.id,
        "text": quote.text,
        "source": quote.source,
        "author": quote.author,
        "published_at": _moment_text(quote.published_at),
        "url": quote.url,
    }


def _post_fields(post: TopPost) -> dict[str, Any]:
    return {
        "brand": post.brand,
        "engagement": _figure_fields(post.engagement),
        "post": _quote_fields(post.quote),
    }


def _source_fields(source: SourceLine) -> dict[str, Any]:
    return {
        "name": source.name,
        "status": source.status,
        "posts": _figure_fields(source.posts),
        "copies": _figure_fields(source.copies),
        "queries": _figure_fields(source.queries),
        "complete": _figure_fields(source.complete),
        "reasons": list(source.reasons),
    }


def _moment_text(moment: datetime | None) -> str | None:
    """Return a moment in ISO 8601 and UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat()
