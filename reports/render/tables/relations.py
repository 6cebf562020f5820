"""The tables of brands against each other, and of the people who speak."""

from collections.abc import Iterator

from reports.build import Report
from reports.measures.coverage import nothing
from reports.messages import Catalogue
from reports.render.tables.table import QUOTED, Section, Table, labels, names, plain, quoted
from reports.sections.campaigns import PARTS
from reports.sections.perception.moves import Pair


def aspects(report: Report, say: Catalogue) -> Iterator[Table]:
    known, found = labels(report), report.perception
    brand, aspect = say("page.brand_column"), say("page.aspect_column")
    yield Table(
        id="aspects", title=say("page.perception"), lead=say("page.heat_lead"),
        empty=plain(nothing("page.perception_none", report.reading.perception, report.reading.perception.unjudged, say)),
        columns=(brand, aspect, say.measure("aspect_net"), say.measure("aspect_share")),
        rows=tuple((known[cell.brand], found.name(cell.aspect, say), cell.net, cell.share) for cell in found.cells),
    )  # fmt: skip
    yield Table(
        id="gaps", title=say("page.gaps"), columns=(brand, aspect, say.measure("aspect_gap")),
        rows=tuple((known[gap.brand], found.name(gap.aspect, say), gap.gap) for gap in found.gaps),
    )  # fmt: skip
    places = [(known[place.name], place) for place in found.map.brands]
    places += [(found.name(place.name, say), place) for place in found.map.aspects]
    yield Table(
        id="map", title=say("page.map"), columns=names(say, "place", "across", "up"),
        rows=tuple((name, place.across, place.up) for name, place in places),
    )  # fmt: skip
    yield Table(
        id="words", title=say("page.words"), lead=say("page.words_lead"), columns=(brand, *names(say, "word"), say.measure("keyness")),
        rows=tuple((known[word.brand], word.text, word.keyness) for word in found.words),
    )  # fmt: skip


def moves(report: Report, say: Catalogue) -> Iterator[Table]:
    known, found = labels(report), report.perception.moves

    def pairs(name: str, measure: str, share: str, rows: tuple[Pair, ...]) -> Table:
        return Table(
            id=name, title=say(f"page.{name}"), columns=(*names(say, "from", "to"), say.measure(measure), say.measure(share)),
            rows=tuple((known[pair.other], known[pair.brand], pair.people, pair.share) for pair in rows),
        )  # fmt: skip

    yield pairs("switching", "switchers", "switch_share", found.switches)
    yield pairs("preferred", "preferring", "preferred_share", found.preferred)
    yield Table(
        id="together", title=say("page.together"), columns=(*names(say, "brand", "other"), say.measure("co_mentions")),
        rows=tuple((known[pair.one], known[pair.other], pair.posts) for pair in found.together),
    )  # fmt: skip
    yield Table(
        id="switching_quotes", title=say("table.switching_quotes"), columns=names(say, *QUOTED),
        rows=tuple(quoted(quote, report.zone) for quote in found.quotes),
    )  # fmt: skip


def concerns(report: Report, say: Catalogue) -> Iterator[Table]:
    sides = (
        ("concerns_tracked", report.concerns.tracked),
        ("concerns_untracked", report.concerns.untracked),
    )
    rows = tuple(
        (say(f"page.{side}"), concern.label(say.language), concern.authors)
        for side, found in sides
        for concern in found
    )
    columns = (*names(say, "watched", "topic"), say.measure("authors"))
    yield Table(
        id="concerns",
        title=say("page.concerns"),
        lead=say("page.concerns_lead"),
        columns=columns,
        rows=rows,
    )


def people(report: Report, say: Catalogue) -> Iterator[Table]:
    known, found, joined = labels(report), report.people, say("join.list").join
    yield Table(
        id="voices", title=say("page.voices"), lead=say("page.voices_lead"),
        columns=(*names(say, "author", "source", "brand"), *names(say, "posts", "reach", "engagement", "opinion")),
        rows=tuple(
            (voice.author, voice.source, known[voice.brand], voice.posts, voice.reach, voice.engagement, voice.opinion)
            for voice in found.voices
        ),
    )  # fmt: skip
    yield Table(
        id="communities", title=say("page.communities"), columns=names(say, "people", "brands", "centre"),
        rows=tuple((one.people, joined(known[brand] for brand in one.brands), one.centre) for one in found.communities),
    )  # fmt: skip
    yield Table(
        id="spreads", title=say("page.spreads"), columns=names(say, "topic", "first", "spreader", "carried"),
        rows=tuple(
            (one.label.get(say.language) or one.topic, one.first.text, one.spreader.text if one.spreader else None, one.carried)
            for one in found.spreads
        ),
    )  # fmt: skip
    if found.questions:
        yield Table(
            id="questions", title=say("page.questions"), columns=names(say, "asked", "unanswered"),
            rows=((found.questions.asked, found.questions.unanswered),),
        )  # fmt: skip
        yield Table(
            id="question_quotes", title=say("table.question_quotes"), columns=names(say, *QUOTED),
            rows=tuple(quoted(quote, report.zone) for quote in found.questions.quotes),
        )  # fmt: skip


def campaigns(report: Report, say: Catalogue) -> Iterator[Table]:
    phases = ("before", "during", "after")
    yield Table(
        id="campaigns", title=say("page.campaigns"), lead=say("page.campaigns_lead"),
        columns=(*names(say, "campaign", "measure", *phases, "effect_during", "effect_after"), say("page.goal_column")),
        rows=tuple(
            (
                result.names[0], say.measure(f"campaign_{line.measure}"), *(line.values.get(phase) for phase in phases),
                *(line.effects.get(phase) for phase in phases[1:]), say(f"reached.{line.reached}") if line.reached else None,
            )
            for result in report.campaigns
            for line in result.lines
        ),
    )  # fmt: skip
    yield Table(
        id="campaign_parts", title=say("page.campaign_parts"),
        columns=(*names(say, "campaign"), say("page.campaign_parts"), *(say.measure(f"campaign_{name}") for name in PARTS)),
        rows=tuple(
            (result.names[0], f"{say(f'part.{part.kind}')} {part.name}", *(part.effects.get(name) for name in PARTS))
            for result in report.campaigns
            for part in result.parts
        ),
    )  # fmt: skip


ALL: tuple[Section, ...] = (concerns, aspects, moves, people, campaigns)
