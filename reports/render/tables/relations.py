"""The tables of brands against each other, and of the people who speak."""

from collections.abc import Iterator

from reports.build import Report
from reports.measures.coverage import no_results_message
from reports.messages import Messages
from reports.render.tables.table import (
    QUOTE_COLUMNS,
    ReportTable,
    TableBuilder,
    brand_labels,
    column_titles,
    parts_to_text,
    quote_cells,
)
from reports.sections.campaigns.measures import PART_MEASURES
from reports.sections.perception.moves import BrandComparison


def aspect_tables(report: Report, say: Messages) -> Iterator[ReportTable]:
    known, found = brand_labels(report), report.perception
    brand, aspect = say("page.brand_column"), say("page.aspect_column")
    yield ReportTable(
        id="aspects", title=say("page.perception"), lead=say("page.heat_lead"),
        empty_text=parts_to_text(no_results_message("page.perception_none", report.reading.perception, report.reading.perception.unjudged, say)),
        columns=(brand, aspect, say.measure("aspect_net"), say.measure("aspect_share")),
        rows=tuple((known[cell.brand], found.aspect_name(cell.aspect, say), cell.net, cell.share) for cell in found.cells),
    )  # fmt: skip
    yield ReportTable(
        id="gaps", title=say("page.gaps"), columns=(brand, aspect, say.measure("aspect_gap")),
        rows=tuple((known[gap.brand], found.aspect_name(gap.aspect, say), gap.gap) for gap in found.gaps),
    )  # fmt: skip
    places = [(known[place.name], place) for place in found.map.brands]
    places += [(found.aspect_name(place.name, say), place) for place in found.map.aspects]
    yield ReportTable(
        id="map", title=say("page.map"), columns=column_titles(say, "place", "across", "up"),
        rows=tuple((name, place.across, place.up) for name, place in places),
    )  # fmt: skip
    yield ReportTable(
        id="words", title=say("page.words"), lead=say("page.words_lead"), columns=(brand, *column_titles(say, "word"), say.measure("keyness")),
        rows=tuple((known[word.brand], word.text, word.keyness) for word in found.words),
    )  # fmt: skip


def brand_relation_tables(report: Report, say: Messages) -> Iterator[ReportTable]:
    known, found = brand_labels(report), report.perception.moves

    def pairs(
        name: str, measure: str, share: str, rows: tuple[BrandComparison, ...]
    ) -> ReportTable:
        return ReportTable(
            id=name, title=say(f"page.{name}"), columns=(*column_titles(say, "from", "to"), say.measure(measure), say.measure(share)),
            rows=tuple((known[pair.from_brand], known[pair.to_brand], pair.people, pair.share) for pair in rows),
        )  # fmt: skip

    yield pairs("switching", "switchers", "switch_share", found.switches)
    yield pairs("preferred", "preferring", "preferred_share", found.preferred)
    yield ReportTable(
        id="together", title=say("page.together"), columns=(*column_titles(say, "brand", "other"), say.measure("co_mentions")),
        rows=tuple((known[pair.one], known[pair.other], pair.posts) for pair in found.together),
    )  # fmt: skip
    yield ReportTable(
        id="switching_quotes", title=say("table.switching_quotes"), columns=column_titles(say, *QUOTE_COLUMNS),
        rows=tuple(quote_cells(quote, report.timezone) for quote in found.quotes),
    )  # fmt: skip


def concerns_table(report: Report, say: Messages) -> Iterator[ReportTable]:
    sides = (
        ("concerns_tracked", report.concerns.tracked),
        ("concerns_untracked", report.concerns.untracked),
    )
    rows = tuple(
        (say(f"page.{side}"), concern.label(say.language), concern.authors)
        for side, found in sides
        for concern in found
    )
    columns = (*column_titles(say, "watched", "topic"), say.measure("authors"))
    yield ReportTable(
        id="concerns",
        title=say("page.concerns"),
        lead=say("page.concerns_lead"),
        columns=columns,
        rows=rows,
    )


def people_tables(report: Report, say: Messages) -> Iterator[ReportTable]:
    known, found, joined = brand_labels(report), report.people, say("join.list").join
    yield ReportTable(
        id="voices", title=say("page.voices"), lead=say("page.voices_lead"),
        columns=(*column_titles(say, "author", "source", "brand"), *column_titles(say, "posts", "reach", "engagement", "opinion")),
        rows=tuple(
            (voice.author, voice.source, known[voice.brand], voice.posts, voice.reach, voice.engagement, voice.opinion)
            for voice in found.voices
        ),
    )  # fmt: skip
    yield ReportTable(
        id="communities", title=say("page.communities"), columns=column_titles(say, "people", "brands", "centre"),
        rows=tuple((one.people, joined(known[brand] for brand in one.brands), one.centre) for one in found.communities),
    )  # fmt: skip
    yield ReportTable(
        id="spreads", title=say("page.spreads"), columns=column_titles(say, "topic", "first", "spreader", "carried"),
        rows=tuple(
            (one.label.get(say.language) or one.topic, one.first.text, one.spreader.text if one.spreader else None, one.carried)
            for one in found.spreads
        ),
    )  # fmt: skip
    if found.questions:
        yield ReportTable(
            id="questions", title=say("page.questions"), columns=column_titles(say, "asked", "unanswered"),
            rows=((found.questions.asked, found.questions.unanswered),),
        )  # fmt: skip
        yield ReportTable(
            id="question_quotes", title=say("table.question_quotes"), columns=column_titles(say, *QUOTE_COLUMNS),
            rows=tuple(quote_cells(quote, report.timezone) for quote in found.questions.quotes),
        )  # fmt: skip


def campaign_tables(report: Report, say: Messages) -> Iterator[ReportTable]:
    phases = ("before", "during", "after")
    yield ReportTable(
        id="campaigns", title=say("page.campaigns"), lead=say("page.campaigns_lead"),
        columns=(*column_titles(say, "campaign", "measure", *phases, "effect_during", "effect_after"), say("page.goal_column")),
        rows=tuple(
            (
                result.names[0], say.measure(f"campaign_{line.measure}"), *(line.values.get(phase) for phase in phases),
                *(line.effects.get(phase) for phase in phases[1:]), say(f"reached.{line.reached}") if line.reached else None,
            )
            for result in report.campaigns
            for line in result.lines
        ),
    )  # fmt: skip
    yield ReportTable(
        id="campaign_parts", title=say("page.campaign_parts"),
        columns=(*column_titles(say, "campaign"), say("page.campaign_parts"), *(say.measure(measure.name) for measure in PART_MEASURES)),
        rows=tuple(
            (result.names[0], f"{say(f'part.{part.kind}')} {part.name}", *(part.effects.get(measure.short_name) for measure in PART_MEASURES))
            for result in report.campaigns
            for part in result.parts
        ),
    )  # fmt: skip


RELATION_TABLE_BUILDERS: tuple[TableBuilder, ...] = (
    concerns_table,
    aspect_tables,
    brand_relation_tables,
    people_tables,
    campaign_tables,
)
