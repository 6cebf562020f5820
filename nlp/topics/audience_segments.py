"""Audience segments of a topic's authors, from what authors say about themselves."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from nlp.topics.context import log_odds_ratio
from nlp.topics.stream import Bools, Ints, PostStream

# Fewer authors could be recognised as persons, and prove nothing.
MIN_SEGMENT_AUTHORS = 10
# Authors of the week that are sampled to represent all others.
MAX_OTHER_AUTHORS = 5000
# Posts that are searched for segments, per author: the latest ones.
MAX_POSTS_PER_AUTHOR = 20

FindSegments = Callable[[str], Iterable[str]]
"""Text -> segments that its author claims to belong to (see `nlp.extract.segments`)."""


def find_segment_members(
    stream: PostStream, topic_posts: Ints, find_segments: FindSegments
) -> tuple[Ints, dict[str, Bools]]:
    """Find the members of each segment among the authors of topics and a sample of the others.

    The sample is evenly spread over the authors of the week. The posts of the whole window are
    searched. Returns the author codes of the sample and, by segment, a mask over all authors of
    the stream.
    """
    week_authors = np.unique(stream.author_codes[stream.week_offsets[-2] :]).astype(np.int64)
    sampled_authors = week_authors[:: max(1, -(-len(week_authors) // MAX_OTHER_AUTHORS))]
    is_searched = np.zeros(stream.n_authors, bool)
    is_searched[sampled_authors] = True
    is_searched[stream.author_codes[topic_posts]] = True
    posts = np.flatnonzero(is_searched[stream.author_codes])
    posts = posts[np.lexsort((-posts, stream.author_codes[posts]))]
    authors = stream.author_codes[posts]
    rank_in_author = np.arange(len(posts)) - np.searchsorted(authors, authors)
    posts = posts[rank_in_author < MAX_POSTS_PER_AUTHOR]
    members: dict[str, Bools] = {}
    for post, body in zip(posts, stream.bodies(posts), strict=True):
        for segment in find_segments(body):
            is_member = members.setdefault(segment, np.zeros(stream.n_authors, bool))
            is_member[stream.author_codes[post]] = True
    return sampled_authors, members


def overrepresented_segments(
    stream: PostStream, posts: Ints, other_authors: Ints, segment_members: Mapping[str, Bools]
) -> dict[str, dict[str, float]]:
    """Return the segments that are more frequent among a topic's authors than among the others.

    A segment needs `MIN_SEGMENT_AUTHORS` authors in the topic and a log odds ratio above 0 by 1.96
    standard errors. Each comes with its authors in the topic, their share, and the share outside.
    """
    inside = np.unique(stream.author_codes[posts])
    outside = np.setdiff1d(other_authors, inside)
    segments = {}
    for segment, is_member in sorted(segment_members.items()):
        count_inside = int(is_member[inside].sum())
        count_outside = int(is_member[outside].sum())
        if count_inside < MIN_SEGMENT_AUTHORS:
            continue
        _, low, _ = log_odds_ratio(count_inside, len(inside), count_outside, len(outside))
        if low > 0:
            segments[segment] = {
                "authors": count_inside,
                "share": count_inside / len(inside),
                "outside": count_outside / max(len(outside), 1),
            }
    return segments
