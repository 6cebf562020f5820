"""Tracking topics from one period to the next: ids, merges, splits and states.

new      no topic of the previous period shares its terms
strong   above the threshold again, with at least as many authors as before
weak     above the threshold again, with fewer authors
fading   not above the threshold, but still mentioned
gone     not mentioned any more; reported once
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from nlp.topics.topic import State, Topic

# Share of the shorter list of terms that two topics must have in common to be the same topic.
MIN_TERM_OVERLAP = 0.5


def topic_id(week: str, leading_term: str) -> str:
    """Return the id of a topic first found in `week` with that leading term: 12 hex digits."""
    return blake2b(f"{week}\0{leading_term}".encode(), digest_size=6).hexdigest()


@dataclass(frozen=True)
class Lineage:
    """The topics of the previous period that a topic comes from."""

    # Topics that this one continues, the most similar first; more than one is a merger.
    continues: tuple[Topic, ...] = ()
    # The topic that this one split off from, when another topic continues that one.
    split_from: Topic | None = None


def match_previous_topics(
    term_lists: Sequence[Sequence[str]], previous_topics: Sequence[Topic]
) -> list[Lineage]:
    """Return the lineage of each new topic, given the terms of each, best topic first.

    Every previous topic is continued by one new topic at most: the next one that resembles it has
    split off from it.
    """
    unmatched = sorted(previous_topics, key=lambda t: (-t.score, t.id))
    matched: list[Topic] = []
    lineages = []
    for terms in term_lists:
        continued = _similar_topics(terms, unmatched)
        parents = _similar_topics(terms, matched)
        unmatched = [topic for topic in unmatched if topic not in continued]
        matched += continued
        split_from = parents[0] if parents and not continued else None
        lineages.append(Lineage(tuple(continued), split_from))
    return lineages


def _similar_topics(terms: Sequence[str], topics: Sequence[Topic]) -> list[Topic]:
    """Return the topics that share enough of the terms, the most similar first."""
    return sorted(
        (topic for topic in topics if term_overlap(terms, topic.terms) >= MIN_TERM_OVERLAP),
        key=lambda topic: (-term_overlap(terms, topic.terms), topic.id),
    )


def term_overlap(first: Sequence[str], second: Sequence[str]) -> float:
    """Return the share of the shorter list that is in both; 1 when the leading terms are equal."""
    if first and second and first[0] == second[0]:
        return 1.0
    return len(set(first) & set(second)) / max(min(len(first), len(second)), 1)


def alarmed_topic_state(before: Topic | None, authors: int) -> State:
    """Return the state of a topic that is above the threshold in this period."""
    if before is None or before.state == "gone":
        return "new"
    return "strong" if authors >= before.authors else "weak"
