"""The terms on the watch list beside the rising topics that are not on it, by authors."""

from collections.abc import Mapping
from dataclasses import dataclass

from corpora.store.snapshot import sql_literal
from nlp.text.term_matcher import re2_pattern
from reports.context import ReportContext
from reports.figures import MAX_SAMPLE_POSTS, Figure
from reports.sections.topics import ReportTopic, rising_untracked_topics

MAX_CONCERNS = 3
"""Most concerns of either kind that a report shows."""

_AUTHORS_QUERY = """
SELECT count(DISTINCT coalesce(author, id)) AS authors, (list(id ORDER BY id)[:{most}]) \
AS sample FROM ({rows})
WHERE counted AND regexp_matches(concat_ws(chr(10), title, text), {pattern})
  AND id IN (SELECT id FROM mentions WHERE brand = {brand})
""".strip()


@dataclass(frozen=True, kw_only=True)
class Concern:
    """A subject that people write about together with our brand."""

    labels: Mapping[str, str]
    """Label by language."""
    authors: Figure
    """Authors who name the subject and the brand in one post."""

    def label(self, language: str) -> str:
        """Return the label in `language`."""
        return self.labels[language]


@dataclass(frozen=True, kw_only=True)
class Concerns:
    """At most three concerns of either kind, most authors first; none without an own brand."""

    tracked: tuple[Concern, ...] = ()
    untracked: tuple[Concern, ...] = ()


def find_concerns(context: ReportContext, topics: tuple[ReportTopic, ...]) -> Concerns:
    """Find what authors who name our brand this week write about.

    Tracked are the terms of the watch list; untracked the rising topics without a flag that
    are not on it.
    """
    own_brand_id = context.own_brand_id
    if own_brand_id is None:
        return Concerns()
    tracked = [
        _count_watched_term(context, term, own_brand_id)
        for term in dict.fromkeys(context.config.watch)
        if term.strip()
    ]
    untracked = []
    for topic in rising_untracked_topics(topics):
        if topic.own_brand_authors:
            labels = {language: topic.label(language) for language in topic.labels}
            untracked.append(Concern(labels=labels, authors=topic.own_brand_authors))
    return Concerns(tracked=_most_authors(tracked), untracked=_most_authors(untracked))


def _most_authors(concerns: list[Concern]) -> tuple[Concern, ...]:
    ranked = sorted(concerns, key=lambda concern: -(concern.authors.value or 0))
    return tuple(ranked[:MAX_CONCERNS])


def _count_watched_term(context: ReportContext, term: str, brand: str) -> Concern:
    query = _AUTHORS_QUERY.format(
        most=MAX_SAMPLE_POSTS,
        rows=context.week_posts_query(),
        pattern=sql_literal(re2_pattern([term])),
        brand=sql_literal(brand),
    )
    [counts] = context.rows(query)
    authors = context.figure(
        "concern_authors",
        None if context.is_week_unread else counts["authors"],
        n=counts["authors"],
        query=query,
        brand=brand,
        posts=counts["sample"] or (),
        flags=("unread",) if context.is_week_partly_read else (),
    )
    return Concern(labels={"zh": term, "en": term}, authors=authors)
