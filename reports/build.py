"""One report of one week from one snapshot."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from typing import Any

from corpora.store.snapshot import Snapshot
from folate.core.config import Config
from folate.core.weeks import Period, preceding_periods
from nlp.stats.domains import DomainErrors
from reports import queries
from reports.figures import Figure, FigureSentence, versions_json
from reports.measures.brands import BrandMeasures, ReportContext, measure
from reports.measures.coverage import ReportCoverage, count_posts_by_week, report_coverage
from reports.measures.estimates import CALIBRATED_DOMAIN_ERRORS
from reports.measures.mentions import read
from reports.messages import load_messages
from reports.sections import posts_and_sources
from reports.sections.campaigns import CampaignResult, campaigns
from reports.sections.concerns import Concerns, concerns
from reports.sections.people import PEOPLE_WEEKS as PEOPLE_WEEKS
from reports.sections.people import People, people
from reports.sections.perception import RELATION_WEEKS, Perception, perceive
from reports.sections.posts_and_sources import SourceLine, TopPost
from reports.sections.summary import INCOMPLETE_STATUSES, headline_kind, summary_sentences
from reports.sections.topic_search import TopicSearch, find_topic_search
from reports.sections.topics import ReportTopic, topics

WEEKS_BEFORE = 8


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that a report says. Its numbers are Figures and its sentences rest on them: nothing else can be printed."""

    project: str
    language: str
    week: Period
    timezone: str
    partial_until: (
        datetime | None
    )  # newest moment that the corpus knows, when the week ends after it
    versions: Mapping[str, int]
    summary: tuple[
        FigureSentence, ...
    ]  # at most five; the first three: share of voice, net sentiment, the untracked word
    week_posts: Figure
    reading: ReportCoverage  # how many posts have been read
    topic_search: TopicSearch  # for topics
    brands: tuple[BrandMeasures, ...]
    topics: tuple[ReportTopic, ...]
    concerns: Concerns
    perception: Perception
    people: People
    configured: Mapping[
        str, int
    ]  # how many of these folate.toml has: brands, watch, segments, sources
    campaigns: tuple[CampaignResult, ...]
    posts: tuple[TopPost, ...]
    sources: tuple[SourceLine, ...]

    @property
    def headlines(self) -> tuple[str, ...]:
        """The three lines that matter, each with its name: share of voice, net sentiment, the word that nobody tracked."""
        say = load_messages(self.language)
        named = ((headline_kind(line), line.text) for line in self.summary)
        return tuple(
            say("join.named", name=say(f"headline.{name}"), text=text)
            for name, text in named
            if name
        )

    @property
    def empty(self) -> bool:
        """No post of the week mentions a brand."""
        return not any(brand.figures["mentions"].value for brand in self.brands)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every number of the report once, in reading order."""
        return tuple({figure.id: figure for figure in _figures(self)}.values())

    @property
    def evidence(self) -> list[dict[str, Any]]:
        """Rows of the table `evidence`: one a number, and one a sentence. Definitions are in English, whatever the report's language."""
        say = load_messages("en")
        numbers = [
            figure.evidence_row(say.measure(figure.measure, "definition"))
            for figure in self.figures
        ]
        return numbers + [sentence.evidence_row for sentence in self.summary]


