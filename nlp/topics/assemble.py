"""What is said of a topic: its name, numbers, flags, audience, life and the posts that speak for it."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

import numpy as np

from folate.core.config import Topics
from folate.core.weeks import Period
from nlp.text.stopwords import stopwords
from nlp.topics import artefacts, audience_segments, first_story, grouping, tracking
from nlp.topics.candidates import Candidates, singular
from nlp.topics.detect import ALL, Alarm, Test, q_values
from nlp.topics.grouping import Group
from nlp.topics.stream import Bools, Codes, Floats, Ints, Stream
from nlp.topics.topic import SHORT, Topic
from nlp.topics.tracking import Lineage

EVIDENCE = 100  # post ids a topic, at most
TERMS = 12  # terms a topic, at most


@dataclass(frozen=True)
class Window:
    """What every topic of a week is described from."""

    stream: Stream
    candidates: Candidates
    first: Codes  # by term: its first post in the window
    span: Period
    settings: Topics
    tests: list[Test]
    z: Floats  # by term: log-odds of this week's authors against the baseline's
    watch: tuple[str, ...]
    others: Ints  # voices that stand for those who do not write of a topic
    members: Mapping[str, Bools]  # by segment, over the voices


def describe(
    window: Window, groups: list[Group], previous: Sequence[Topic], running: Sequence[Topic]
) -> list[tuple[Topic, Ints]]:
    """The topics of the week with their posts, and those of the week before that are not alarmed any more.

    A topic that `running` knows already (of days of this week) is known by that id. A week without posts knows of none that it is gone:
    the next one goes on from the week before.
    """
    if window.stream.edges[-2] == len(window.stream):
        return []
    own = [[window.candidates.terms[a.term] for a in group.alarms][:TERMS] for group in groups]
    lineage = tracking.match(own, previous)
    days = tracking.match(own, running)
    qs = q_values([group.lead for group in groups], window.tests)
    topics = []
    for group, names, life, day, q in zip(groups, own, lineage, days, qs, strict=True):
        terms = list(
            dict.fromkeys([*names, *(t for topic in life.continues for t in topic.terms)])
        )[:TERMS]
        topics.append(_topic(window, group, terms, life, day, q))
    matched = {topic.id for life in lineage for topic in life.continues}
    carried = [topic for topic in previous if topic.id not in matched and topic.state != "gone"]
    return topics + [_carried(window, topic) for topic in carried]


def _topic(
    window: Window, group: Group, terms: list[str], life: Lineage, day: Lineage, q: float
) -> tuple[Topic, Ints]:
    stream, lead = window.stream, group.lead
    posts = np.union1d(
        np.array(sorted(group.posts), np.int64), posts_of(window, terms[len(group.alarms) :])
    )
    voices = len(np.unique(stream.voice[posts[stream.first[posts]]]))
    central = first_story.central(stream, posts.tolist(), stopwords())
    said = Counter(
        word for post in posts[: first_story.MOST].tolist() for word in stream.words.of(post)
    )
    before = life.continues[0] if life.continues else None
    known = before or next(iter(day.continues), None)
    speakers = audience_segments.speakers(stream, posts, window.others, window.members)
    flags = artefacts.flags(stream, posts, lead, terms, window.span, window.settings.min_authors)
    if len(lead.test.counts.baseline) < window.settings.baseline_weeks:
        flags.append(SHORT)
    first = stream.values("published_at", window.first[[lead.term]].astype(np.int64))
    topic = Topic(
        week=str(window.span), id=known.id if known else tracking.identify(str(window.span), terms[0]),
        state=tracking.alarmed(before, voices), label_zh=_label(terms, said, wide=True), label_en=_label(terms, said, wide=False),
        terms=tuple(terms), score=round(lead.score, 4), q=q, posts=len(posts), authors=voices,
        first_seen=min([*first, *(b.first_seen for b in life.continues if b.first_seen)]),
        sources=tuple(sorted({stream.sources[s] for s in stream.source[posts]})),
        languages=tuple(sorted({value for value in stream.values("language", posts) if value})),
        watched=any(watches(term, window.watch) for term in terms), flags=tuple(flags), segments=tuple(sorted(speakers)),
        brands=tuple(sorted({scope for a in group.alarms for scope in a.scopes} - {ALL})),
        evidence=tuple(_evidence(stream, central, posts)), detail=_detail(window, group, posts, central, life) | {"segments": speakers},
    )  # fmt: skip
    return topic, posts


def _evidence(stream: Stream, central: list[int], posts: Ints) -> list[str]:
    return _ids(stream, [*central, *(int(p) for p in posts if p not in central)][:EVIDENCE])


def _ids(stream: Stream, posts: list[int]) -> list[str]:
    return stream.values("id", np.array(posts, np.int64))


def _detail(
    window: Window, group: Group, posts: Ints, central: list[int], life: Lineage
) -> dict[str, Any]:
    """What only the report and the history print; every number of plain type, so that it goes into JSON."""
    lead, now, stream = group.lead, group.lead.surprise, window.stream
    observed, expected = int(now.observed[lead.term]), float(now.expected[lead.term])
    weekly = lead.test.counts.of(lead.term).sum(axis=1)
    return {
        "scope": lead.test.scope, "observed": observed, "expected": round(expected, 4), "gain": round(observed / expected, 2),
        "threshold": round(lead.test.threshold, 4), "margin": round(lead.margin, 4), "weekly_authors": [int(n) for n in weekly],
        "terms": [_term(window, alarm) for alarm in group.alarms[:TERMS]],
        "explains": [_term(window, alarm) for alarm in group.explains[:TERMS]],
        "central": _ids(stream, central), "copies": round(float((~stream.first[posts]).mean()), 4),
        "survives_without_top_authors": artefacts.survives(lead, window.settings),
        "rise": artefacts.decomposition(lead.test.counts, lead.term),
        "continues": [topic.id for topic in life.continues], "split_from": life.split_from.id if life.split_from else None,
    }  # fmt: skip


def _term(window: Window, alarm: Alarm) -> dict[str, Any]:
    return {
        "term": window.candidates.terms[alarm.term], "authors": alarm.authors, "score": round(alarm.score, 4),
        "log_odds_z": round(float(window.z[alarm.term]), 2),
    }  # fmt: skip


def _label(terms: Sequence[str], said: Counter[str], wide: bool) -> str:
    """The best term of a language; the best of the other when it has none. English words in the number that most of `said` have."""
    own = [term for term in terms if grouping.chinese(term) == wide]
    name = (own or list(terms))[0].removeprefix("#")
    return " ".join(max(word, f"{word}s", key=said.__getitem__) for word in name.split(" "))


def posts_of(window: Window, terms: Sequence[str]) -> Ints:
    """The posts of the week that hold any of the terms; a term that nobody wrote often enough to count has none."""
    names = window.candidates.terms
    places = [(bisect_left(names, term), term) for term in terms]
    parts = [
        window.candidates.posts(place)
        for place, term in places
        if place < len(names) and names[place] == term
    ]
    return np.unique(np.concatenate([np.zeros(0, np.int32), *parts])).astype(np.int64)


def _carried(window: Window, before: Topic) -> tuple[Topic, Ints]:
    """A topic of the week before that is not alarmed this week: fading while someone still writes of it, else gone."""
    stream = window.stream
    posts = posts_of(window, before.terms)
    central = first_story.central(stream, posts.tolist(), stopwords())
    topic = Topic(
        week=str(window.span), id=before.id, state="fading" if len(posts) else "gone", label_zh=before.label_zh,
        label_en=before.label_en, terms=before.terms, score=0.0, q=None, posts=len(posts),
        authors=len(np.unique(stream.voice[posts[stream.first[posts]]])), first_seen=before.first_seen,
        sources=tuple(sorted({stream.sources[s] for s in stream.source[posts]})),
        languages=tuple(sorted({value for value in stream.values("language", posts) if value})), watched=before.watched,
        flags=(), segments=(), brands=before.brands, evidence=tuple(_evidence(stream, central, posts)),
        detail={"central": _ids(stream, central), "continues": [before.id]},
    )  # fmt: skip
    return topic, posts


def folded(text: str) -> str:
    """One width and case, and every English word as its singular: as terms are compared."""
    return " ".join(singular(word) for word in normalize("NFKC", text).casefold().split())


def watches(term: str, watch: Sequence[str]) -> bool:
    """Whether a term holds one that is tracked: anywhere in Chinese, as whole words else."""
    name = folded(term).removeprefix("#")
    return any(
        (w in name) if grouping.chinese(w) else (f" {w} " in f" {name} ") for w in watch if w
    )
