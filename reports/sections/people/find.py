"""Who speaks of the brands: influential authors, communities, paths of topics, open questions.

People are keyed hashes throughout. Reach and engagement say how far an author carries; opinion is a
measure of its own.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpora.store.snapshot import sql_literal
from folate.core.weeks import Period
from nlp.stats.communities import InteractionCounts, detect_communities, to_graphml
from nlp.stats.estimation import wilson_interval
from reports.context import NO_INTERVAL, RECENT_WEEKS, ReportContext
from reports.figures import Figure
from reports.sections.people.people_queries import (
    QUESTIONS_JUDGED_QUERY,
    QUESTIONS_QUERY,
    carried_query,
    interactions_query,
    reach_query,
    top_influencers_query,
    topic_path_query,
)
from reports.sections.quotes import Quote, load_quotes
from reports.sections.topics import ReportTopic

MAX_INFLUENCERS = 8
MAX_COMMUNITIES = 5
MAX_QUESTION_QUOTES = 4
SHORT_HASH_LENGTH = 8
"""Characters of an author's hash that are shown."""
MIN_COMMUNITY_PEOPLE = 10

Row = Mapping[str, Any]
Person = str


@dataclass(frozen=True, kw_only=True)
class Influencer:
    """An author with wide reach and much engagement about a brand."""

    author: Person
    source: str
    brand: str
    posts: Figure
    reach: Figure
    """Followers where the source shows them, else people who answered."""
    engagement: Figure
    opinion: Figure
    """Mean of P - N over the author's posts about the brand."""


@dataclass(frozen=True, kw_only=True)
class Community:
    """People who answer each other more than they answer others."""

    people: Figure
    brands: tuple[str, ...]
    """Brands that their interactions are about, most first."""
    centre: Person
    """Who is answered by most of them."""


@dataclass(frozen=True, kw_only=True)
class TopicSpread:
    """The path of a topic: its first post, and the post that made it spread."""

    topic: str
    label: Mapping[str, str]
    first: Quote
    spreader: Quote | None
    """None where nobody answered or reposted a post of the topic."""
    carried: Figure
    """Answers or reposts of that post."""


@dataclass(frozen=True, kw_only=True)
class BrandQuestions:
    """Questions about our brand in the week."""

    asked: Figure
    """Without a value where the brand is mentioned and no mention has an intent predicted."""
    unanswered: Figure
    """Share of those whose source shows answers."""
    quotes: tuple[Quote, ...]
    """Unanswered questions, newest first."""


@dataclass(frozen=True, kw_only=True)
class People:
    """The section of people; without an own brand there are no questions."""

    weeks: tuple[Period, ...]
    voices: tuple[Influencer, ...]
    communities: tuple[Community, ...]
    spreads: tuple[TopicSpread, ...]
    questions: BrandQuestions | None


def find_people(context: ReportContext, topics: Iterable[ReportTopic]) -> People:
    """Find the people of the weeks that end with the report's, and the paths of its topics."""
    weeks = context.last_weeks(RECENT_WEEKS)
    return People(
        weeks=tuple(weeks),
        voices=_find_influencers(context, weeks),
        communities=_find_communities(context, weeks),
        spreads=_find_spreads(context, [topic for topic in topics if not topic.has_ended]),
        questions=_find_questions(context),
    )


def interaction_graphml(context: ReportContext) -> str:
    """Return who answers and reposts whom as GraphML, with each person's community.

    Posts of the weeks that end with the report's count.
    """
    weeks = context.last_weeks(RECENT_WEEKS)
    query = interactions_query(context.brand_ids, weeks, context.timezone)
    counts = _interaction_counts(_load_interactions(context, query))
    communities = detect_communities(counts)
    attributes = {person: {"community": number} for person, number in communities.items()}
    return to_graphml(counts, attributes)


def _find_influencers(context: ReportContext, weeks: Sequence[Period]) -> tuple[Influencer, ...]:
    """Rank authors by reach times engagement; those without either take no part."""
    query = reach_query(context.mentions_query(weeks))
    rows = context.rows(top_influencers_query(query, MAX_INFLUENCERS))
    return tuple(_influencer(context, row, query) for row in rows)


def _influencer(context: ReportContext, row: Row, query: str) -> Influencer:
    def figure(measure: str, value: float | None) -> Figure:
        return context.figure(
            measure,
            value,
            n=row["posts"],
            query=query,
            brand=row["brand"],
            subject=row["author"][:SHORT_HASH_LENGTH],
            posts=row["sample"],
        )

    return Influencer(
        author=row["author"],
        source=row["source"],
        brand=row["brand"],
        posts=figure("voice_posts", row["posts"]),
        reach=figure("voice_reach", row["reach"]),
        engagement=figure("voice_engagement", row["engagement"]),
        opinion=figure("voice_opinion", row["opinion"]),
    )


def _load_interactions(context: ReportContext, query: str) -> dict[tuple[Person, Person], Row]:
    """Return the rows of an `interactions_query` by who answers whom."""
    return {(row["one"], row["other"]): row for row in context.rows(query)}


def _interaction_counts(interactions: Mapping[tuple[Person, Person], Row]) -> InteractionCounts:
    return {pair: row["times"] for pair, row in interactions.items()}


