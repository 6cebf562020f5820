"""Who speaks of the brands: influential authors, communities, the path of a topic, and what is asked of us and left unanswered.

People are keyed hashes throughout. Reach and engagement say how far a voice carries; what it thinks is told apart from them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corpora.store.snapshot import Snapshot, sql_literal
from folate.core.weeks import Period, preceding_periods
from nlp.stats.communities import InteractionCounts, detect_communities, to_graphml
from nlp.stats.estimation import wilson_interval
from reports import queries
from reports.figures import Figure
from reports.measures.brands import ReportContext
from reports.sections.people.people_queries import (
    CARRIED_QUERY,
    QUESTIONS_JUDGED_QUERY,
    QUESTIONS_QUERY,
    REACH_QUERY,
    TOP_INFLUENCERS_QUERY,
    TOPIC_PATH_QUERY,
    ties_query,
)
from reports.sections.quotes import Quote, load_quotes
from reports.sections.topics import ReportTopic

PEOPLE_WEEKS = 4  # that people are read over
MAX_INFLUENCERS, MAX_COMMUNITIES, MAX_QUESTION_QUOTES = 8, 5, 4  # most that a report shows
SHORT_HASH_LENGTH = 8  # characters of an author's hash that are shown
MIN_COMMUNITY_PEOPLE = 10  # people of a community that is reported


@dataclass(frozen=True, kw_only=True)
class Influencer:
    """An author who carries far. `reach`: followers where the source shows them, else people who answered."""

    author: str
    source: str
    brand: str
    posts: Figure
    reach: Figure
    engagement: Figure
    opinion: Figure  # mean of P - N over the author's posts about the brand


@dataclass(frozen=True, kw_only=True)
class Community:
    """People who answer each other more than they answer others."""

    people: Figure
    brands: tuple[str, ...]  # those that their ties are about, most first
    centre: str  # who is answered by most of them


@dataclass(frozen=True, kw_only=True)
class TopicSpread:
    """The path that a topic took: who was first, and whose post made it spread."""

    topic: str
    label: Mapping[str, str]
    first: Quote
    spreader: Quote | None  # None where nobody answered or reposted a post of the topic
    carried: Figure  # answers and reposts of that post


@dataclass(frozen=True, kw_only=True)
class BrandQuestions:
    """What is asked about our brand in a week. Posts of sources that show neither answers nor threads are not judged."""

    asked: Figure  # None where the brand is mentioned and no model has read a mention for questions
    unanswered: Figure  # share of those whose answers can be seen
    quotes: tuple[Quote, ...]  # unanswered ones, newest first


@dataclass(frozen=True, kw_only=True)
class People:
    """Who speaks. Without an own brand there are no questions."""

    weeks: tuple[Period, ...]
    voices: tuple[Influencer, ...]
    communities: tuple[Community, ...]
    spreads: tuple[TopicSpread, ...]
    questions: BrandQuestions | None


def people(snapshot: Snapshot, context: ReportContext, topics: Iterable[ReportTopic]) -> People:
    """The people of the weeks that end with the report's."""
    weeks = _window(context)
    return People(
        weeks=tuple(weeks),
        voices=_voices(snapshot, context, weeks),
        communities=_communities(snapshot, context, weeks),
        spreads=_spreads(
            snapshot, context, [topic for topic in topics if topic.state not in ("fading", "gone")]
        ),
        questions=_questions(snapshot, context),
    )


def interaction_graphml(snapshot: Snapshot, context: ReportContext) -> str:
    """Who answers and reposts whom in the weeks that end with the report's, as GraphML with each person's community."""
    found, _ = _ties(
        snapshot, ties_query(context.brand_ids, _window(context), context.config.timezone)
    )
    return to_graphml(
        found,
        {person: {"community": number} for person, number in detect_communities(found).items()},
    )


def _window(asked: ReportContext) -> list[Period]:
    return [*preceding_periods(asked.week, PEOPLE_WEEKS - 1), asked.week]


def _voices(
    snapshot: Snapshot, asked: ReportContext, weeks: Sequence[Period]
) -> tuple[Influencer, ...]:
    """By reach times engagement; a voice without either takes no part. Each author once, with the brand of most engagement."""
    query = REACH_QUERY.format(
        rows=queries.mentions_query(asked.brand_ids, weeks, asked.config.timezone)
    )
    return tuple(
        _voice(row, query, asked)
        for row in snapshot.sql(
            TOP_INFLUENCERS_QUERY.format(heard=query, most=MAX_INFLUENCERS)
        ).to_pylist()
    )


def _voice(row: Mapping[str, Any], query: str, asked: ReportContext) -> Influencer:
    def figure(measure: str, value: float | None) -> Figure:
        return Figure(
            measure=measure, week=str(asked.week), brand=row["brand"], subject=row["author"][:SHORT_HASH_LENGTH], value=value, n=row["posts"],
            query=query, versions=asked.versions, posts=tuple(row["sample"]),
        )  # fmt: skip

    return Influencer(
        author=row["author"],
        source=row["source"],
        brand=row["brand"],
        posts=figure("voice_posts", row["posts"]),
        reach=figure("voice_reach", row["reach"]),
        engagement=figure("voice_engagement", row["engagement"]),
        opinion=figure("voice_opinion", row["opinion"]),
    )


