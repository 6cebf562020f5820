"""One week of posts against the weeks before it: the emerging topics, and what could not be known."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from unicodedata import normalize

import numpy as np
import pyarrow as pa

from folate.config import Brand, Segment, Topics
from folate.weeks import Week
from nlp.statistics import log_odds
from nlp.topics import artefacts, audience, grouping, identity, stories
from nlp.topics.candidates import Candidates, find, stopwords
from nlp.topics.grouping import Embed, Group
from nlp.topics.stream import Bools, Codes, Floats, Ints, Stream, read
from nlp.topics.testing import ALL, MIN_WEEKS, Test, alarms, q_values, run
from nlp.topics.topic import SHORT, Discovery, Topic

EVIDENCE = 100  # post ids a topic, at most
TERMS = 12  # terms a topic, at most


@dataclass(frozen=True)
class Window:
    """What every topic of a week is described from."""

    stream: Stream
    candidates: Candidates
    first: Codes  # by term: its first post in the window
    week: Week
    settings: Topics
    tests: list[Test]
    z: Floats  # by term: log-odds of this week's authors against the baseline's
    watch: tuple[str, ...]
    segments: list[tuple[Segment, Bools]]


def discover(
    stream: pa.Table, week: Week, settings: Topics, watch: Sequence[str] = (), brands: Sequence[Brand] = (), embed: Embed | None = None,
    previous: Sequence[Topic] = (), segments: Sequence[Segment] = (),
) -> Discovery:  # fmt: skip
    """The topics of `week` that more people wrote about than the weeks before it let expect, best first.

    `stream` has one row a post of the window (`nlp.topics.stream.COLUMNS`); its column `week` counts from 0, the oldest week of
    the baseline, to `settings.baseline_weeks`, the week at hand. `embed` joins topics across languages; without it only posts
    that name a thing in both do. `previous` are the topics of the week before. The order of the rows does not matter.
    Raises InputError when the stream lacks a column or a value that the method needs.
    """
    posts = read(stream, settings.baseline_weeks + 1)
    notes = _notes(posts, week, settings)
    candidates = find(posts, settings.min_authors)
    tests, first = run(candidates, tuple(brands), settings)
    notes += _untested(tests, brands, settings)
    z = _log_odds(tests[0]) if tests else np.zeros(0)
    members = [(segment, audience.members(posts, segment)) for segment in segments]
    window = Window(posts, candidates, first, week, settings, tests, z, tuple(_folded(w) for w in watch), members)
    found = alarms(tests, candidates.terms)
    groups = grouping.link(grouping.group(found, candidates.terms, candidates.posts), candidates.terms, posts, embed)
    groups = [grouping.without_fragments(group, candidates.terms) for group in groups]
    topics = _describe(window, groups, list(previous))
    topics.sort(key=_rank)
    ranked = [replace(t, detail={**t.detail, "rank": rank, "artefact": _artefact(t)}) for rank, t in enumerate(topics)]
    return Discovery(
        topics=tuple(ranked), threshold={t.scope: t.threshold for t in tests},
        tested={t.scope: t.tested for t in tests}, notes=tuple(notes),
    )  # fmt: skip


def _rank(topic: Topic) -> tuple[bool, bool, float, int, str]:
    """Tested before carried over, unflagged before flagged, then by how far above its threshold, authors and id."""
    return topic.q is None, _artefact(topic), -topic.detail.get("margin", 0.0), -topic.authors, topic.id


def _artefact(topic: Topic) -> bool:
    """Whether a flag says that the rise may be none; a short past is no such reason."""
    return bool(set(topic.flags) - {SHORT})


def _notes(stream: Stream, week: Week, settings: Topics) -> list[str]:
    """What the window itself does not let us know."""
    notes = []
    sizes = np.bincount(stream.week, minlength=stream.weeks)
    before = int((sizes[:-1] > 0).sum())
    if not sizes[-1]:
        notes.append(f"No post was published in {week}: nothing can have emerged.")
    if before < settings.baseline_weeks:
        end = "none was sought" if before < MIN_WEEKS else "what was found is flagged"
        notes.append(
            f"{before} of the {settings.baseline_weeks} weeks before {week} have posts; what is usual can't be known "
            f"from fewer than {MIN_WEEKS}, nor well from fewer than {settings.baseline_weeks}: {end}."
        )
    down = sorted(set(stream.source[stream.week < stream.weeks - 1]) - set(stream.source[stream.week == stream.weeks - 1]))
    if down and sizes[-1]:
        notes.append(f"No post in {week} from {', '.join(stream.sources[s] for s in down)}: its topics could not be seen.")
    if stream.anonymous:
        notes.append(f"{stream.anonymous} of {len(stream)} posts have no author; each counts as an author of its own.")
    return notes


def _untested(tests: list[Test], brands: Sequence[Brand], settings: Topics) -> list[str]:
    tested = {test.scope for test in tests}
    missing = [brand.label for brand in brands if brand.id not in tested]
    return [f"Not tested alone, for want of {MIN_WEEKS} weeks of posts: {', '.join(missing)}."] if missing and tested else []


def _log_odds(test: Test) -> Floats:
    """z of each term's authors this week against the baseline's, with both together as the prior (`nlp.statistics.log_odds`)."""
    weekly = test.counts.during(np.arange(len(test.counts.base))).astype(float)
    now, past = weekly[:, -1], weekly[:, :-1].sum(axis=1)
    return log_odds(now, past, now + past + 0.5) if len(now) else np.zeros(0)


def _describe(window: Window, groups: list[Group], previous: list[Topic]) -> list[Topic]:
    own = [[window.candidates.terms[a.term] for a in group.alarms][:TERMS] for group in groups]
    lineage = identity.match(own, previous)
    terms = [
        list(dict.fromkeys([*names, *(t for topic in before for t in topic.terms)]))[:TERMS]
        for names, before in zip(own, lineage, strict=True)
    ]
    qs = q_values([group.lead for group in groups], window.tests)
    topics = [_topic(window, *described) for described in zip(groups, terms, lineage, qs, strict=True)]
    matched = {topic.id for before in lineage for topic in before}
    return topics + [_carried(window, topic) for topic in previous if topic.id not in matched and topic.state != "gone"]


def _topic(window: Window, group: Group, terms: list[str], lineage: list[Topic], q: float) -> Topic:
    stream, lead = window.stream, group.lead
    posts = np.union1d(np.array(sorted(group.posts), np.int64), _posts(window, terms[len(group.alarms) :]))
    voices = len(np.unique(stream.voice[posts[stream.first[posts]]]))
    central = stories.central(stream, posts.tolist(), stopwords())
    before = lineage[0] if lineage else None
    speakers = audience.speakers(stream, posts, window.segments)
    flags = artefacts.flags(stream, posts, lead, terms, window.week)
    if len(lead.test.counts.baseline) < window.settings.baseline_weeks:
        flags.append(SHORT)
    first = stream.values("published_at", window.first[[lead.term]].astype(np.int64))
    return Topic(
        week=str(window.week), id=before.id if before else identity.identify(str(window.week), terms[0]),
        state=identity.alarmed(before, voices), label_zh=_label(terms, wide=True), label_en=_label(terms, wide=False),
        terms=tuple(terms), score=round(lead.score, 4), q=q, posts=len(posts), authors=voices,
        first_seen=min([*first, *(b.first_seen for b in lineage if b.first_seen)]),
        sources=tuple(sorted({stream.sources[s] for s in stream.source[posts]})),
        languages=tuple(sorted({value for value in stream.values("language", posts) if value})),
        watched=any(_watched(term, window.watch) for term in terms), flags=tuple(flags), segments=tuple(sorted(speakers)),
        brands=tuple(sorted({scope for a in group.alarms for scope in a.scopes} - {ALL})),
        evidence=tuple(_evidence(stream, central, posts)), detail=_detail(window, group, posts, central, lineage, speakers),
    )  # fmt: skip


def _evidence(stream: Stream, central: list[int], posts: Ints) -> list[str]:
    return _ids(stream, [*central, *(int(p) for p in posts if p not in central)][:EVIDENCE])


def _ids(stream: Stream, posts: list[int]) -> list[str]:
    return stream.values("id", np.array(posts, np.int64))


def _detail(
    window: Window, group: Group, posts: Ints, central: list[int], lineage: list[Topic], speakers: dict[str, dict[str, float]]
) -> dict[str, object]:
    """What only the report prints; every number of plain type, so that it goes into JSON."""
    lead, now, stream = group.lead, group.lead.surprise, window.stream
    observed, expected = int(now.observed[lead.term]), float(now.expected[lead.term])
    weekly = lead.test.counts.of(lead.term).sum(axis=1)
    return {
        "scope": lead.test.scope, "observed": observed, "expected": round(expected, 4), "gain": round(observed / expected, 2),
        "threshold": round(lead.test.threshold, 4), "margin": round(lead.margin, 4), "weekly_authors": [int(n) for n in weekly],
        "terms": [
            {"term": window.candidates.terms[a.term], "authors": int(a.surprise.observed[a.term]), "score": round(a.score, 4),
             "log_odds_z": round(float(window.z[a.term]), 2)}
            for a in group.alarms[:TERMS]
        ],
        "central": _ids(stream, central), "copies": round(float((~stream.first[posts]).mean()), 4),
        "survives_without_top_authors": artefacts.survives(lead, window.settings),
        "rise": artefacts.decomposition(lead.test.counts, lead.term), "segments": speakers,
        "continues": [topic.id for topic in lineage],
    }  # fmt: skip


def _label(terms: Sequence[str], wide: bool) -> str:
    """The best term of a language; the best of the other when it has none."""
    own = [term for term in terms if grouping.chinese(term) == wide]
    return (own or list(terms))[0].removeprefix("#")


def _posts(window: Window, terms: Sequence[str]) -> Ints:
    """The posts of the week that hold any of the terms; a term that nobody wrote often enough to count has none."""
    names = window.candidates.terms
    places = [(bisect_left(names, term), term) for term in terms]
    parts = [window.candidates.posts(place) for place, term in places if place < len(names) and names[place] == term]
    return np.unique(np.concatenate([np.zeros(0, np.int32), *parts])).astype(np.int64)


def _carried(window: Window, before: Topic) -> Topic:
    """A topic of the week before that is not alarmed this week: fading while someone still writes of it, else gone."""
    stream = window.stream
    posts = _posts(window, before.terms)
    central = stories.central(stream, posts.tolist(), stopwords())
    return Topic(
        week=str(window.week), id=before.id, state="fading" if len(posts) else "gone", label_zh=before.label_zh,
        label_en=before.label_en, terms=before.terms, score=0.0, q=None, posts=len(posts),
        authors=len(np.unique(stream.voice[posts[stream.first[posts]]])), first_seen=before.first_seen,
        sources=tuple(sorted({stream.sources[s] for s in stream.source[posts]})),
        languages=tuple(sorted({value for value in stream.values("language", posts) if value})), watched=before.watched,
        flags=(), segments=(), brands=before.brands, evidence=tuple(_evidence(stream, central, posts)),
        detail={"central": _ids(stream, central), "continues": [before.id]},
    )  # fmt: skip


def _folded(text: str) -> str:
    return " ".join(normalize("NFKC", text).casefold().split())


def _watched(term: str, watch: Sequence[str]) -> bool:
    """Whether a term holds one that is tracked: anywhere in Chinese, as whole words else."""
    name = _folded(term).removeprefix("#")
    return any((w in name) if grouping.chinese(w) else (f" {w} " in f" {name} ") for w in watch if w)
