"""Alarmed terms to topics: by the posts they share and, across languages, by what is said around them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from folate.core.text import contains_chinese
from nlp.topics.detect import Alarm
from nlp.topics.stream import Codes, Floats, Ints, PostStream

EmbedTexts = Callable[[list[str]], Floats]
"""Texts to one vector each, (n, d). Texts of like meaning must have a high cosine whatever their language."""

MIN_POST_OVERLAP = (
    0.5  # of the posts of one are in the other's: a detail of the topic, or another name for it
)
MAX_POST_RATIO = (
    2  # times the posts: a term that much more common than the topic is not a name for it
)
MIN_FRAGMENT_AUTHOR_SHARE = (
    0.8  # of the authors of a term: a longer term that keeps them says it better
)
MIN_BILINGUAL_AUTHORS = 2  # authors who use both names in one post, at least
MIN_BILINGUAL_SHARE = 0.1  # of the posts of the smaller topic, at least: a few authors use any two names that many use
MIN_MEANING_SIMILARITY = 0.4  # of a likeness, set on 14 pairs of topics (docs/topics.md)
MAX_CONTEXT_SENTENCES = 24  # sentences a group that are embedded
LANGUAGE_SAMPLE_POSTS = 64  # posts a language whose mean is taken away: an encoder's vectors share a direction, and one per language
_SENTENCE = re.compile(r"[^。！？!?\n；;]*[。！？!?\n；;]?")


@dataclass(frozen=True)
class AlarmGroup:
    """Alarms that are one topic, best first, and the posts of the week that hold any of their terms, in order of time."""

    alarms: tuple[Alarm, ...]
    posts: frozenset[int]
    explained_alarms: tuple[
        Alarm, ...
    ] = ()  # alarms that would be none without the posts of this topic and of better ones

    @property
    def leading_alarm(self) -> Alarm:
        return self.alarms[0]


def group_alarms(
    alarms: Sequence[Alarm], terms: tuple[str, ...], posts_with_term: Callable[[int], Codes]
) -> list[AlarmGroup]:
    """Each term joins the first topic, best first, that it mostly shares its posts or its name with, else it begins one.

    Topics that came to share theirs are joined in a second pass. The clean alarms come first, so that one that is not can join a clean
    topic, never lead it. `posts` gives the posts of a term.
    """
    single = [
        AlarmGroup((alarm,), frozenset(int(p) for p in posts_with_term(alarm.term_index)))
        for alarm in alarms
    ]
    return _gathered(_gathered(single, terms), terms)


def _gathered(groups: Sequence[AlarmGroup], terms: tuple[str, ...]) -> list[AlarmGroup]:
    found: list[AlarmGroup] = []
    for one in groups:
        for i, other in enumerate(found):
            if _together(one.posts, topic=other.posts) or _named_alike(one, other, terms):
                found[i] = AlarmGroup((*other.alarms, *one.alarms), other.posts | one.posts)
                break
        else:
            found.append(one)
    return found


def _together(one: frozenset[int], topic: frozenset[int]) -> bool:
    shared = len(one & topic)
    return shared >= MIN_POST_OVERLAP * len(one) or (
        shared >= MIN_POST_OVERLAP * len(topic) and len(one) <= MAX_POST_RATIO * len(topic)
    )


def _named_alike(one: AlarmGroup, topic: AlarmGroup, terms: tuple[str, ...]) -> bool:
    """Whether the name of one stands inside that of the other: 叶酸 in 叶酸片, `acid` in `folic acid`.

    A word that is much more common is no name of the topic: 包装 would bring all that is said of packaging to 包装漏液.
    """
    a, b = terms[one.leading_alarm.term_index], terms[topic.leading_alarm.term_index]
    return (is_part_of(a, b) and len(one.posts) <= MAX_POST_RATIO * len(topic.posts)) or is_part_of(
        b, a
    )


def is_part_of(part: str, whole: str) -> bool:
    """Whether one term is part of another: anywhere in Chinese, as whole words else."""
    return part in whole if contains_chinese(part) else f" {part} " in f" {whole} "


def explain_away(
    groups: Sequence[AlarmGroup],
    margin_without: Callable[[Alarm, Ints], float],
    posts_with_term: Callable[[int], Codes],
) -> list[AlarmGroup]:
    """Of topics, best first, those that are news without the posts of better ones. `left` gives the margin that an alarm then has,
    `posts` the posts of a term.

    What is not goes to the topic that holds most of its posts: in a week of refunds the word `pay` is no topic of its own. Where
    only the leading terms are none, the first that stands leads the rest.
    """
    found: list[AlarmGroup] = []
    seen = np.zeros(0, np.int64)
    for one in groups:
        standing = one
        if found and margin_without(one.leading_alarm, seen) <= 0:
            kept = tuple(alarm for alarm in one.alarms[1:] if margin_without(alarm, seen) > 0)
            standing = AlarmGroup(
                kept,
                frozenset(
                    int(post) for alarm in kept for post in posts_with_term(alarm.term_index)
                ),
                one.explained_alarms,
            )
            at = max(range(len(found)), key=lambda i: (len(one.posts & found[i].posts), -i))
            gone = tuple(alarm for alarm in one.alarms if alarm not in kept)
            found[at] = replace(found[at], explained_alarms=(*found[at].explained_alarms, *gone))
        if standing.alarms:
            found.append(standing)
            seen = np.union1d(seen, np.array(sorted(standing.posts), np.int64))
    return found


def drop_fragments(group: AlarmGroup, terms: tuple[str, ...]) -> AlarmGroup:
    """The same group without the terms that stand inside a longer one which most of their authors used."""
    named = [(a, terms[a.term_index]) for a in group.alarms]

    def fragment(alarm: Alarm, name: str) -> bool:
        return any(
            name != longer
            and is_part_of(name, longer)
            and other.authors >= MIN_FRAGMENT_AUTHOR_SHARE * alarm.authors
            for other, longer in named
        )

    return replace(group, alarms=tuple(alarm for alarm, name in named if not fragment(alarm, name)))


def merge_across_languages(
    groups: list[AlarmGroup], terms: tuple[str, ...], stream: PostStream, embed: EmbedTexts | None
) -> list[AlarmGroup]:
    """Join Chinese topics with the English ones of the same meaning: posts that name both or, given `embed`, like contexts.

    Each topic is joined with its nearest, and only when the nearest of that one is the topic itself.
    """
    zh = [i for i, g in enumerate(groups) if contains_chinese(terms[g.leading_alarm.term_index])]
    en = [
        i for i, g in enumerate(groups) if not contains_chinese(terms[g.leading_alarm.term_index])
    ]
    if not zh or not en:
        return groups
    near = _bilingual([groups[i] for i in zh], [groups[i] for i in en], stream)
    if embed is not None:
        near = np.maximum(near, _meaning(groups, zh, en, terms, stream, embed))
    joined = dict[int, int]()
    for row, column in enumerate(near.argmax(axis=1)):
        one, two = zh[row], en[int(column)]
        if (
            near[row, column] >= MIN_MEANING_SIMILARITY
            and near[:, column].argmax() == row
            and groups[one].leading_alarm.is_clean == groups[two].leading_alarm.is_clean
        ):
            joined[max(one, two)] = min(one, two)
    return [
        _merged(g, [groups[j] for j, to in sorted(joined.items()) if to == i])
        for i, g in enumerate(groups)
        if i not in joined
    ]


def _merged(group: AlarmGroup, others: list[AlarmGroup]) -> AlarmGroup:
    alarms = [*group.alarms, *(a for other in others for a in other.alarms)]
    return AlarmGroup(tuple(alarms), group.posts.union(*(other.posts for other in others)))


def _bilingual(zh: list[AlarmGroup], en: list[AlarmGroup], stream: PostStream) -> Floats:
    """1 where enough authors name both in one post, else 0."""
    voices = np.array(
        [
            [len({int(stream.author_codes[p]) for p in one.posts & two.posts}) for two in en]
            for one in zh
        ]
    )
    smaller = np.minimum.outer([len(one.posts) for one in zh], [len(two.posts) for two in en])
    return (voices >= np.maximum(MIN_BILINGUAL_AUTHORS, MIN_BILINGUAL_SHARE * smaller)).astype(
        float
    )


def _meaning(
    groups: list[AlarmGroup],
    zh: list[int],
    en: list[int],
    terms: tuple[str, ...],
    stream: PostStream,
    embed: EmbedTexts,
) -> Floats:
    """Likeness (zh, en): the mean of two cosines, of the leading terms and of the sentences around them, less each language's own mean."""
    sides = []
    for wide, members in ((True, zh), (False, en)):
        names = [terms[groups[i].leading_alarm.term_index] for i in members]
        said = np.array(
            [
                _mean(embed, context_sentences(stream, sorted(groups[i].posts), name))
                for i, name in zip(members, names, strict=True)
            ]
        )
        called = np.array([_mean(embed, [name]) for name in names])
        others = _spread([term for term in terms if contains_chinese(term) == wide])
        sides.append(
            np.hstack(
                [
                    _unit(said - _mean(embed, _sample(stream, wide))),
                    _unit(called - _mean(embed, others)),
                ]
            )
        )
    likeness: Floats = sides[0] @ sides[1].T / 2
    return likeness