def _ties(
    snapshot: Snapshot, query: str
) -> tuple[InteractionCounts, dict[tuple[str, str], dict[str, Any]]]:
    rows = {(row["one"], row["other"]): row for row in snapshot.sql(query).to_pylist()}
    return {tie: row["times"] for tie, row in rows.items()}, rows


def _communities(
    snapshot: Snapshot, asked: ReportContext, weeks: Sequence[Period]
) -> tuple[Community, ...]:
    query = ties_query(asked.brand_ids, weeks, asked.config.timezone)
    found, about = _ties(snapshot, query)
    number = detect_communities(found)
    sizes = Counter(number.values())
    return tuple(
        _community(
            {
                tie: times
                for tie, times in found.items()
                if number[tie[0]] == number[tie[1]] == place
            },
            about,
            size,
            query,
            asked,
        )
        for place, size in sorted(sizes.items())[:MAX_COMMUNITIES]
        if size >= MIN_COMMUNITY_PEOPLE
    )


def _community(
    within: InteractionCounts,
    about: Mapping[tuple[str, str], Mapping[str, Any]],
    size: int,
    query: str,
    asked: ReportContext,
) -> Community:
    brands = Counter(brand for tie in sorted(within) for brand in about[tie]["brands"])
    answered: defaultdict[str, set[str]] = defaultdict(set)
    for one, other in within:
        answered[other].add(one)
    centre = min(answered, key=lambda person: (-len(answered[person]), person))
    count = Figure(
        measure="community_people", week=str(asked.week), subject=centre[:SHORT_HASH_LENGTH], value=size, n=size, query=query, versions=asked.versions,
        posts=tuple(sorted(about[tie]["post"] for tie in within)),
    )  # fmt: skip
    return Community(
        people=count, brands=tuple(brand for brand, _ in brands.most_common()), centre=centre
    )


def _spreads(
    snapshot: Snapshot, asked: ReportContext, topics: Sequence[ReportTopic]
) -> tuple[TopicSpread, ...]:
    """By the posts that each topic keeps as evidence; the posts of all topics are asked for at once."""
    ids = sorted({post for topic in topics for post in topic.posts.posts})
    rows = snapshot.sql(TOPIC_PATH_QUERY.format(ids=queries.string_literals(ids))).to_pylist()
    paths = [(topic, [row for row in rows if row["id"] in topic.posts.posts]) for topic in topics]
    paths = [(topic, path) for topic, path in paths if path]
    said = load_quotes(
        snapshot, [row["id"] for _, path in paths for row in (path[0], _spreader(path))]
    )
    return tuple(_spread(topic, path, said, asked) for topic, path in paths)


def _spreader(path: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return max(path, key=lambda row: (_carried(row), -row["published_at"].timestamp(), row["id"]))


def _carried(post: Mapping[str, Any]) -> int:
    return int(max(post["passed_on"], post["answered_by"]))


def _spread(
    topic: ReportTopic,
    path: Sequence[Mapping[str, Any]],
    said: Mapping[str, Quote],
    asked: ReportContext,
) -> TopicSpread:
    most = _spreader(path)
    figure = Figure(
        measure="topic_carried", week=str(asked.week), subject=topic.id, value=_carried(most), n=len(path),
        query=CARRIED_QUERY.format(path=TOPIC_PATH_QUERY.format(ids=queries.string_literals(topic.posts.posts))), versions=asked.versions, posts=(most["id"],),
    )  # fmt: skip
    spreader = said[most["id"]] if _carried(most) else None
    return TopicSpread(
        topic=topic.id,
        label=topic.labels,
        first=said[path[0]["id"]],
        spreader=spreader,
        carried=figure,
    )


def _questions(snapshot: Snapshot, asked: ReportContext) -> BrandQuestions | None:
    if asked.config.own_brand is None:
        return None
    own = asked.config.own_brand.id
    mentions = queries.mentions_query([own], [asked.week], asked.config.timezone)
    query = QUESTIONS_QUERY.format(rows=mentions, brand=sql_literal(own))
    rows = snapshot.sql(query).to_pylist()
    known = (
        bool(
            snapshot.sql(QUESTIONS_JUDGED_QUERY.format(rows=mentions, brand=sql_literal(own)))[
                "known"
            ][0].as_py()
        )
        and str(asked.week) not in asked.unread_weeks
    )
    seen = [
        row for row in rows if row["replies"] is not None or row["has_child"] or row["threaded"]
    ]
    silent = [row for row in seen if not row["replies"] and not row["has_child"]]
    bounds = wilson_interval(len(silent), len(seen)) if seen else (None, None)

    def figure(
        measure: str,
        value: float | None,
        n: int,
        found: list[dict[str, Any]],
        low: float | None,
        high: float | None,
    ) -> Figure:
        return Figure(
            measure=measure, week=str(asked.week), brand=own, value=value, n=n, low=low, high=high, query=query, versions=asked.versions,
            posts=tuple(row["id"] for row in found),
        )  # fmt: skip

    newest = sorted(silent, key=lambda row: (row["published_at"], row["id"]), reverse=True)[
        :MAX_QUESTION_QUOTES
    ]
    said = load_quotes(snapshot, [row["id"] for row in newest])
    return BrandQuestions(
        asked=figure("questions", len(rows) if known else None, len(rows), rows, None, None),
        unanswered=figure(
            "unanswered", len(silent) / len(seen) if seen else None, len(seen), silent, *bounds
        ),
        quotes=tuple(said[row["id"]] for row in newest),
    )
