"""A topic keeps its id from week to week, and its state says where it is in its life.

new      no topic of the week before has its terms
strong   alarmed again, with at least as many authors as the week before
weak     alarmed again, with fewer
fading   no longer alarmed, but some still write of it
gone     nobody does; told once
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from nlp.topics.topic import State, Topic

MIN_TERM_OVERLAP = 0.5  # of the shorter list of terms


def topic_id(week: str, leading_term: str) -> str:
    """The id of a topic first seen in `week` under that leading term: 12 hex digits."""
    return blake2b(f"{week}\0{leading_term}".encode(), digest_size=6).hexdigest()


@dataclass(frozen=True)
class Lineage:
    """The topics of the week before that a topic goes on, the nearest first (more than one: a merger), or the one it split off from."""

    continues: tuple[Topic, ...] = ()
    split_from: Topic | None = None


def match_previous_topics(
    term_lists: Sequence[Sequence[str]], previous_topics: Sequence[Topic]
) -> list[Lineage]:
    """For each list of terms, best first, where it comes from. A topic is gone on by one list: the next like it is its split-off."""
    free = sorted(previous_topics, key=lambda t: (-t.score, t.id))
    taken: list[Topic] = []
    found = []
    for terms in term_lists:
        near, parents = _near(terms, free), _near(terms, taken)
        free = [t for t in free if t not in near]
        taken += near
        found.append(Lineage(tuple(near), parents[0] if parents and not near else None))
    return found


def _near(terms: Sequence[str], topics: Sequence[Topic]) -> list[Topic]:
    return sorted(
        (t for t in topics if term_overlap(terms, t.terms) >= MIN_TERM_OVERLAP),
        key=lambda t: (-term_overlap(terms, t.terms), t.id),
    )


def term_overlap(one: Sequence[str], two: Sequence[str]) -> float:
    """Share of the shorter list that is in both; 1 when the leading terms are the same."""
    if one and two and one[0] == two[0]:
        return 1.0
    return len(set(one) & set(two)) / max(min(len(one), len(two)), 1)


def alarmed_topic_state(before: Topic | None, authors: int) -> State:
    """The state of a topic that is alarmed this week."""
    if before is None or before.state == "gone":
        return "new"
    return "strong" if authors >= before.authors else "weak"
