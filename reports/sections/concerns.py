"""The concerns that you track beside those that your customers have: what the watch list finds, and what nobody tracked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from corpora.store.snapshot import Snapshot, sql_literal
from nlp.text.patterns import HAN_RANGES
from reports import queries
from reports.figures import MAX_SAMPLE_POSTS, Figure
from reports.measures.brands import ReportContext
from reports.sections.topics import ReportTopic

MAX_CONCERNS = 3  # of either kind
_AUTHORS = """
SELECT count(DISTINCT coalesce(author, id)) AS authors, (list(id ORDER BY id)[:{most}]) AS sample FROM ({rows})
WHERE counted AND regexp_matches(lower(concat_ws(chr(10), title, text)), {pattern})
  AND id IN (SELECT id FROM mentions WHERE brand = {brand})
""".strip()


@dataclass(frozen=True, kw_only=True)
class Concern:
    """Something that customers of our brand write about."""

    labels: Mapping[str, str]  # language -> label
    authors: Figure  # who name it and the brand in one post

    def label(self, language: str) -> str:
        return self.labels[language]


@dataclass(frozen=True, kw_only=True)
class Concerns:
    """Three that are tracked and three that nobody tracked, by authors; empty without a brand of our own."""

    tracked: tuple[Concern, ...] = ()
    untracked: tuple[Concern, ...] = ()


def concerns(
    snapshot: Snapshot, context: ReportContext, topics: tuple[ReportTopic, ...]
) -> Concerns:
    """What the authors who name our brand this week write about: terms of the watch list, and rising topics with no flag against them."""
    own = context.config.own_brand
    if own is None:
        return Concerns()
    tracked = [
        _tracked(term, own.id, snapshot, context)
        for term in dict.fromkeys(context.config.watch)
        if term.strip()
    ]
    rising = [
        topic
        for topic in topics
        if topic.state not in ("fading", "gone") and not topic.watched and not topic.may_be_artefact
    ]
    labels = [{language: topic.label(language) for language in topic.labels} for topic in rising]
    untracked = [
        Concern(labels=label, authors=topic.own_brand_authors)
        for label, topic in zip(labels, rising, strict=True)
        if topic.own_brand_authors
    ]
    return Concerns(tracked=_most(tracked), untracked=_most(untracked))


def _most(found: list[Concern]) -> tuple[Concern, ...]:
    return tuple(sorted(found, key=lambda concern: -(concern.authors.value or 0))[:MAX_CONCERNS])


def _tracked(term: str, brand: str, snapshot: Snapshot, asked: ReportContext) -> Concern:
    name = re.escape(term.casefold().strip())
    pattern = (
        name
        if re.search(f"[{HAN_RANGES}]", term)
        else rf"(^|[^\p{{L}}\p{{N}}]){name}($|[^\p{{L}}\p{{N}}])"
    )
    rows = queries.week_posts_query(asked.week, asked.config.timezone)
    query = _AUTHORS.format(
        most=MAX_SAMPLE_POSTS, rows=rows, pattern=sql_literal(pattern), brand=sql_literal(brand)
    )
    found = snapshot.sql(query).to_pylist()[0]
    authors = Figure(
        measure="concern_authors", week=str(asked.week), brand=brand, n=found["authors"], query=query,
        value=None if str(asked.week) in asked.unread_weeks else found["authors"], versions=asked.versions, posts=tuple(found["sample"] or ()),
        flags=("unread",) if str(asked.week) in asked.partly_read_weeks else (),
    )  # fmt: skip
    return Concern(labels={"zh": term, "en": term}, authors=authors)