def assemble_report(
    snapshot: Snapshot, config: Config, week: Period, language: str = "en", now: datetime | None = None,
    reader_version: str = "", domain_errors: DomainErrors = CALIBRATED_DOMAIN_ERRORS,
) -> Report:  # fmt: skip
    """The report of `week`. The same snapshot gives the same report: `now` is only asked whether the week is over when the corpus
    can't tell (it does when it was crawled).
    `reader` is the version of `texts` that folate.toml asks for today: posts without it count as unread; empty: any will do.
    `domains` is how wrong the model is in domains that it never saw.

    Raises NoEvidence when a number would have nothing behind it, ConfigError for a language without a catalogue.
    """
    say = load_messages(language)
    asked = ReportContext(config, week, versions_json(snapshot.versions))
    window = [*preceding_periods(week, WEEKS_BEFORE), week]
    with _held(snapshot, asked, window):
        read_by_week = count_posts_by_week(snapshot, window, config.timezone, reader_version)
        asked = replace(
            asked, reader_version=reader_version, partly_read_weeks=frozenset(name for name, found in read_by_week.items() if found.unread),
            unread_weeks=frozenset(name for name, found in read_by_week.items() if found.is_fully_unread),
        )  # fmt: skip
        sources = posts_and_sources.sources(snapshot, asked)
        until = _partial_until(snapshot, week, config.timezone, now)
        asked = replace(asked, flags=_flags(until, sources))
        mentions = read(snapshot, asked.brand_ids, window, config.timezone)
        brands, found = measure(mentions, asked, domain_errors), topics(snapshot, asked)
        posts = posts_and_sources.week_posts(snapshot, asked)
        reading = report_coverage(read_by_week, asked, PEOPLE_WEEKS, RELATION_WEEKS)
        sought = find_topic_search(snapshot, asked, posts)
        return Report(
            project=config.name, language=language, week=week, timezone=config.timezone, partial_until=until,
            versions={name: number for name, number in sorted(snapshot.versions.items()) if name != "evidence"},
            summary=summary_sentences(brands, found, sources, reading, sought, posts, say), week_posts=posts, reading=reading, topic_search=sought,
            brands=brands, topics=found,
            concerns=concerns(snapshot, asked, found),
            perception=perceive(snapshot, asked), people=people(snapshot, asked, found),
            configured={
                "brands": len(config.brands), "watch": len(config.watch), "segments": len(config.segments), "sources": len(config.sources),
            },
            campaigns=campaigns(snapshot, config, week),
            posts=posts_and_sources.top_posts(snapshot, asked), sources=sources,
        )  # fmt: skip


@contextmanager
def _held(snapshot: Snapshot, asked: ReportContext, weeks: Sequence[Period]) -> Iterator[None]:
    """What many sections ask for is found once: who names which brand, the mentions of `weeks` or the last of them, the week's posts."""
    zone, brands, week = asked.config.timezone, asked.brand_ids, weeks[-1:]
    parts = {
        queries.mentions_query(brands, weeks[first:], zone): queries.in_condition(
            "week", map(str, weeks[first:])
        )
        for first in range(len(weeks))
    }
    if own := asked.config.own_brand:
        only = f"{queries.in_condition('brand', [own.id])} AND {queries.in_condition('week', map(str, week))}"
        parts[queries.mentions_query([own.id], week, zone)] = only
    named, mentions, posts = (
        queries.brand_posts_query(brands),
        queries.mentions_query(brands, weeks, zone),
        queries.week_posts_query(weeks[-1], zone),
    )
    with (
        snapshot.materialize(named, {named: "true"}),
        snapshot.materialize(mentions, parts),
        snapshot.materialize(posts, {posts: "true"}),
    ):
        yield


def _partial_until(
    snapshot: Snapshot, week: Period, zone: str, now: datetime | None
) -> datetime | None:
    """A moment before the week began tells nothing of it: its posts were imported without the time when they were fetched."""
    start, stop = week.bounds(zone)
    newest = snapshot.sql(queries.NEWEST_MOMENT_QUERY).column("newest")[0].as_py()
    if newest and newest >= start:
        return newest if newest < stop else None
    if now is None or now >= stop:
        return None
    posted = (
        snapshot.sql(
            f"SELECT max(published_at) AS newest FROM ({queries.week_posts_query(week, zone)})"
        )
        .column("newest")[0]
        .as_py()
    )
    return posted or start  # not `now`: the same corpus gives the same bytes


def _flags(until: datetime | None, sources: tuple[SourceLine, ...]) -> tuple[str, ...]:
    incomplete = any(source.status in INCOMPLETE_STATUSES for source in sources)
    return (("partial",) if until else ()) + (("incomplete",) if incomplete else ())


def _figures(value: Any) -> Iterator[Figure]:
    if isinstance(value, Figure):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _figures(getattr(value, field.name))
    elif isinstance(value, Mapping):
        yield from _figures(tuple(value.values()))
    elif isinstance(value, tuple):
        for item in value:
            yield from _figures(item)
