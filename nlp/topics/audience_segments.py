"""Who says it: audience segments, found in what authors say of themselves."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from nlp.topics.context import log_odds_ratio
from nlp.topics.stream import Bools, Ints, PostStream

MIN_SEGMENT_AUTHORS = 10  # fewer could be told apart as persons, and prove nothing
MAX_OTHER_AUTHORS = 5000  # authors of the week who stand for all others
MAX_POSTS_PER_AUTHOR = 20  # posts an author that are read, the latest

FindSegments = Callable[[str], Iterable[str]]
"""Segments that the author of a text says to belong to (`nlp.extract.segments.SegmentDetector.find_segments`)."""


def find_segment_members(
    stream: PostStream, topic_posts: Ints, find_segments: FindSegments
) -> tuple[Ints, dict[str, Bools]]:
    """Who belongs to each segment, among the authors of the posts `topics` and some other authors of the week, evenly spread over it.

    Gives those other authors, and by segment for each voice of the stream whether it belongs. What they wrote in the whole window is read.
    """
    week = np.unique(stream.author_codes[stream.week_offsets[-2] :]).astype(np.int64)
    others = week[:: max(1, -(-len(week) // MAX_OTHER_AUTHORS))]
    asked = np.zeros(stream.n_authors, bool)
    asked[others] = asked[stream.author_codes[topic_posts]] = True
    posts = np.flatnonzero(asked[stream.author_codes])
    posts = posts[np.lexsort((-posts, stream.author_codes[posts]))]
    voice = stream.author_codes[posts]
    posts = posts[np.arange(len(posts)) - np.searchsorted(voice, voice) < MAX_POSTS_PER_AUTHOR]
    found: dict[str, Bools] = {}
    for post, body in zip(posts, stream.bodies(posts), strict=True):
        for segment in find_segments(body):
            found.setdefault(segment, np.zeros(stream.n_authors, bool))[
                stream.author_codes[post]
            ] = True
    return others, found


def overrepresented_segments(
    stream: PostStream, posts: Ints, other_authors: Ints, segment_members: Mapping[str, Bools]
) -> dict[str, dict[str, float]]:
    """Segments that write of a topic more than the week's `others` do: authors, their share, the share outside.

    Only segments of `LEAST_AUTHORS` authors in the topic whose log odds ratio is above 0 by 1.96 standard errors.
    """
    inside = np.unique(stream.author_codes[posts])
    outside = np.setdiff1d(other_authors, inside)
    found = {}
    for segment, is_member in sorted(segment_members.items()):
        a, c = int(is_member[inside].sum()), int(is_member[outside].sum())
        if a >= MIN_SEGMENT_AUTHORS and log_odds_ratio(a, len(inside), c, len(outside))[1] > 0:
            found[segment] = {
                "authors": a,
                "share": a / len(inside),
                "outside": c / max(len(outside), 1),
            }
    return found