def _unit(vectors: Floats) -> Floats:
    scaled: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return scaled


def _mean(embed: EmbedTexts, texts: list[str]) -> Floats:
    mean: Floats = _unit(np.asarray(embed(texts), float)).mean(axis=0)
    return mean


def _sample(stream: PostStream, wide: bool) -> list[str]:
    """Posts of the week in Chinese or in English, evenly spread over it."""
    week = np.flatnonzero(stream.week_index == stream.n_weeks - 1)
    bodies = stream.bodies(week[:: max(1, len(week) // (8 * LANGUAGE_SAMPLE_POSTS))])
    return _spread([body[:300] for body in bodies if contains_chinese(body) == wide]) or [""]


def _spread(texts: list[str]) -> list[str]:
    """`SAMPLE` of the texts at most, evenly spread over them."""
    return texts[:: max(1, len(texts) // LANGUAGE_SAMPLE_POSTS)][:LANGUAGE_SAMPLE_POSTS]


def context_sentences(stream: PostStream, posts: list[int], term: str) -> list[str]:
    """The sentences around a term, one an author and in order of time; the beginning of the post where spelling differs."""
    chosen = stream.first_posts_by_author(posts, MAX_CONTEXT_SENTENCES)
    bodies = stream.bodies(np.array(chosen, np.int64))
    return [
        next((s for s in _SENTENCE.findall(body) if term in s.casefold()), body[:300])
        for body in bodies
    ] or [term]
