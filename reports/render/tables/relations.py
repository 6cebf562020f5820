"""Tables of how brands relate to each other, of people, of concerns and of campaigns."""

from collections.abc import Iterator

from reports.build import Report
from reports.measures.coverage import no_results_message
from reports.messages import Messages
from reports.render.tables.table import (
    QUOTE_COLUMNS,
    ReportTable,
    TableBuilder,
    TableRow,
    brand_labels,
    change_cells,
    column_titles,
    parts_to_text,
    quote_cells,
)
from reports.sections.campaigns.measures import PART_MEASURES
from reports.sections.perception.moves import BrandComparison
from reports.sections.saved_queries import RATE_MEASURE, WEEK_MEASURES, SavedQuery

_PHASES = ("before", "during", "after")


def aspect_tables(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield the tables of aspects by brand, of gaps, of the perceptual map and of words."""
    labels = brand_labels(report)
    perception = report.perception
    coverage = report.reading.perception
    brand_title = message("page.brand_column")
    aspect_title = message("page.aspect_column")
    aspect_rows: list[TableRow] = []
    for cell in perception.cells:
        aspect = perception.aspect_name(cell.aspect, message)
        aspect_rows.append((labels[cell.brand], aspect, cell.net, cell.share))
    no_results = no_results_message("page.perception_none", coverage, coverage.unjudged, message)
    yield ReportTable(
        id="aspects",
        title=message("page.perception"),
        lead=message("page.heat_lead"),
        empty_text=parts_to_text(no_results),
        columns=(
            brand_title,
            aspect_title,
            message.measure("aspect_net"),
            message.measure("aspect_share"),
        ),
        rows=tuple(aspect_rows),
    )
    gap_rows: list[TableRow] = []
    for gap in perception.gaps:
        aspect = perception.aspect_name(gap.aspect, message)
        gap_rows.append((labels[gap.brand], aspect, gap.gap))
    yield ReportTable(
        id="gaps",
        title=message("page.gaps"),
        columns=(brand_title, aspect_title, message.measure("aspect_gap")),
        rows=tuple(gap_rows),
    )
    yield _map_table(report, message)
    yield ReportTable(
        id="words",
        title=message("page.words"),
        lead=message("page.words_lead"),
        columns=(brand_title, *column_titles(message, "word"), message.measure("keyness")),
        rows=tuple((labels[word.brand], word.text, word.keyness) for word in perception.words),
    )


def _map_table(report: Report, message: Messages) -> ReportTable:
    """Return the table with the coordinates of brands and aspects on the perceptual map."""
    labels = brand_labels(report)
    perception = report.perception
    brand_rows = [(labels[point.name], point.across, point.up) for point in perception.map.brands]
    aspect_rows = [
        (perception.aspect_name(point.name, message), point.across, point.up)
        for point in perception.map.aspects
    ]
    return ReportTable(
        id="map",
        title=message("page.map"),
        columns=column_titles(message, "place", "across", "up"),
        rows=(*brand_rows, *aspect_rows),
    )


def brand_relation_tables(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield the tables of switching, of preferences and of brands mentioned together."""
    labels = brand_labels(report)
    relations = report.perception.moves

    def comparison_table(
        table_id: str, people: str, share: str, comparisons: tuple[BrandComparison, ...]
    ) -> ReportTable:
        """Return a table of comparisons; `people` and `share` are the measures in it."""
        titles = (message.measure(people), message.measure(share))
        rows: list[TableRow] = []
        for pair in comparisons:
            brands = labels[pair.from_brand], labels[pair.to_brand]
            rows.append((*brands, pair.people, pair.share))
        return ReportTable(
            id=table_id,
            title=message(f"page.{table_id}"),
            columns=(*column_titles(message, "from", "to"), *titles),
            rows=tuple(rows),
        )

    yield comparison_table("switching", "switchers", "switch_share", relations.switches)
    yield comparison_table("preferred", "preferring", "preferred_share", relations.preferred)
    yield ReportTable(
        id="together",
        title=message("page.together"),
        columns=(*column_titles(message, "brand", "other"), message.measure("co_mentions")),
        rows=tuple(
            (labels[pair.one], labels[pair.other], pair.posts) for pair in relations.together
        ),
    )
    yield ReportTable(
        id="switching_quotes",
        title=message("table.switching_quotes"),
        columns=column_titles(message, *QUOTE_COLUMNS),
        rows=tuple(quote_cells(quote, report.timezone) for quote in relations.quotes),
    )


def concerns_table(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield the table of concerns, those on the watch list before the others."""
    rows: list[TableRow] = []
    for concern in report.concerns.tracked:
        label = concern.label(message.language)
        rows.append((message("page.concerns_tracked"), label, concern.authors))
    for concern in report.concerns.untracked:
        label = concern.label(message.language)
        rows.append((message("page.concerns_untracked"), label, concern.authors))
    yield ReportTable(
        id="concerns",
        title=message("page.concerns"),
        lead=message("page.concerns_lead"),
        columns=(*column_titles(message, "watched", "topic"), message.measure("authors")),
        rows=tuple(rows),
    )


def people_tables(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield the tables of influencers, communities, the spread of topics, and questions."""
    people = report.people
    yield _influencer_table(report, message)
    yield _community_table(report, message)
    spread_rows: list[TableRow] = []
    for spread in people.spreads:
        label = spread.label.get(message.language) or spread.topic
        spreader_text = spread.spreader.text if spread.spreader else None
        spread_rows.append((label, spread.first.text, spreader_text, spread.carried))
    yield ReportTable(
        id="spreads",
        title=message("page.spreads"),
        columns=column_titles(message, "topic", "first", "spreader", "carried"),
        rows=tuple(spread_rows),
    )
    questions = people.questions
    if not questions:
        return
    yield ReportTable(
        id="questions",
        title=message("page.questions"),
        columns=column_titles(message, "asked", "unanswered"),
        rows=((questions.asked, questions.unanswered),),
    )
    yield ReportTable(
        id="question_quotes",
        title=message("table.question_quotes"),
        columns=column_titles(message, *QUOTE_COLUMNS),
        rows=tuple(quote_cells(quote, report.timezone) for quote in questions.quotes),
    )


def _influencer_table(report: Report, message: Messages) -> ReportTable:
    labels = brand_labels(report)
    columns = ("author", "source", "brand", "posts", "reach", "engagement", "opinion")
    rows: list[TableRow] = []
    for influencer in report.people.voices:
        row = (
            influencer.author,
            influencer.source,
            labels[influencer.brand],
            influencer.posts,
            influencer.reach,
            influencer.engagement,
            influencer.opinion,
        )
        rows.append(row)
    return ReportTable(
        id="voices",
        title=message("page.voices"),
        lead=message("page.voices_lead"),
        columns=column_titles(message, *columns),
        rows=tuple(rows),
    )


def _community_table(report: Report, message: Messages) -> ReportTable:
    labels = brand_labels(report)
    rows: list[TableRow] = []
    for community in report.people.communities:
        brands = message("join.list").join(labels[brand] for brand in community.brands)
        rows.append((community.people, brands, community.centre))
    return ReportTable(
        id="communities",
        title=message("page.communities"),
        columns=column_titles(message, "people", "brands", "centre"),
        rows=tuple(rows),
    )


def campaign_tables(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield the scorecards of all campaigns, and their effects on parts of the audience."""
    yield _scorecard_table(report, message)
    part_titles = [message.measure(measure.name) for measure in PART_MEASURES]
    rows: list[TableRow] = []
    for result in report.campaigns:
        for part in result.parts:
            part_name = f"{message(f'part.{part.kind}')} {part.name}"
            effects = [part.effects.get(measure.short_name) for measure in PART_MEASURES]
            rows.append((result.names[0], part_name, *effects))
    yield ReportTable(
        id="campaign_parts",
        title=message("page.campaign_parts"),
        columns=(
            *column_titles(message, "campaign"),
            message("page.campaign_parts"),
            *part_titles,
        ),
        rows=tuple(rows),
    )


def _scorecard_table(report: Report, message: Messages) -> ReportTable:
    columns = ("campaign", "measure", *_PHASES, "effect_during", "effect_after")
    rows: list[TableRow] = []
    for result in report.campaigns:
        for line in result.lines:
            measure = message.measure(f"campaign_{line.measure}")
            values = [line.values.get(phase) for phase in _PHASES]
            effects = [line.effects.get(phase) for phase in _PHASES[1:]]
            goal = message(f"reached.{line.reached}") if line.reached else None
            rows.append((result.names[0], measure, *values, *effects, goal))
    return ReportTable(
        id="campaigns",
        title=message("page.campaigns"),
        lead=message("page.campaigns_lead"),
        columns=(*column_titles(message, *columns), message("page.goal_column")),
        rows=tuple(rows),
    )


def _saved_query_cells(query: SavedQuery, message: Messages) -> TableRow:
    """Return the figures of the week and the change, or why there are none."""
    if query.problem:
        problem = message("page.saved_problem", problem=query.problem)
        return (*[None] * len(WEEK_MEASURES), problem, None)
    figures = [query.figures[measure] for measure in WEEK_MEASURES]
    return (*figures, *change_cells(query.changes.get(RATE_MEASURE), message))


def saved_query_tables(report: Report, message: Messages) -> Iterator[ReportTable]:
    """Yield what saved queries find in the week, and their hits per million by week."""
    rows: list[TableRow] = [
        (f"@{query.name}", query.canonical, *_saved_query_cells(query, message))
        for query in report.saved_queries
    ]
    yield ReportTable(
        id="saved_queries",
        title=message("page.saved"),
        lead=message("page.saved_lead"),
        columns=(
            *column_titles(message, "saved_query", "saved_form"),
            *[message.measure(measure) for measure in WEEK_MEASURES],
            message("page.against"),
            message("table.difference"),
        ),
        rows=tuple(rows),
    )
    answered = [query for query in report.saved_queries if query.trend]
    yield ReportTable(
        id="saved_query_weeks",
        title=message("table.saved_weeks"),
        columns=(message("page.week_column"), *[f"@{query.name}" for query in answered]),
        rows=tuple(
            (week[0].week, *week) for week in zip(*[query.trend for query in answered], strict=True)
        ),
    )


RELATION_TABLE_BUILDERS: tuple[TableBuilder, ...] = (
    concerns_table,
    aspect_tables,
    brand_relation_tables,
    people_tables,
    campaign_tables,
    saved_query_tables,
)
