"""A report as one HTML file that needs nothing else: no script, no request, styles and charts inside."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from folate.core.measures import brand_table_columns
from folate.core.text import replace_control_characters
from nlp.text.patterns import HAN_RANGES
from reports.build import Report
from reports.figures import ExternalText, Figure, FigureText
from reports.measures.coverage import no_results_message, unjudged_posts_message
from reports.messages import Messages, load_messages
from reports.render import charts
from reports.render import map_charts as perception_charts
from reports.sections.perception import AspectMeasures
from reports.sections.summary import subject_brand, top_untracked_topic
from reports.sections.topic_search import incomplete_topics_sentence

PAGE_SECTIONS = (
    "summary", "voice", "sentiment", "topics", "concerns", "perception", "switching", "emotions", "people", "campaigns", "posts", "sources",
    "method", "evidence",
)  # fmt: skip
TOPIC_STAGES = {
    "fading": "fading",
    "gone": "gone",
}  # of a topic's life; every other state is of one that rises
SHARE_OF_VOICE_COLUMNS = brand_table_columns("voice")
EMOTION_MEASURES = brand_table_columns("emotions")
INTENT_MEASURES = brand_table_columns("intents")
REACTIONS = brand_table_columns("reactions")


def render_html(report: Report) -> str:
    """The page. The same report gives the same bytes. Whatever came from the web is escaped and set apart by <bdi>."""
    say = load_messages(report.language)
    word = top_untracked_topic(report.topics)
    names = {
        cell.aspect: report.perception.aspect_name(cell.aspect, say)
        for cell in report.perception.cells
    }
    evidence: dict[str, list[Figure]] = {}
    for figure in report.figures:
        evidence.setdefault(figure.measure, []).append(figure)
    template = _environment(say, report.timezone).get_template("report.html.j2")
    return template.render(
        report=report,
        sections=page_sections(report),
        say=say,
        style=Markup(  # noqa: S704  # ours
            files("reports").joinpath("templates", "style.css").read_text(encoding="utf-8")
        ),
        about=subject_brand(report.brands),
        doubt=incomplete_topics_sentence(report.topic_search, report.week_posts, say),
        unjudged=lambda weeks: _words(unjudged_posts_message(weeks, say)),
        nothing=lambda key, weeks, missing: _words(no_results_message(key, weeks, missing, say)),
        word=word,
        word_place=report.topics.index(word) if word else None,
        staged={
            stage: [
                topic for topic in report.topics if TOPIC_STAGES.get(topic.state, "rising") == stage
            ]
            for stage in ("rising", "fading", "gone")
        },
        charts={} if report.empty else _charts(report, names),
        aspect_names=names,
        heat=_heat(report),
        switches={
            (pair.from_brand, pair.to_brand): pair for pair in report.perception.moves.switches
        },
        preferred={
            (pair.to_brand, pair.from_brand): pair for pair in report.perception.moves.preferred
        },
        weeks=str(len(report.brands[0].trend["share_of_voice"])) if report.brands else "",
        voice_columns=SHARE_OF_VOICE_COLUMNS,
        emotions=EMOTION_MEASURES,
        emotions_top=_top(report, EMOTION_MEASURES),
        intents=INTENT_MEASURES,
        intents_top=_top(report, INTENT_MEASURES),
        reactions=REACTIONS,
        posts={
            brand.id: [post for post in report.posts if post.brand == brand.id]
            for brand in report.brands
        },
        place={brand.id: place for place, brand in enumerate(report.brands)},
        labels={brand.id: brand.label for brand in report.brands},
        evidence=evidence,
        queries={
            query: f"q-{place}"
            for place, query in enumerate(dict.fromkeys(figure.query for figure in report.figures))
        },
    )


def page_sections(report: Report) -> tuple[str, ...]:
    """The sections of the page, in the order that a manager reads: a template and a title each; not those without content."""
    left_out = set()
    if report.empty:
        left_out |= {"voice", "sentiment", "perception", "switching", "emotions", "people"}
    if len(report.brands) < 2:
        left_out.add("switching")
    if report.empty or not report.campaigns:
        left_out.add("campaigns")
    if not report.concerns.tracked and not report.concerns.untracked:
        left_out.add("concerns")
    return tuple(name for name in PAGE_SECTIONS if name not in left_out)


def _top(report: Report, measures: Iterable[str]) -> float:
    """The end of the longest bar of these measures; 0 when none could be taken."""
    figures = [brand.figures[measure] for brand in report.brands for measure in measures]
    return max((figure.high or figure.value or 0.0 for figure in figures), default=0.0)


def _heat(report: Report) -> dict[str, list[AspectMeasures]]:
    """The cells of each aspect, a brand each; what most is said of comes first."""
    rows: dict[str, list[AspectMeasures]] = {}
    for cell in report.perception.cells:
        rows.setdefault(cell.aspect, []).append(cell)
    return dict(sorted(rows.items(), key=lambda row: (-sum(cell.net.n for cell in row[1]), row[0])))


def _charts(report: Report, aspects: Mapping[str, str]) -> dict[str, Any]:
    return _perception_charts(report, aspects) | {
        "wide": Markup(charts.share_of_voice_chart(report.brands, charts.WIDE_SIZE_PX)),  # noqa: S704  # escaped by vl-convert
        "narrow": Markup(charts.share_of_voice_chart(report.brands, charts.NARROW_SIZE_PX)),  # noqa: S704
        "panels": [
            Markup(charts.net_sentiment_chart(brand, place))  # noqa: S704
            for place, brand in enumerate(report.brands)
        ],
    }


def _perception_charts(report: Report, aspects: Mapping[str, str]) -> dict[str, Any]:
    seen, order = report.perception, [brand.id for brand in report.brands]
    names = {**aspects, **{brand.id: brand.label for brand in report.brands}}
    drawn = {}
    if not seen.map.why:
        drawn["map_wide"] = perception_charts.perceptual_map_chart(
            seen.map, order, names, perception_charts.MAP_WIDE_SIZE_PX
        )
        drawn["map_narrow"] = perception_charts.perceptual_map_chart(
            seen.map, order, names, perception_charts.MAP_NARROW_SIZE_PX
        )
    if seen.moves.together:
        drawn["ring"] = perception_charts.co_mention_chart(seen.moves.together, order, names)
    return {name: Markup(svg) for name, svg in drawn.items()}  # noqa: S704  # escaped by vl-convert


def _environment(say: Messages, zone: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: replace_control_characters(value) if type(value) is str else value,
    )
    environment.filters |= {
        "number": lambda figure: _link(figure, say.number(figure)),
        "signed": lambda figure: _link(figure, say.signed(figure)),
        "size": lambda figure: _link(figure, say.size(figure)),
        "interval": lambda figure: _link(figure, say.interval(figure)),
        "day": lambda moment: _day(moment, zone, say),
        "words": _words,
        "tongue": lambda text: "zh" if re.search(f"[{HAN_RANGES}]", text) else "en",
        "named": lambda value: ExternalText(str(value)),
        "labels": lambda topics: [topic.label(say.language) for topic in topics],
        "names": lambda names: escape(say("join.list")).join(_isolated(name) for name in names),
    }
    return environment


def _link(figure: Figure, text: str) -> Markup:
    """A number as a link to its evidence; nothing for an empty text. Only a Figure can be printed this way.

    Words in place of a number have the class ``words``: they are set smaller and may wrap.
    """
    if not text:
        return Markup()
    kind = "n words" if figure.value is None else "n"
    return Markup('<a class="{}" href="#e-{}" title="n = {:,}">{}</a>').format(
        kind, figure.id, figure.n, text
    )


def _words(parts: Iterable[str | ExternalText | FigureText]) -> Markup:
    return Markup().join(_part(part) for part in parts)


def _part(part: str | ExternalText | FigureText) -> Markup:
    if isinstance(part, FigureText):
        return _link(part.figure, part.text)
    return _isolated(part.text) if isinstance(part, ExternalText) else escape(part)


def _day(moment: datetime, zone: str, say: Messages) -> Markup:
    local = moment.astimezone(ZoneInfo(zone)).date()
    return Markup('<time datetime="{}">{}</time>').format(local, say.day(local))


def _isolated(text: str) -> Markup:
    return Markup("<bdi>{}</bdi>").format(replace_control_characters(text))
