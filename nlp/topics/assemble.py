"""Assembly of topics from alarm groups: names, figures, flags, audience, lineage and quotes."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from folate.core.config import Topics
from folate.core.text import contains_chinese
from folate.core.weeks import Period
from nlp.text.stopwords import stopwords
from nlp.text.term_matcher import TermMatcher
from nlp.topics import artefacts, audience_segments, first_story, tracking
from nlp.topics.alarms import ALL_POSTS, Alarm, ScopeTest, q_values
from nlp.topics.candidates import CandidateTerms
from nlp.topics.grouping import AlarmGroup
from nlp.topics.stream import Bools, Codes, Floats, Ints, PostStream
from nlp.topics.topic import FLAG_SHORT_BASELINE, Topic
from nlp.topics.tracking import Lineage

# Post ids stored per topic.
MAX_EVIDENCE_POSTS = 100
# Terms stored per topic.
MAX_TOPIC_TERMS = 12


@dataclass(frozen=True, kw_only=True)
class TopicContext:
    """The inputs that all topics of a period are described from."""

    stream: PostStream
    candidates: CandidateTerms
    # By term: its first post in the window.
    first_posts: Codes
    span: Period
    settings: Topics
    scope_tests: list[ScopeTest]
    # By term: log-odds of this week's authors against the baseline's, in standard errors.
    log_odds_z: Floats
    watched_terms: TermMatcher
    # Author codes of a sample of the week's authors.
    other_authors: Ints
    # Segment -> mask over the authors of the stream.
    segment_members: Mapping[str, Bools]


def describe_topics(
    window: TopicContext,
    groups: list[AlarmGroup],
    previous_topics: Sequence[Topic],
    overlapping_topics: Sequence[Topic],
) -> list[tuple[Topic, Ints]]:
    """Return the topics of the period with their posts, then the previous ones not found again.

    `previous_topics` are those of the period before. A topic that continues none of them but one of
    `overlapping_topics`, which were found in periods that share days with this one, takes its id.
    A period without posts gives no topics at all: it cannot show that a topic is gone, and the next
    period continues the one before it.
    """
    if window.stream.week_offsets[-2] == len(window.stream):
        return []
    all_terms = window.candidates.terms
    term_lists = []
    for group in groups:
        alarms = group.alarms[:MAX_TOPIC_TERMS]
        term_lists.append([all_terms[alarm.term_index] for alarm in alarms])
    lineages = tracking.match_previous_topics(term_lists, previous_topics)
    overlaps = tracking.match_previous_topics(term_lists, overlapping_topics)
    qs = q_values([group.leading_alarm for group in groups], window.scope_tests)
    topics = []
    for group, terms, lineage, overlap, q in zip(
        groups, term_lists, lineages, overlaps, qs, strict=True
    ):
        topics.append(
            _describe_alarmed_topic(
                window,
                group,
                terms=_add_continued_terms(terms, lineage),
                lineage=lineage,
                overlap=overlap,
                q=q,
            )
        )
    matched_ids = {topic.id for lineage in lineages for topic in lineage.continues}
    carried_over = [
        _carry_topic_over(window, topic)
        for topic in previous_topics
        if topic.id not in matched_ids and topic.state != "gone"
    ]
    return topics + carried_over


def _add_continued_terms(terms: list[str], lineage: Lineage) -> list[str]:
    """Append the terms of the topics that a topic continues, `MAX_TOPIC_TERMS` in all."""
    continued_terms = [term for topic in lineage.continues for term in topic.terms]
    return list(dict.fromkeys([*terms, *continued_terms]))[:MAX_TOPIC_TERMS]


def _describe_alarmed_topic(
    window: TopicContext,
    group: AlarmGroup,
    *,
    terms: list[str],
    lineage: Lineage,
    overlap: Lineage,
    q: float,
) -> tuple[Topic, Ints]:
    """Return the topic of a group and its posts.

    `lineage` is the topic's relation to the period before, `overlap` that to overlapping periods.
    """
    stream = window.stream
    lead = group.leading_alarm
    posts = np.union1d(
        np.array(sorted(group.posts), np.int64),
        posts_with_terms(window, terms[len(group.alarms) :]),
    )
    authors = _count_original_authors(stream, posts)
    quotes = first_story.representative_posts(stream, posts.tolist(), stopwords())
    word_counts = _count_words(stream, posts[: first_story.MAX_POSTS])
    predecessor = lineage.continues[0] if lineage.continues else None
    same_topic = predecessor or next(iter(overlap.continues), None)
    segments = audience_segments.overrepresented_segments(
        stream, posts, window.other_authors, window.segment_members
    )
    detail = _detail_figures(window, group, posts=posts, quotes=quotes, lineage=lineage)
    topic = Topic(
        week=str(window.span),
        id=same_topic.id if same_topic else tracking.topic_id(str(window.span), terms[0]),
        state=tracking.alarmed_topic_state(predecessor, authors),
        label_zh=_choose_label(terms, word_counts, is_chinese=True),
        label_en=_choose_label(terms, word_counts, is_chinese=False),
        terms=tuple(terms),
        score=round(lead.score, 4),
        q=q,
        posts=len(posts),
        authors=authors,
        first_seen=_first_seen(window, lead, lineage),
        sources=_source_names(stream, posts),
        languages=_languages(stream, posts),
        watched=any(map(window.watched_terms.matches, terms)),
        flags=tuple(_topic_flags(window, lead, posts, terms)),
        segments=tuple(sorted(segments)),
        brands=_alarmed_brands(group),
        evidence=tuple(_evidence_ids(stream, quotes, posts)),
        detail=detail | {"segments": segments},
    )
    return topic, posts


def _count_original_authors(stream: PostStream, posts: Ints) -> int:
    """Count the distinct authors of the posts that are no copies."""
    return len(np.unique(stream.author_codes[posts[stream.is_original[posts]]]))


def _count_words(stream: PostStream, posts: Ints) -> Counter[str]:
    word_counts: Counter[str] = Counter()
    for post in posts.tolist():
        word_counts.update(stream.words.strings_of(post))
    return word_counts


def _topic_flags(window: TopicContext, lead: Alarm, posts: Ints, terms: Sequence[str]) -> list[str]:
    flags = artefacts.artefact_flags(
        window.stream,
        posts,
        lead,
        terms=terms,
        span=window.span,
        min_template_authors=window.settings.min_authors,
    )
    if len(lead.scope_test.counts.baseline_weeks) < window.settings.baseline_weeks:
        flags.append(FLAG_SHORT_BASELINE)
    return flags


def _first_seen(window: TopicContext, lead: Alarm, lineage: Lineage) -> datetime:
    """Return the time of the first post with the leading term, in this window or an earlier one."""
    first_post = window.first_posts[[lead.term_index]].astype(np.int64)
    times = window.stream.column_values("published_at", first_post)
    times += [topic.first_seen for topic in lineage.continues if topic.first_seen]
    first: datetime = min(times)
    return first


def _source_names(stream: PostStream, posts: Ints) -> tuple[str, ...]:
    return tuple(sorted({stream.source_names[code] for code in stream.source_codes[posts]}))


def _languages(stream: PostStream, posts: Ints) -> tuple[str, ...]:
    languages = stream.column_values("language", posts)
    return tuple(sorted({language for language in languages if language}))


def _alarmed_brands(group: AlarmGroup) -> tuple[str, ...]:
    """Return the ids of the brands in whose scope an alarm of the group was raised."""
    scopes = {scope for alarm in group.alarms for scope in alarm.scopes}
    return tuple(sorted(scopes - {ALL_POSTS}))


def _evidence_ids(stream: PostStream, quotes: list[int], posts: Ints) -> list[str]:
    """Return post ids, the quotes first, `MAX_EVIDENCE_POSTS` at most."""
    unquoted = [int(post) for post in posts if post not in quotes]
    return _post_ids(stream, [*quotes, *unquoted][:MAX_EVIDENCE_POSTS])


def _post_ids(stream: PostStream, posts: list[int]) -> list[str]:
    return stream.column_values("id", np.array(posts, np.int64))


def _detail_figures(
    window: TopicContext,
    group: AlarmGroup,
    *,
    posts: Ints,
    quotes: list[int],
    lineage: Lineage,
) -> dict[str, Any]:
    """Return the figures of `Topic.detail`, all of plain types, so that they go into JSON."""
    stream = window.stream
    lead = group.leading_alarm
    counts = lead.scope_test.counts
    observed = int(lead.term_scores.observed[lead.term_index])
    expected = float(lead.term_scores.expected[lead.term_index])
    weekly_authors = counts.for_term(lead.term_index).sum(axis=1)
    return {
        "scope": lead.scope_test.scope,
        "observed": observed,
        "expected": round(expected, 4),
        "gain": round(observed / expected, 2),
        "threshold": round(lead.scope_test.threshold, 4),
        "margin": round(lead.margin, 4),
        "weekly_authors": [int(n) for n in weekly_authors],
        "terms": _term_figures(window, group.alarms),
        "explains": _term_figures(window, group.explained_alarms),
        "central": _post_ids(stream, quotes),
        "copies": round(float((~stream.is_original[posts]).mean()), 4),
        "survives_without_top_authors": artefacts.survives_without_top_authors(
            lead, window.settings
        ),
        "rise": artefacts.decompose_rise(counts, lead.term_index),
        "continues": [topic.id for topic in lineage.continues],
        "split_from": lineage.split_from.id if lineage.split_from else None,
    }


def _term_figures(window: TopicContext, alarms: Sequence[Alarm]) -> list[dict[str, Any]]:
    """Return term, authors, score and log-odds of the first `MAX_TOPIC_TERMS` alarms."""
    return [
        {
            "term": window.candidates.terms[alarm.term_index],
            "authors": alarm.authors,
            "score": round(alarm.score, 4),
            "log_odds_z": round(float(window.log_odds_z[alarm.term_index]), 2),
        }
        for alarm in alarms[:MAX_TOPIC_TERMS]
    ]


def _choose_label(terms: Sequence[str], word_counts: Counter[str], *, is_chinese: bool) -> str:
    """Return the best term of a language, or of the other one when it has none.

    English words are in the number, singular or plural, that is more frequent in `word_counts`.
    """
    language_terms = [term for term in terms if contains_chinese(term) == is_chinese]
    name = (language_terms or list(terms))[0].removeprefix("#")
    return " ".join(max(word, f"{word}s", key=word_counts.__getitem__) for word in name.split(" "))


def posts_with_terms(window: TopicContext, terms: Sequence[str]) -> Ints:
    """Return the posts of the week that contain any of the terms.

    A term that was not frequent enough to be a candidate has no posts.
    """
    candidate_terms = window.candidates.terms
    posts = [np.zeros(0, np.int32)]
    for term in terms:
        index = bisect_left(candidate_terms, term)
        if index < len(candidate_terms) and candidate_terms[index] == term:
            posts.append(window.candidates.posts_with_term(index))
    return np.unique(np.concatenate(posts)).astype(np.int64)


def _carry_topic_over(window: TopicContext, previous: Topic) -> tuple[Topic, Ints]:
    """Return a previous topic that is not above the threshold any more, and its posts.

    It is fading while a post contains one of its terms, else gone.
    """
    stream = window.stream
    posts = posts_with_terms(window, previous.terms)
    quotes = first_story.representative_posts(stream, posts.tolist(), stopwords())
    topic = Topic(
        week=str(window.span),
        id=previous.id,
        state="fading" if len(posts) else "gone",
        label_zh=previous.label_zh,
        label_en=previous.label_en,
        terms=previous.terms,
        score=0.0,
        q=None,
        posts=len(posts),
        authors=_count_original_authors(stream, posts),
        first_seen=previous.first_seen,
        sources=_source_names(stream, posts),
        languages=_languages(stream, posts),
        watched=previous.watched,
        flags=(),
        segments=(),
        brands=previous.brands,
        evidence=tuple(_evidence_ids(stream, quotes, posts)),
        detail={"central": _post_ids(stream, quotes), "continues": [previous.id]},
    )
    return topic, posts
