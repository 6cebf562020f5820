"""What is said of a topic: its name, numbers, flags, audience, life and the posts that speak for it."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from folate.core.config import Topics
from folate.core.text import contains_chinese
from folate.core.weeks import Period
from nlp.text.stopwords import stopwords
from nlp.text.term_matcher import TermMatcher
from nlp.topics import artefacts, audience_segments, first_story, tracking
from nlp.topics.candidates import CandidateTerms
from nlp.topics.detect import ALL_POSTS, Alarm, ScopeTest, q_values
from nlp.topics.grouping import AlarmGroup
from nlp.topics.stream import Bools, Codes, Floats, Ints, PostStream
from nlp.topics.topic import FLAG_SHORT_BASELINE, Topic
from nlp.topics.tracking import Lineage

MAX_EVIDENCE_POSTS = 100  # post ids a topic, at most
MAX_TOPIC_TERMS = 12  # terms a topic, at most


@dataclass(frozen=True)
class TopicContext:
    """What every topic of a week is described from."""

    stream: PostStream
    candidates: CandidateTerms
    first_posts: Codes  # by term: its first post in the window
    span: Period
    settings: Topics
    scope_tests: list[ScopeTest]
    log_odds_z: Floats  # by term: log-odds of this week's authors against the baseline's
    watched_terms: TermMatcher
    other_authors: Ints  # voices that stand for those who do not write of a topic
    segment_members: Mapping[str, Bools]  # by segment, over the voices


def describe_topics(
    window: TopicContext,
    groups: list[AlarmGroup],
    previous_topics: Sequence[Topic],
    overlapping_topics: Sequence[Topic],
) -> list[tuple[Topic, Ints]]:
    """The topics of the week with their posts, and those of the week before that are not alarmed any more.

    A topic that `running` knows already (of days of this week) is known by that id. A week without posts knows of none that it is gone:
    the next one goes on from the week before.
    """
    if window.stream.week_offsets[-2] == len(window.stream):
        return []
    own = [
        [window.candidates.terms[a.term_index] for a in group.alarms][:MAX_TOPIC_TERMS]
        for group in groups
    ]
    lineage = tracking.match_previous_topics(own, previous_topics)
    days = tracking.match_previous_topics(own, overlapping_topics)
    qs = q_values([group.leading_alarm for group in groups], window.scope_tests)
    topics = []
    for group, names, life, day, q in zip(groups, own, lineage, days, qs, strict=True):
        terms = list(
            dict.fromkeys([*names, *(t for topic in life.continues for t in topic.terms)])
        )[:MAX_TOPIC_TERMS]
        topics.append(_topic(window, group, terms, life, day, q))
    matched = {topic.id for life in lineage for topic in life.continues}
    carried = [
        topic for topic in previous_topics if topic.id not in matched and topic.state != "gone"
    ]
    return topics + [_carried(window, topic) for topic in carried]


def _topic(
    window: TopicContext, group: AlarmGroup, terms: list[str], life: Lineage, day: Lineage, q: float
) -> tuple[Topic, Ints]:
    stream, lead = window.stream, group.leading_alarm
    posts = np.union1d(
        np.array(sorted(group.posts), np.int64),
        posts_with_terms(window, terms[len(group.alarms) :]),
    )
    voices = len(np.unique(stream.author_codes[posts[stream.is_original[posts]]]))
    central = first_story.representative_posts(stream, posts.tolist(), stopwords())
    said = Counter(
        word
        for post in posts[: first_story.MAX_POSTS].tolist()
        for word in stream.words.strings_of(post)
    )
    before = life.continues[0] if life.continues else None
    known = before or next(iter(day.continues), None)
    speakers = audience_segments.overrepresented_segments(
        stream, posts, window.other_authors, window.segment_members
    )
    flags = artefacts.artefact_flags(
        stream, posts, lead, terms, window.span, window.settings.min_authors
    )
    if len(lead.scope_test.counts.baseline_weeks) < window.settings.baseline_weeks:
        flags.append(FLAG_SHORT_BASELINE)
    first = stream.column_values(
        "published_at", window.first_posts[[lead.term_index]].astype(np.int64)
    )
    topic = Topic(
        week=str(window.span), id=known.id if known else tracking.topic_id(str(window.span), terms[0]),
        state=tracking.alarmed_topic_state(before, voices), label_zh=_label(terms, said, wide=True), label_en=_label(terms, said, wide=False),
        terms=tuple(terms), score=round(lead.score, 4), q=q, posts=len(posts), authors=voices,
        first_seen=min([*first, *(b.first_seen for b in life.continues if b.first_seen)]),
        sources=tuple(sorted({stream.source_names[s] for s in stream.source_codes[posts]})),
        languages=tuple(sorted({value for value in stream.column_values("language", posts) if value})),
        watched=any(map(window.watched_terms.matches, terms)), flags=tuple(flags), segments=tuple(sorted(speakers)),
        brands=tuple(sorted({scope for a in group.alarms for scope in a.scopes} - {ALL_POSTS})),
        evidence=tuple(_evidence(stream, central, posts)), detail=_detail(window, group, posts, central, life) | {"segments": speakers},
    )  # fmt: skip
    return topic, posts


def _evidence(stream: PostStream, central: list[int], posts: Ints) -> list[str]:
    return _ids(
        stream, [*central, *(int(p) for p in posts if p not in central)][:MAX_EVIDENCE_POSTS]
    )


def _ids(stream: PostStream, posts: list[int]) -> list[str]:
    return stream.column_values("id", np.array(posts, np.int64))


def _detail(
    window: TopicContext, group: AlarmGroup, posts: Ints, central: list[int], life: Lineage
) -> dict[str, Any]:
    """What only the report and the history print; every number of plain type, so that it goes into JSON."""
    lead, now, stream = group.leading_alarm, group.leading_alarm.term_scores, window.stream
    observed, expected = int(now.observed[lead.term_index]), float(now.expected[lead.term_index])
    weekly = lead.scope_test.counts.for_term(lead.term_index).sum(axis=1)
    return {
        "scope": lead.scope_test.scope, "observed": observed, "expected": round(expected, 4), "gain": round(observed / expected, 2),
        "threshold": round(lead.scope_test.threshold, 4), "margin": round(lead.margin, 4), "weekly_authors": [int(n) for n in weekly],
        "terms": [_term(window, alarm) for alarm in group.alarms[:MAX_TOPIC_TERMS]],
        "explains": [_term(window, alarm) for alarm in group.explained_alarms[:MAX_TOPIC_TERMS]],
        "central": _ids(stream, central), "copies": round(float((~stream.is_original[posts]).mean()), 4),
        "survives_without_top_authors": artefacts.survives_without_top_authors(lead, window.settings),
        "rise": artefacts.decompose_rise(lead.scope_test.counts, lead.term_index),
        "continues": [topic.id for topic in life.continues], "split_from": life.split_from.id if life.split_from else None,
    }  # fmt: skip


def _term(window: TopicContext, alarm: Alarm) -> dict[str, Any]:
    return {
        "term": window.candidates.terms[alarm.term_index], "authors": alarm.authors, "score": round(alarm.score, 4),
        "log_odds_z": round(float(window.log_odds_z[alarm.term_index]), 2),
    }  # fmt: skip


def _label(terms: Sequence[str], said: Counter[str], wide: bool) -> str:
    """The best term of a language; the best of the other when it has none. English words in the number that most of `said` have."""
    own = [term for term in terms if contains_chinese(term) == wide]
    name = (own or list(terms))[0].removeprefix("#")
    return " ".join(max(word, f"{word}s", key=said.__getitem__) for word in name.split(" "))


def posts_with_terms(window: TopicContext, terms: Sequence[str]) -> Ints:
    """The posts of the week that hold any of the terms; a term that nobody wrote often enough to count has none."""
    names = window.candidates.terms
    places = [(bisect_left(names, term), term) for term in terms]
    parts = [
        window.candidates.posts_with_term(place)
        for place, term in places
        if place < len(names) and names[place] == term
    ]
    return np.unique(np.concatenate([np.zeros(0, np.int32), *parts])).astype(np.int64)


def _carried(window: TopicContext, before: Topic) -> tuple[Topic, Ints]:
    """A topic of the week before that is not alarmed this week: fading while someone still writes of it, else gone."""
    stream = window.stream
    posts = posts_with_terms(window, before.terms)
    central = first_story.representative_posts(stream, posts.tolist(), stopwords())
    topic = Topic(
        week=str(window.span), id=before.id, state="fading" if len(posts) else "gone", label_zh=before.label_zh,
        label_en=before.label_en, terms=before.terms, score=0.0, q=None, posts=len(posts),
        authors=len(np.unique(stream.author_codes[posts[stream.is_original[posts]]])), first_seen=before.first_seen,
        sources=tuple(sorted({stream.source_names[s] for s in stream.source_codes[posts]})),
        languages=tuple(sorted({value for value in stream.column_values("language", posts) if value})), watched=before.watched,
        flags=(), segments=(), brands=before.brands, evidence=tuple(_evidence(stream, central, posts)),
        detail={"central": _ids(stream, central), "continues": [before.id]},
    )  # fmt: skip
    return topic, posts
