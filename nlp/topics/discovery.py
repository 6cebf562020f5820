"""One week of posts against the weeks before it: the emerging topics, and what could not be known."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from folate.core.config import Brand, Topics
from folate.core.weeks import Period
from nlp.stats.estimation import log_odds_z_scores
from nlp.text.term_matcher import TermMatcher
from nlp.topics import audience_segments, grouping
from nlp.topics.assemble import TopicContext, describe_topics
from nlp.topics.audience_segments import FindSegments
from nlp.topics.candidates import find_candidates
from nlp.topics.detect import (
    MIN_BASELINE_WEEKS,
    ScopeTest,
    find_alarms,
    margin_without_posts,
    run_scope_tests,
)
from nlp.topics.grouping import EmbedTexts
from nlp.topics.stream import FetchTexts, Floats, PostStream, encode_posts
from nlp.topics.topic import FLAG_SHORT_BASELINE, Discovery, Topic

MIN_USUAL_POSTS = 10  # posts a week of a source, whose silence is then no chance


def discover_topics(
    post_table: pa.Table, span: Period, settings: Topics, watched_terms: Sequence[str] = (), brands: Sequence[Brand] = (), *, embed: EmbedTexts | None = None,
    previous_topics: Sequence[Topic] = (), overlapping_topics: Sequence[Topic] = (), find_segments: FindSegments | None = None, fetch_texts: FetchTexts | None = None,
) -> Discovery:  # fmt: skip
    """The topics of `span`, a week or seven days, that more people wrote about than the weeks before it let expect, best first.

    `stream` has one row a post of the window (`nlp.topics.stream.COLUMNS`); its column `week` counts from 0, the oldest week of
    the baseline, to `settings.baseline_weeks`, the week at hand. `bodies` gives the texts of posts by id; without it a column `body`
    does. `embed` joins topics across languages; without it only posts that name a thing in both do. `segments` tells who says it.
    `previous` are the topics of the span before, `running` those of days that lie within this one. The order of the rows does not matter.
    Raises InputError when the stream lacks a column or a value that the method needs.
    """
    posts = encode_posts(post_table, settings.baseline_weeks + 1, fetch_texts)
    notes = _notes(posts, span, settings)
    candidates = find_candidates(posts, settings.min_authors)
    tests, first = run_scope_tests(candidates, tuple(brands), settings)
    notes += _untested(tests, brands, settings)
    groups = grouping.group_alarms(
        find_alarms(tests, candidates.terms), candidates.terms, candidates.posts_with_term
    )
    groups = [grouping.drop_fragments(group, candidates.terms) for group in groups]
    groups = grouping.merge_across_languages(groups, candidates.terms, posts, embed)
    groups = grouping.explain_away(
        groups,
        lambda alarm, better: margin_without_posts(
            alarm, candidates.posts_with_term(alarm.term_index), better, posts, settings
        ),
        candidates.posts_with_term,
    )
    said = np.unique(np.array([post for group in groups for post in group.posts], np.int64))
    others, members = (
        audience_segments.find_segment_members(posts, said, find_segments)
        if find_segments
        else (np.zeros(0, np.int32), {})
    )
    z = _log_odds(tests[0]) if tests else np.zeros(0)
    watched = TermMatcher(watched_terms, plurals=True)
    window = TopicContext(
        posts, candidates, first, span, settings, tests, z, watched, others, members
    )
    described = describe_topics(window, groups, previous_topics, overlapping_topics)
    return Discovery(
        topics=rank_topics(topic for topic, _ in described), thresholds={t.scope: t.threshold for t in tests},
        tested_terms={t.scope: t.tested_terms for t in tests}, notes=tuple(notes),
        topic_posts={topic.id: tuple(posts.column_values("id", mine)) for topic, mine in described},
    )  # fmt: skip


def rank_topics(topics: Iterable[Topic]) -> tuple[Topic, ...]:
    """Topics in the order of a week's list, each with its rank and whether a flag says that its rise may be none."""
    best = sorted(topics, key=_rank)
    return tuple(
        replace(t, detail={**t.detail, "rank": rank, "artefact": _artefact(t)})
        for rank, t in enumerate(best)
    )


def _rank(topic: Topic) -> tuple[bool, bool, float, int, str]:
    """Tested before carried over, unflagged before flagged, then by how far above its threshold, authors and id."""
    return (
        topic.q is None,
        _artefact(topic),
        -topic.detail.get("margin", 0.0),
        -topic.authors,
        topic.id,
    )


def _artefact(topic: Topic) -> bool:
    """Whether a flag says that the rise may be none; a short past is no such reason."""
    return bool(set(topic.flags) - {FLAG_SHORT_BASELINE})


def _notes(stream: PostStream, span: Period, settings: Topics) -> list[str]:
    """What the window itself does not let us know."""
    notes = []
    sizes = np.bincount(stream.week_index, minlength=stream.n_weeks)
    before = int((sizes[:-1] > 0).sum())
    if not sizes[-1]:
        notes.append(f"No post was published in {span}: nothing can have emerged.")
    if before < settings.baseline_weeks:
        end = "none was sought" if before < MIN_BASELINE_WEEKS else "what was found is flagged"
        notes.append(
            f"{before} of the {settings.baseline_weeks} weeks before {span} have posts; what is usual can't be known "
            f"from fewer than {MIN_BASELINE_WEEKS}, nor well from fewer than {settings.baseline_weeks}: {end}."
        )
    notes += _silent(stream, span)
    if stream.n_anonymous_posts:
        notes.append(
            f"{stream.n_anonymous_posts} of {len(stream)} posts have no author; each counts as an author of its own."
        )
    return notes


def _silent(stream: PostStream, span: Period) -> list[str]:
    """Sources that said nothing this week, or in some week of the baseline though they usually say much."""
    counts = np.zeros((stream.n_weeks, len(stream.source_names)), np.int64)
    np.add.at(counts, (stream.week_index, stream.source_codes), 1)
    before, now = counts[:-1][counts[:-1].sum(axis=1) > 0], counts[-1]
    if not len(before) or not now.any():
        return []
    down = [
        name
        for name, here, past in zip(stream.source_names, now, before.T, strict=True)
        if past.any() and not here
    ]
    notes = (
        [f"No post in {span} from {', '.join(down)}: its topics could not be seen."] if down else []
    )
    for name, past in zip(stream.source_names, before.T, strict=True):
        since = past[np.argmax(past > 0) :]  # a source that is new was not down before
        if (
            past.any()
            and (gaps := int((since == 0).sum()))
            and np.median(since[since > 0]) >= MIN_USUAL_POSTS
        ):
            notes.append(
                f"{name} has no post in {gaps} of the {len(past)} weeks before {span}: what is usual on it is known from the others."
            )
    return notes


def _untested(tests: list[ScopeTest], brands: Sequence[Brand], settings: Topics) -> list[str]:
    tested = {test.scope for test in tests}
    missing = [brand.label for brand in brands if brand.id not in tested]
    return (
        [
            f"Not tested alone, for want of {MIN_BASELINE_WEEKS} weeks of posts: {', '.join(missing)}."
        ]
        if missing and tested
        else []
    )


def _log_odds(test: ScopeTest) -> Floats:
    """z of each term's authors this week against the baseline's, with both together as the prior (`nlp.stats.estimation.log_odds_z_scores`)."""
    weekly = test.counts.in_weeks(np.arange(len(test.counts.totals))).astype(float)
    now, past = weekly[:, -1], weekly[:, :-1].sum(axis=1)
    return log_odds_z_scores(now, past, now + past + 0.5) if len(now) else np.zeros(0)
