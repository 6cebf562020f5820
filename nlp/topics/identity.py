"""A topic keeps its id from week to week, and its state says where it is in its life.

new      no topic of the week before has its terms
strong   alarmed again, with at least as many authors as the week before
weak     alarmed again, with fewer
fading   no longer alarmed, but some still write of it
gone     nobody does; told once
"""

from collections.abc import Sequence
from hashlib import blake2b

from nlp.topics.topic import State, Topic

SAME = 0.5  # of the shorter list of terms


def identify(week: str, label: str) -> str:
    """The id of a topic first seen in `week` under that leading term: 12 hex digits."""
    return blake2b(f"{week}\0{label}".encode(), digest_size=6).hexdigest()


def match(topics: Sequence[Sequence[str]], previous: Sequence[Topic]) -> list[list[Topic]]:
    """For each list of terms, best first, the topics of the week before that it goes on: the nearest first, each given once.

    More than one is a merger. A topic that was given to an earlier list is not given again: the later list is its split-off.
    """
    free = sorted(previous, key=lambda t: (-t.score, t.id))
    found = []
    for terms in topics:
        near = sorted((t for t in free if likeness(terms, t.terms) >= SAME), key=lambda t: (-likeness(terms, t.terms), t.id))
        free = [t for t in free if t not in near]
        found.append(near)
    return found


def likeness(one: Sequence[str], two: Sequence[str]) -> float:
    """Share of the shorter list that is in both; 1 when the leading terms are the same."""
    if one and two and one[0] == two[0]:
        return 1.0
    return len(set(one) & set(two)) / max(min(len(one), len(two)), 1)


def alarmed(before: Topic | None, authors: int) -> State:
    """The state of a topic that is alarmed this week."""
    if before is None or before.state == "gone":
        return "new"
    return "strong" if authors >= before.authors else "weak"
