"""One report of one week from one snapshot."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from typing import Any

from corpora.store.snapshot import Snapshot
from folate.core.config import Config
from folate.core.weeks import Period
from nlp.stats.domains import DomainErrors
from reports import queries
from reports.context import TRAILING_WEEKS, ReportContext
from reports.figures import Figure, FigureSentence
from reports.measures.brands import BrandMeasures, measure_brands
from reports.measures.coverage import ReportCoverage, count_posts_by_week, report_coverage
from reports.measures.estimates import CALIBRATED_DOMAIN_ERRORS
from reports.measures.mentions import read_brand_mentions
from reports.messages import load_messages
from reports.sections.campaigns.measure import CampaignResult, measure_campaigns
from reports.sections.concerns import Concerns, find_concerns
from reports.sections.people.find import People, find_people
from reports.sections.perception.perceive import Perception, perceive
from reports.sections.posts_and_sources import (
    INCOMPLETE_STATUSES,
    SourceLine,
    TopPost,
    count_week_posts,
    find_sources,
    find_top_posts,
)
from reports.sections.saved_queries import CorpusOpener, SavedQuery, find_saved_queries
from reports.sections.summary import SummaryInput, headline_kind, summary_sentences
from reports.sections.topic_search import TopicSearch, find_topic_search
from reports.sections.topics import ReportTopic, load_topics


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that a report prints. Its numbers are figures and its sentences rest on them."""

    project: str
    language: str
    week: Period
    timezone: str
    partial_until: datetime | None
    """The newest moment that the corpus knows, where the week ends after it."""
    versions: Mapping[str, int]
    summary: tuple[FigureSentence, ...]
    """At most five; the first three are the headlines."""
    week_posts: Figure
    reading: ReportCoverage
    """How many posts are annotated."""
    topic_search: TopicSearch
    brands: tuple[BrandMeasures, ...]
    topics: tuple[ReportTopic, ...]
    concerns: Concerns
    perception: Perception
    people: People
    configured: Mapping[str, int]
    """How many brands, watched terms, segments and sources folate.toml has."""
    campaigns: tuple[CampaignResult, ...]
    posts: tuple[TopPost, ...]
    sources: tuple[SourceLine, ...]
    saved_queries: tuple[SavedQuery, ...] = ()
    """Empty where folate.toml has none, or the corpus can't be asked."""

    @property
    def headlines(self) -> tuple[str, ...]:
        """Share of voice, net sentiment and the untracked topic, each sentence with its name."""
        message = load_messages(self.language)
        headlines = []
        for sentence in self.summary:
            kind = headline_kind(sentence)
            if kind:
                name = message(f"headline.{kind}")
                headlines.append(message("join.named", name=name, text=sentence.text))
        return tuple(headlines)

    @property
    def empty(self) -> bool:
        """Whether no post of the week mentions a brand."""
        return not any(brand.figures["mentions"].value for brand in self.brands)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure of the report once, in reading order."""
        return tuple({figure.id: figure for figure in _iter_figures(self)}.values())

    @property
    def evidence(self) -> list[dict[str, Any]]:
        """Rows of the table `evidence`, one for each figure and sentence.

        Definitions are in English, whatever the report's language.
        """
        message = load_messages("en")
        figure_rows = [
            figure.evidence_row(message.measure(figure.measure, "definition"))
            for figure in self.figures
        ]
        return figure_rows + [sentence.evidence_row for sentence in self.summary]


def assemble_report(
    snapshot: Snapshot,
    config: Config,
    week: Period,
    language: str = "en",
    now: datetime | None = None,
    *,
    reader_version: str = "",
    domain_errors: DomainErrors = CALIBRATED_DOMAIN_ERRORS,
    open_corpus: CorpusOpener | None = None,
) -> Report:
    """Assemble the report of `week`. The same snapshot gives the same report.

    `now` only decides whether the week is over where the corpus was not crawled. `reader_version`
    is the version of `texts` that folate.toml asks for: posts without it count as unread; empty:
    any. `domain_errors` are those of the model in domains without labels. `open_corpus` opens the
    corpus at the versions of the snapshot; it is called where folate.toml has saved queries.
    Raises NoEvidence for a figure without evidence, ConfigError for a language without messages.
    """
    message = load_messages(language)
    context = ReportContext(snapshot, config, week, reader_version)
    window = context.last_weeks(TRAILING_WEEKS + 1)
    with _materialize_shared_rows(context, window) as shared_rows:
        week_counts = count_posts_by_week(shared_rows, window, config.timezone, reader_version)
        context = replace(
            context,
            snapshot=shared_rows,
            partly_read_weeks=frozenset(
                name for name, counts in week_counts.items() if counts.unread
            ),
            unread_weeks=frozenset(
                name for name, counts in week_counts.items() if counts.is_fully_unread
            ),
        )
        sources = find_sources(context)
        partial_until = _partial_until(context, now)
        context = replace(context, flags=_coverage_flags(partial_until, sources))
        mentions = read_brand_mentions(context, window)
        brands = measure_brands(mentions, context, domain_errors)
        topics = load_topics(context)
        week_posts = count_week_posts(context)
        coverage = report_coverage(week_counts, context)
        topic_search = find_topic_search(context, week_posts)
        summary = SummaryInput(
            brands=brands,
            topics=topics,
            sources=sources,
            coverage=coverage,
            topic_search=topic_search,
            week_posts=week_posts,
        )
        return Report(
            project=config.name,
            language=language,
            week=week,
            timezone=config.timezone,
            partial_until=partial_until,
            versions=_table_versions(snapshot),
            summary=summary_sentences(summary, message),
            week_posts=week_posts,
            reading=coverage,
            topic_search=topic_search,
            brands=brands,
            topics=topics,
            concerns=find_concerns(context, topics),
            perception=perceive(context),
            people=find_people(context, topics),
            configured=_count_settings(config),
            campaigns=measure_campaigns(context),
            posts=find_top_posts(context),
            sources=sources,
            saved_queries=find_saved_queries(context, open_corpus),
        )


def _table_versions(snapshot: Snapshot) -> dict[str, int]:
    """Return the versions of all tables but `evidence`, which a report writes itself."""
    return {
        name: version for name, version in sorted(snapshot.versions.items()) if name != "evidence"
    }


def _count_settings(config: Config) -> dict[str, int]:
    return {
        "brands": len(config.brands),
        "watch": len(config.watch),
        "segments": len(config.segments),
        "sources": len(config.sources),
    }


@contextmanager
def _materialize_shared_rows(context: ReportContext, weeks: Sequence[Period]) -> Iterator[Snapshot]:
    """Keep the rows that many sections query in memory, and yield a snapshot that reads them there.

    These are which post names which brand, the mentions of `weeks` (also of the last of them
    alone, and of the own brand in the last week), and the posts of the last week.
    """
    snapshot = context.snapshot
    brand_posts = queries.brand_posts_query(context.brand_ids)
    mentions = context.mentions_query(weeks)
    week_posts = context.week_posts_query()
    sources = {week_posts: "FROM report_week_posts"}
    for first in range(len(weeks)):
        is_in_weeks = queries.in_condition("week", map(str, weeks[first:]))
        query = context.mentions_query(weeks[first:])
        sources[query] = f"FROM report_mentions WHERE {is_in_weeks}"
    if context.own_brand_id:
        is_own = queries.in_condition("brand", [context.own_brand_id])
        is_in_week = queries.in_condition("week", map(str, weeks[-1:]))
        query = context.mentions_query(weeks[-1:], [context.own_brand_id])
        sources[query] = f"FROM report_mentions WHERE {is_own} AND {is_in_week}"
    with snapshot.materialize("report_brand_posts", brand_posts):
        snapshot = snapshot.reading_subqueries_from({brand_posts: "FROM report_brand_posts"})
        with (
            snapshot.materialize("report_mentions", mentions),
            snapshot.materialize("report_week_posts", week_posts),
        ):
            yield snapshot.reading_subqueries_from(sources)


def _partial_until(context: ReportContext, now: datetime | None) -> datetime | None:
    """Return the newest moment that the corpus knows of a week that is not over, else None.

    A moment before the week says nothing of it: its posts were imported without the time that they
    were fetched at. It is not `now`, so that the same corpus gives the same bytes.
    """
    start, stop = context.week.bounds(context.timezone)
    [crawled] = context.rows(queries.NEWEST_MOMENT_QUERY)
    newest: datetime | None = crawled["newest"]
    if newest and newest >= start:
        return newest if newest < stop else None
    if now is None or now >= stop:
        return None
    [posted] = context.rows(
        f"SELECT max(published_at) AS newest FROM ({context.week_posts_query()})"
    )
    return posted["newest"] or start


def _coverage_flags(
    partial_until: datetime | None, sources: tuple[SourceLine, ...]
) -> tuple[str, ...]:
    flags = ["partial"] if partial_until else []
    if any(source.status in INCOMPLETE_STATUSES for source in sources):
        flags.append("incomplete")
    return tuple(flags)


def _iter_figures(value: Any) -> Iterator[Figure]:
    """Yield the figures in a value of dataclasses, mappings and tuples, in order."""
    if isinstance(value, Figure):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _iter_figures(getattr(value, field.name))
    elif isinstance(value, Mapping):
        yield from _iter_figures(tuple(value.values()))
    elif isinstance(value, tuple):
        for item in value:
            yield from _iter_figures(item)
