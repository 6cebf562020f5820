"""Discovery of emerging topics: one week of posts against the weeks before it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from folate.core.config import Brand, Topics
from folate.core.weeks import Period, last_day
from nlp.stats.estimation import log_odds_z_scores
from nlp.text.term_matcher import TermMatcher
from nlp.topics import audience_segments, grouping, holidays
from nlp.topics.alarms import (
    MIN_BASELINE_WEEKS,
    Alarm,
    ScopeTest,
    find_alarms,
    margin_without_posts,
    run_scope_tests,
)
from nlp.topics.assemble import TopicContext, describe_topics
from nlp.topics.audience_segments import FindSegments
from nlp.topics.candidates import CandidateTerms, find_candidates
from nlp.topics.grouping import AlarmGroup, EmbedTexts
from nlp.topics.stream import Bools, FetchTexts, Floats, Ints, PostStream, encode_posts
from nlp.topics.topic import FLAG_SHORT_BASELINE, Discovery, Topic

# Median posts per week of a source from which a week without any post is no chance.
MIN_USUAL_POSTS = 10


def discover_topics(
    post_table: pa.Table,
    span: Period,
    settings: Topics,
    watched_terms: Sequence[str] = (),
    brands: Sequence[Brand] = (),
    *,
    embed: EmbedTexts | None = None,
    previous_topics: Sequence[Topic] = (),
    overlapping_topics: Sequence[Topic] = (),
    find_segments: FindSegments | None = None,
    fetch_texts: FetchTexts | None = None,
) -> Discovery:
    """Find the topics that more authors wrote about in `span` than the weeks before predict.

    post_table          one row per post of the window, in any order, with the columns
                        `nlp.topics.stream.COLUMNS`; `week` counts from 0, the oldest week of the
                        baseline, to `settings.baseline_weeks`, the current one
    span                the current week, or seven days
    watched_terms       terms of the watch list, which mark topics as watched
    brands              brands whose posts are also tested alone
    embed               encoder that merges topics across languages; without it only topics that
                        posts name in both languages are merged
    previous_topics     topics of the period before
    overlapping_topics  topics of periods that share days with this one
    find_segments       detector of audience segments; without it no segments are given
    fetch_texts         texts by post id; without it a column `body` must hold them

    The topics are ranked best first. Raises InputError when the table lacks a column or a required
    value.
    """
    stream = encode_posts(post_table, settings.baseline_weeks + 1, fetch_texts)
    candidates = find_candidates(stream, settings.min_authors)
    tests, first_posts = run_scope_tests(candidates, tuple(brands), settings)
    groups = _find_alarm_groups(candidates, tests, settings, embed)
    other_authors, segment_members = _find_segment_members(stream, groups, find_segments)
    window = TopicContext(
        stream=stream,
        candidates=candidates,
        first_posts=first_posts,
        span=span,
        settings=settings,
        scope_tests=tests,
        log_odds_z=_log_odds_of_terms(tests[0]) if tests else np.zeros(0),
        watched_terms=TermMatcher(watched_terms, plurals=True),
        other_authors=other_authors,
        segment_members=segment_members,
    )
    described = describe_topics(window, groups, previous_topics, overlapping_topics)
    return Discovery(
        topics=rank_topics(topic for topic, _ in described),
        thresholds={test.scope: test.threshold for test in tests},
        tested_terms={test.scope: test.tested_terms for test in tests},
        notes=(
            *_window_notes(stream, span, settings),
            *_untested_brand_notes(tests, brands),
        ),
        topic_posts={
            topic.id: tuple(stream.column_values("id", posts)) for topic, posts in described
        },
    )


def _find_alarm_groups(
    candidates: CandidateTerms,
    tests: list[ScopeTest],
    settings: Topics,
    embed: EmbedTexts | None,
) -> list[AlarmGroup]:
    """Return the alarms grouped into topics, without fragments and explained-away groups."""
    terms = candidates.terms
    stream = candidates.stream
    posts_with_term = candidates.posts_with_term

    def margin_without(alarm: Alarm, excluded_posts: Ints) -> float:
        term_posts = posts_with_term(alarm.term_index)
        return margin_without_posts(alarm, term_posts, excluded_posts, stream, settings)

    groups = grouping.group_alarms(find_alarms(tests, terms), terms, posts_with_term)
    groups = [grouping.drop_fragments(group, terms) for group in groups]
    groups = grouping.merge_across_languages(groups, terms, stream, embed)
    return grouping.explain_away(groups, margin_without, posts_with_term)


def _find_segment_members(
    stream: PostStream, groups: list[AlarmGroup], find_segments: FindSegments | None
) -> tuple[Ints, dict[str, Bools]]:
    if find_segments is None:
        return np.zeros(0, np.int64), {}
    topic_posts = np.unique(np.array([post for group in groups for post in group.posts], np.int64))
    return audience_segments.find_segment_members(stream, topic_posts, find_segments)


def rank_topics(topics: Iterable[Topic]) -> tuple[Topic, ...]:
    """Sort the topics of a period, and add `rank` and `artefact` to their details.

    `artefact` is whether a flag says that the rise may be none.
    """
    return tuple(
        replace(topic, detail={**topic.detail, "rank": rank, "artefact": _may_be_artefact(topic)})
        for rank, topic in enumerate(sorted(topics, key=_rank_key))
    )


def _rank_key(topic: Topic) -> tuple[bool, bool, float, int, str]:
    """Rank tested before carried over, unflagged before flagged, then by margin, authors and id."""
    margin = topic.detail.get("margin", 0.0)
    return topic.q is None, _may_be_artefact(topic), -margin, -topic.authors, topic.id


def _may_be_artefact(topic: Topic) -> bool:
    """Return whether a flag other than the short baseline is set."""
    return bool(set(topic.flags) - {FLAG_SHORT_BASELINE})


def _window_notes(stream: PostStream, span: Period, settings: Topics) -> list[str]:
    """Return sentences about what the posts of the window leave undetermined."""
    notes = []
    posts_by_week = np.bincount(stream.week_index, minlength=stream.n_weeks)
    baseline_weeks = int((posts_by_week[:-1] > 0).sum())
    if not posts_by_week[-1]:
        notes.append(f"No post was published in {span}: nothing can have emerged.")
    if baseline_weeks < settings.baseline_weeks:
        is_untested = baseline_weeks < MIN_BASELINE_WEEKS
        consequence = "none was sought" if is_untested else "what was found is flagged"
        notes.append(
            f"{baseline_weeks} of the {settings.baseline_weeks} weeks before {span} have posts; "
            f"what is usual can't be known from fewer than {MIN_BASELINE_WEEKS}, "
            f"nor well from fewer than {settings.baseline_weeks}: {consequence}."
        )
    notes += _silent_source_notes(stream, span)
    if stream.n_anonymous_posts:
        notes.append(
            f"{stream.n_anonymous_posts} of {len(stream)} posts have no author; "
            "each counts as an author of its own."
        )
    lunar_note = holidays.lunar_calendar_note(last_day(span))
    if lunar_note:
        notes.append(lunar_note)
    return notes


def _silent_source_notes(stream: PostStream, span: Period) -> list[str]:
    """Return notes on sources without posts this week or, if usually active, in a baseline week."""
    counts = np.zeros((stream.n_weeks, len(stream.source_names)), np.int64)
    np.add.at(counts, (stream.week_index, stream.source_codes), 1)
    has_posts = counts[:-1].sum(axis=1) > 0
    baseline = counts[:-1][has_posts]
    current = counts[-1]
    if not len(baseline) or not current.any():
        return []
    notes = []
    is_down = baseline.any(axis=0) & (current == 0)
    if is_down.any():
        names = [stream.source_names[source] for source in np.flatnonzero(is_down)]
        notes.append(f"No post in {span} from {', '.join(names)}: its topics could not be seen.")
    for name, weekly in zip(stream.source_names, baseline.T, strict=True):
        if not weekly.any():
            continue
        since_first = weekly[np.argmax(weekly > 0) :]  # a new source was not down before
        gaps = int((since_first == 0).sum())
        if gaps and np.median(since_first[since_first > 0]) >= MIN_USUAL_POSTS:
            notes.append(
                f"{name} has no post in {gaps} of the {len(weekly)} weeks before {span}: "
                "what is usual on it is known from the others."
            )
    return notes


def _untested_brand_notes(tests: list[ScopeTest], brands: Sequence[Brand]) -> list[str]:
    tested = {test.scope for test in tests}
    missing = [brand.label for brand in brands if brand.id not in tested]
    if not missing or not tested:
        return []
    return [
        f"Not tested alone, for want of {MIN_BASELINE_WEEKS} weeks of posts: {', '.join(missing)}."
    ]


def _log_odds_of_terms(test: ScopeTest) -> Floats:
    """Return the log-odds, in standard errors, of each term's authors against the baseline's.

    The prior of `nlp.stats.estimation.log_odds_z_scores` is the count of both together.
    """
    weekly = test.counts.in_weeks(np.arange(len(test.counts.totals))).astype(float)
    current = weekly[:, -1]
    baseline = weekly[:, :-1].sum(axis=1)
    if not len(current):
        return np.zeros(0)
    return log_odds_z_scores(current, baseline, current + baseline + 0.5)
