"""Renders a report as one HTML file with its styles and charts, without scripts and requests."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment
from markupsafe import Markup, escape

from folate.core.measures import brand_table_columns
from folate.core.text import contains_chinese, replace_control_characters
from reports.build import Report
from reports.context import TRAILING_WEEKS
from reports.figures import ExternalText, Figure, FigureText
from reports.measures.coverage import (
    AnnotationCoverage,
    no_results_message,
    unjudged_posts_message,
)
from reports.messages import Messages, load_messages
from reports.render import charts, map_charts
from reports.render.tables.table import SHARE_OF_VOICE_COLUMNS
from reports.render.template import create_template_environment, load_style_sheet
from reports.sections.perception.aspects import AspectMeasures
from reports.sections.posts_and_sources import TopPost
from reports.sections.summary import subject_brand, top_untracked_topic
from reports.sections.topic_search import incomplete_topics_sentence
from reports.sections.topics import ReportTopic

# The sections of the page in their order: each has a template and a title.
PAGE_SECTIONS = (
    "summary",
    "voice",
    "sentiment",
    "topics",
    "concerns",
    "perception",
    "switching",
    "emotions",
    "people",
    "campaigns",
    "saved",
    "posts",
    "sources",
    "method",
    "evidence",
)
# Groups of topics on the page, by state; all other states are in "rising".
TOPIC_STAGES = {"fading": "fading", "gone": "gone"}
EMOTION_MEASURES = brand_table_columns("emotions")
INTENT_MEASURES = brand_table_columns("intents")
REACTIONS = brand_table_columns("reactions")


def render_html(report: Report) -> str:
    """Render the page of a report; the same report gives the same page.

    Text from the web is escaped, and isolated by <bdi>, so that it cannot change the direction of
    the text around it.
    """
    message = load_messages(report.language)
    environment = _create_environment(message, report.timezone)
    return environment.get_template("report.html.j2").render(
        report=report,
        sections=page_sections(report),
        message=message,
        style=load_style_sheet(),
        **_brand_variables(report),
        **_topic_variables(report, message),
        **_perception_variables(report, message),
        **_saved_query_variables(report),
        **_coverage_variables(message),
        **_evidence_variables(report),
    )


def page_sections(report: Report) -> tuple[str, ...]:
    """Return the names of the sections that have content, in the order of the page."""
    omitted = set()
    if report.empty:
        omitted |= {"voice", "sentiment", "perception", "switching", "emotions", "people"}
    if len(report.brands) < 2:
        omitted.add("switching")
    if report.empty or not report.campaigns:
        omitted.add("campaigns")
    if not report.concerns.tracked and not report.concerns.untracked:
        omitted.add("concerns")
    if not report.saved_queries:
        omitted.add("saved")
    return tuple(name for name in PAGE_SECTIONS if name not in omitted)


def _brand_variables(report: Report) -> dict[str, Any]:
    """Return the variables of the template with the brands and their measures and posts."""
    week_count = len(report.brands[0].trend["share_of_voice"]) if report.brands else ""
    brand_posts: dict[str, list[TopPost]] = {brand.id: [] for brand in report.brands}
    for post in report.posts:
        if post.brand in brand_posts:
            brand_posts[post.brand].append(post)
    return {
        "subject_brand": subject_brand(report.brands),
        "brand_index": {brand.id: index for index, brand in enumerate(report.brands)},
        "labels": {brand.id: brand.label for brand in report.brands},
        "brand_posts": brand_posts,
        "week_count": str(week_count),
        "share_of_voice_columns": SHARE_OF_VOICE_COLUMNS,
        "emotion_measures": EMOTION_MEASURES,
        "max_emotion": _max_value(report, EMOTION_MEASURES),
        "intent_measures": INTENT_MEASURES,
        "max_intent": _max_value(report, INTENT_MEASURES),
        "reaction_measures": REACTIONS,
    }


def _topic_variables(report: Report, message: Messages) -> dict[str, Any]:
    """Return the variables of the template with the topics."""
    topics_by_stage: dict[str, list[ReportTopic]] = {"rising": [], "fading": [], "gone": []}
    for topic in report.topics:
        topics_by_stage[TOPIC_STAGES.get(topic.state, "rising")].append(topic)
    untracked_topic = top_untracked_topic(report.topics)
    return {
        "topics_by_stage": topics_by_stage,
        "topics_problem": incomplete_topics_sentence(
            report.topic_search, report.week_posts, message
        ),
        "untracked_topic": untracked_topic,
        "untracked_index": report.topics.index(untracked_topic) if untracked_topic else None,
    }


def _perception_variables(report: Report, message: Messages) -> dict[str, Any]:
    """Return the variables of the template with aspects, brand relations and charts."""
    perception = report.perception
    aspect_names = {
        cell.aspect: perception.aspect_name(cell.aspect, message) for cell in perception.cells
    }
    return {
        "aspect_names": aspect_names,
        "aspect_rows": _group_by_aspect(report),
        "switch_pairs": {
            (pair.from_brand, pair.to_brand): pair for pair in perception.moves.switches
        },
        "preference_pairs": {
            (pair.to_brand, pair.from_brand): pair for pair in perception.moves.preferred
        },
        "charts": {} if report.empty else _render_charts(report, aspect_names),
    }


def _saved_query_variables(report: Report) -> dict[str, Any]:
    """Return the variables of the template with the charts of saved queries."""
    answered = [query for query in report.saved_queries if not query.problem]
    week_count = len(answered[0].trend) if answered else ""
    saved_charts = {
        query.name: Markup(charts.hit_rate_chart(query.trend))  # noqa: S704
        for query in answered
    }
    return {"saved_weeks": str(week_count or TRAILING_WEEKS), "saved_charts": saved_charts}


def _coverage_variables(message: Messages) -> dict[str, Any]:
    """Return the functions of the template that explain missing results."""

    def render_unjudged_note(coverage: AnnotationCoverage) -> Markup:
        return _render_parts(unjudged_posts_message(coverage, message))

    def render_no_results(key: str, coverage: AnnotationCoverage, missing: Figure) -> Markup:
        return _render_parts(no_results_message(key, coverage, missing, message))

    return {"unjudged_note": render_unjudged_note, "no_results": render_no_results}


def _evidence_variables(report: Report) -> dict[str, Any]:
    """Return the variables of the template with the figures by measure and their queries."""
    figures_by_measure: dict[str, list[Figure]] = {}
    for figure in report.figures:
        figures_by_measure.setdefault(figure.measure, []).append(figure)
    query_ids: dict[str, str] = {}
    for figure in report.figures:
        query_ids.setdefault(figure.query, f"q-{len(query_ids)}")
    return {"evidence": figures_by_measure, "query_ids": query_ids}


def _max_value(report: Report, measures: Iterable[str]) -> float:
    """Return the largest upper bound or value of these measures; 0 if none has a value."""
    figures = [brand.figures[measure] for brand in report.brands for measure in measures]
    return max((figure.high or figure.value or 0.0 for figure in figures), default=0.0)


def _group_by_aspect(report: Report) -> dict[str, list[AspectMeasures]]:
    """Return the measures of the brands by aspect, beginning with the most frequent aspect."""
    rows: dict[str, list[AspectMeasures]] = {}
    for measures in report.perception.cells:
        rows.setdefault(measures.aspect, []).append(measures)

    def sort_key(aspect: str) -> tuple[int, str]:
        return -sum(measures.net.n for measures in rows[aspect]), aspect

    return {aspect: rows[aspect] for aspect in sorted(rows, key=sort_key)}


def _render_charts(report: Report, aspect_names: Mapping[str, str]) -> dict[str, Any]:
    """Render the charts as SVG, by their names in the templates; vl-convert escapes their text."""
    svgs = {
        "wide": charts.share_of_voice_chart(report.brands, charts.WIDE_SIZE_PX),
        "narrow": charts.share_of_voice_chart(report.brands, charts.NARROW_SIZE_PX),
        **_render_map_charts(report, aspect_names),
    }
    panels = [charts.net_sentiment_chart(brand, index) for index, brand in enumerate(report.brands)]
    rendered: dict[str, Any] = {name: Markup(svg) for name, svg in svgs.items()}  # noqa: S704
    rendered["panels"] = [Markup(svg) for svg in panels]  # noqa: S704
    return rendered


def _render_map_charts(report: Report, aspect_names: Mapping[str, str]) -> dict[str, str]:
    perception = report.perception
    brand_ids = [brand.id for brand in report.brands]
    names = {**aspect_names, **{brand.id: brand.label for brand in report.brands}}
    svgs = {}
    if not perception.map.why:
        svgs["map_wide"] = map_charts.perceptual_map_chart(
            perception.map, brand_ids, names, map_charts.MAP_WIDE_SIZE_PX
        )
        svgs["map_narrow"] = map_charts.perceptual_map_chart(
            perception.map, brand_ids, names, map_charts.MAP_NARROW_SIZE_PX
        )
    if perception.moves.together:
        svgs["ring"] = map_charts.co_mention_chart(perception.moves.together, brand_ids, names)
    return svgs


def _create_environment(message: Messages, timezone: str) -> Environment:
    """Create the environment of the page with its filters."""

    def join_names(names: Iterable[str]) -> Markup:
        return escape(message("join.list")).join(_isolate_text(name) for name in names)

    def topic_labels(topics: Iterable[ReportTopic]) -> list[str]:
        return [topic.label(message.language) for topic in topics]

    environment = create_template_environment(finalize=_clean_output)
    environment.filters |= {
        "number": lambda figure: _link_figure(figure, message.number(figure)),
        "signed": lambda figure: _link_figure(figure, message.signed(figure)),
        "size": lambda figure: _link_figure(figure, message.size(figure)),
        "interval": lambda figure: _link_figure(figure, message.interval(figure)),
        "day": lambda moment: _render_day(moment, timezone, message),
        "render_parts": _render_parts,
        "language": lambda text: "zh" if contains_chinese(text) else "en",
        "external_text": lambda value: ExternalText(str(value)),
        "topic_labels": topic_labels,
        "join_names": join_names,
    }
    return environment


def _clean_output(value: Any) -> Any:
    """Replace control characters in plain strings; markup was cleaned when it was created."""
    return replace_control_characters(value) if type(value) is str else value


def _link_figure(figure: Figure, text: str) -> Markup:
    """Render the text of a figure as a link to its evidence; an empty text gives nothing.

    A text in place of a number has the class `words`: it is smaller and may wrap.
    """
    if not text:
        return Markup()
    css_class = "n words" if figure.value is None else "n"
    return Markup('<a class="{}" href="#e-{}" title="n = {:,}">{}</a>').format(
        css_class, figure.id, figure.n, text
    )


def _render_parts(parts: Iterable[str | ExternalText | FigureText]) -> Markup:
    """Render the parts of a message: our own text, isolated text from outside, and figures."""
    return Markup().join(_render_part(part) for part in parts)


def _render_part(part: str | ExternalText | FigureText) -> Markup:
    if isinstance(part, FigureText):
        return _link_figure(part.figure, part.text)
    if isinstance(part, ExternalText):
        return _isolate_text(part.text)
    return escape(part)


def _render_day(moment: datetime, timezone: str, message: Messages) -> Markup:
    local_date = moment.astimezone(ZoneInfo(timezone)).date()
    return Markup('<time datetime="{}">{}</time>').format(local_date, message.day(local_date))


def _isolate_text(text: str) -> Markup:
    return Markup("<bdi>{}</bdi>").format(replace_control_characters(text))