def _find_communities(context: ReportContext, weeks: Sequence[Period]) -> tuple[Community, ...]:
    """Return the largest communities with MIN_COMMUNITY_PEOPLE."""
    query = interactions_query(context.brand_ids, weeks, context.timezone)
    interactions = _load_interactions(context, query)
    number_by_person = detect_communities(_interaction_counts(interactions))
    sizes = Counter(number_by_person.values())
    communities = []
    for number, size in sorted(sizes.items())[:MAX_COMMUNITIES]:
        if size < MIN_COMMUNITY_PEOPLE:
            continue
        inner = {
            pair: row
            for pair, row in interactions.items()
            if number_by_person[pair[0]] == number_by_person[pair[1]] == number
        }
        communities.append(_community(context, inner, size, query))
    return tuple(communities)


def _community(
    context: ReportContext,
    interactions: Mapping[tuple[Person, Person], Row],
    size: int,
    query: str,
) -> Community:
    """Make a community of `interactions` between its members, which are rows of `query`."""
    brands: Counter[str] = Counter()
    for pair in sorted(interactions):
        brands.update(interactions[pair]["brands"])
    answerers: defaultdict[Person, set[Person]] = defaultdict(set)
    for answerer, answered in interactions:
        answerers[answered].add(answerer)
    centre = min(answerers, key=lambda person: (-len(answerers[person]), person))
    people = context.figure(
        "community_people",
        size,
        n=size,
        query=query,
        subject=centre[:SHORT_HASH_LENGTH],
        posts=sorted(row["post"] for row in interactions.values()),
    )
    brand_ids = tuple(brand for brand, _ in brands.most_common())
    return Community(people=people, brands=brand_ids, centre=centre)


def _find_spreads(context: ReportContext, topics: Sequence[ReportTopic]) -> tuple[TopicSpread, ...]:
    """Find the paths of topics through the posts that are their evidence."""
    post_ids: set[str] = set()
    for topic in topics:
        post_ids.update(topic.posts.posts)
    rows = context.rows(topic_path_query(sorted(post_ids)))
    paths = []
    for topic in topics:
        path = [row for row in rows if row["id"] in topic.posts.posts]
        if path:
            paths.append((topic, path))
    quoted_ids = []
    for _, path in paths:
        quoted_ids += [path[0]["id"], _most_carried_post(path)["id"]]
    quotes = load_quotes(context.snapshot, quoted_ids)
    return tuple(_topic_spread(context, topic, path, quotes) for topic, path in paths)


def _most_carried_post(path: Sequence[Row]) -> Row:
    """Return the post with most answers or reposts, the oldest of several."""

    def rank(post: Row) -> tuple[int, float, str]:
        return _count_carried(post), -post["published_at"].timestamp(), post["id"]

    return max(path, key=rank)


def _count_carried(post: Row) -> int:
    return int(max(post["passed_on"], post["answered_by"]))


def _topic_spread(
    context: ReportContext, topic: ReportTopic, path: Sequence[Row], quotes: Mapping[str, Quote]
) -> TopicSpread:
    """Make the spread of a topic; `path` has its posts in order of time."""
    carried_post = _most_carried_post(path)
    carried = _count_carried(carried_post)
    return TopicSpread(
        topic=topic.id,
        label=topic.labels,
        first=quotes[path[0]["id"]],
        spreader=quotes[carried_post["id"]] if carried else None,
        carried=context.figure(
            "topic_carried",
            carried,
            n=len(path),
            query=carried_query(topic.posts.posts),
            subject=topic.id,
            posts=(carried_post["id"],),
        ),
    )


def _find_questions(context: ReportContext) -> BrandQuestions | None:
    """Count the questions about our brand, and those that stayed without an answer."""
    own_brand_id = context.own_brand_id
    if own_brand_id is None:
        return None
    parameters = {
        "rows": context.mentions_query([context.week], [own_brand_id]),
        "brand": sql_literal(own_brand_id),
    }
    query = QUESTIONS_QUERY.format(**parameters)
    questions = context.rows(query)
    [judged] = context.rows(QUESTIONS_JUDGED_QUERY.format(**parameters))
    is_known = bool(judged["known"]) and not context.is_week_unread
    # sources that show neither answers nor threads tell nothing of answers
    answerable = [
        row
        for row in questions
        if row["replies"] is not None or row["has_child"] or row["threaded"]
    ]
    unanswered = [row for row in answerable if not row["replies"] and not row["has_child"]]
    question_count = context.figure(
        "questions",
        len(questions) if is_known else None,
        n=len(questions),
        query=query,
        brand=own_brand_id,
        posts=[row["id"] for row in questions],
    )
    unanswered_share = context.figure(
        "unanswered",
        len(unanswered) / len(answerable) if answerable else None,
        n=len(answerable),
        query=query,
        brand=own_brand_id,
        interval=wilson_interval(len(unanswered), len(answerable)) if answerable else NO_INTERVAL,
        posts=[row["id"] for row in unanswered],
    )
    newest_first = sorted(unanswered, key=_publication_order, reverse=True)
    quoted_ids = [row["id"] for row in newest_first[:MAX_QUESTION_QUOTES]]
    quotes = load_quotes(context.snapshot, quoted_ids)
    return BrandQuestions(
        asked=question_count,
        unanswered=unanswered_share,
        quotes=tuple(quotes[post_id] for post_id in quoted_ids),
    )


def _publication_order(row: Row) -> tuple[Any, str]:
    return row["published_at"], row["id"]
