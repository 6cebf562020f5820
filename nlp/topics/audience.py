"""Who says it: audience segments, found in what authors say of themselves."""

import re
from collections.abc import Sequence

import numpy as np
import pyarrow.compute as pc

from folate.config import Segment
from nlp.topics.stream import Bools, Ints, Stream

LEAST_AUTHORS = 10  # fewer could be told apart as persons, and prove nothing


def members(stream: Stream, segment: Segment) -> Bools:
    """For each voice, whether any of its posts in the window holds a term of the segment."""
    voices = np.zeros(stream.voices, bool)
    terms = [term for term in segment.terms if term.strip()]
    if terms:
        found = pc.match_substring_regex(stream.table["body"], pattern(terms), ignore_case=True)
        posts = pc.fill_null(found, False).to_numpy(zero_copy_only=False)[stream.order]
        voices[stream.voice[posts]] = True
    return voices


def pattern(terms: Sequence[str]) -> str:
    """Any of the terms; one that begins or ends with a Latin letter or digit must not stand inside a longer word."""
    parts = []
    for term in terms:
        head = r"(?:^|[^\p{Latin}\p{N}])" if re.match(r"[^\W_]", term) and term[0] < "⺀" else ""
        tail = r"(?:$|[^\p{Latin}\p{N}])" if re.search(r"[^\W_]$", term) and term[-1] < "⺀" else ""
        parts.append(f"{head}{re.escape(term)}{tail}")
    return "|".join(parts)


def speakers(stream: Stream, posts: Ints, segments: Sequence[tuple[Segment, Bools]]) -> dict[str, dict[str, float]]:
    """Segments that write of a topic more than the week's other authors do: authors, their share, the share outside.

    Only segments of `LEAST_AUTHORS` authors in the topic whose log odds ratio is above 0 by 1.96 standard errors (Haldane's
    correction of half an author a cell).
    """
    inside = np.unique(stream.voice[posts])
    outside = np.setdiff1d(np.unique(stream.voice[stream.week == stream.weeks - 1]), inside)
    found = {}
    for segment, is_member in segments:
        a, c = int(is_member[inside].sum()), int(is_member[outside].sum())
        cells = np.array([a, len(inside) - a, c, len(outside) - c]) + 0.5
        log_odds = np.log(cells[0] * cells[3] / (cells[1] * cells[2]))
        if a >= LEAST_AUTHORS and log_odds > 1.96 * np.sqrt((1 / cells).sum()):
            found[segment.id] = {"authors": a, "share": a / len(inside), "outside": c / max(len(outside), 1)}
    return found
