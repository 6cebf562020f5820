"""Grouping of alarmed terms into topics, by shared posts and, across languages, by meaning."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from folate.core.text import contains_chinese
from nlp.text.term_matcher import TermMatcher
from nlp.topics.alarms import Alarm
from nlp.topics.stream import Codes, Floats, Ints, PostStream

EmbedTexts = Callable[[list[str]], Floats]
"""Texts -> vectors, (texts, dimensions). Texts of like meaning must have a high cosine, whatever
their language."""

# Share of one topic's posts that are in the other: a detail of it, or another name for it.
MIN_POST_OVERLAP = 0.5
# A term with this many times the posts of a topic is not a name for it.
MAX_POST_RATIO = 2
# Share of a term's authors who use a longer term around it, from which the shorter is dropped.
MIN_FRAGMENT_AUTHOR_SHARE = 0.8
# Authors who use both names in one post, for two topics to be one across languages.
MIN_BILINGUAL_AUTHORS = 2
# The same as a share of the smaller topic's posts: a few authors use any two frequent names.
MIN_BILINGUAL_SHARE = 0.1
# Mean of the two cosines of `_meaning_similarity`, set on 14 pairs of topics (docs/topics.md).
MIN_MEANING_SIMILARITY = 0.4
# Sentences of a topic that are embedded.
MAX_CONTEXT_SENTENCES = 24
# Posts per language whose mean vector is subtracted: the vectors of an encoder share a direction,
# and one per language.
LANGUAGE_SAMPLE_POSTS = 64
# Characters at the beginning of a post that represent it.
_EXCERPT_LENGTH = 300
_SENTENCE = re.compile(r"[^。！？!?\n；;]*[。！？!?\n；;]?")


@dataclass(frozen=True)
class AlarmGroup:
    """Alarms that form one topic."""

    # Best first.
    alarms: tuple[Alarm, ...]
    # The posts of the week that contain any of their terms.
    posts: frozenset[int]
    # Alarms explained by the posts of this topic and of better ones (see `explain_away`).
    explained_alarms: tuple[Alarm, ...] = ()

    @property
    def leading_alarm(self) -> Alarm:
        return self.alarms[0]


def group_alarms(
    alarms: Sequence[Alarm], terms: tuple[str, ...], posts_with_term: Callable[[int], Codes]
) -> list[AlarmGroup]:
    """Group alarms, best first, into topics.

    An alarm joins the first topic that it shares most of its posts or its name with, else it begins
    a new one; a second pass joins topics that came to overlap. Clean alarms come first, so that one
    that is not clean can join a clean topic but never lead it. `posts_with_term` returns the posts
    of the week that contain a term.
    """
    groups = [
        AlarmGroup((alarm,), frozenset(posts_with_term(alarm.term_index).tolist()))
        for alarm in alarms
    ]
    return _join_groups(_join_groups(groups, terms), terms)


def _join_groups(groups: Sequence[AlarmGroup], terms: tuple[str, ...]) -> list[AlarmGroup]:
    """Join each group to the first one before it that overlaps it or has a related name."""
    joined: list[AlarmGroup] = []
    for group in groups:
        for i, topic in enumerate(joined):
            if _posts_overlap(group.posts, topic.posts) or _names_overlap(group, topic, terms):
                joined[i] = AlarmGroup((*topic.alarms, *group.alarms), topic.posts | group.posts)
                break
        else:
            joined.append(group)
    return joined


def _posts_overlap(posts: frozenset[int], topic_posts: frozenset[int]) -> bool:
    shared = len(posts & topic_posts)
    if shared >= MIN_POST_OVERLAP * len(posts):
        return True
    is_comparable = len(posts) <= MAX_POST_RATIO * len(topic_posts)
    return is_comparable and shared >= MIN_POST_OVERLAP * len(topic_posts)


def _names_overlap(group: AlarmGroup, topic: AlarmGroup, terms: tuple[str, ...]) -> bool:
    """Return whether one name is part of the other: 叶酸 of 叶酸片, `acid` of `folic acid`.

    A word that is much more frequent than the topic is no name for it: 包装 would add all posts
    about packaging to 包装漏液.
    """
    name = terms[group.leading_alarm.term_index]
    topic_name = terms[topic.leading_alarm.term_index]
    if is_part_of(topic_name, name):
        return True
    return is_part_of(name, topic_name) and len(group.posts) <= MAX_POST_RATIO * len(topic.posts)


def is_part_of(term: str, longer_term: str) -> bool:
    """Return whether a term is part of another: anywhere in Chinese, else as whole words."""
    if contains_chinese(term):
        return term in longer_term
    return f" {term} " in f" {longer_term} "


def explain_away(
    groups: Sequence[AlarmGroup],
    margin_without: Callable[[Alarm, Ints], float],
    posts_with_term: Callable[[int], Codes],
) -> list[AlarmGroup]:
    """Return the topics that are news without the posts of better ones; groups are best first.

    `margin_without` returns the margin of an alarm without some posts, `posts_with_term` the posts
    of a term. Alarms that fall below their threshold are moved to the `explained_alarms` of the
    topic that has most of the group's posts: in a week of refunds `pay` is no topic of its own.
    When only the leading alarms fall, the first of the others leads the topic.
    """
    topics: list[AlarmGroup] = []
    explained_posts = np.zeros(0, np.int64)
    for group in groups:
        topic = group
        if topics and margin_without(group.leading_alarm, explained_posts) <= 0:
            remaining = tuple(
                alarm for alarm in group.alarms[1:] if margin_without(alarm, explained_posts) > 0
            )
            explained = tuple(alarm for alarm in group.alarms if alarm not in remaining)
            nearest = _most_overlapping_topic(group, topics)
            topics[nearest] = replace(
                topics[nearest],
                explained_alarms=(*topics[nearest].explained_alarms, *explained),
            )
            topic = AlarmGroup(
                remaining, _posts_of_alarms(remaining, posts_with_term), group.explained_alarms
            )
        if topic.alarms:
            topics.append(topic)
            explained_posts = np.union1d(explained_posts, np.array(sorted(topic.posts), np.int64))
    return topics


def _most_overlapping_topic(group: AlarmGroup, topics: Sequence[AlarmGroup]) -> int:
    """Return the position of the topic that shares most posts with a group, the first of equals."""
    return max(range(len(topics)), key=lambda i: (len(group.posts & topics[i].posts), -i))


def _posts_of_alarms(
    alarms: Sequence[Alarm], posts_with_term: Callable[[int], Codes]
) -> frozenset[int]:
    posts: set[int] = set()
    for alarm in alarms:
        posts.update(posts_with_term(alarm.term_index).tolist())
    return frozenset(posts)


def drop_fragments(group: AlarmGroup, terms: tuple[str, ...]) -> AlarmGroup:
    """Drop the terms that are part of a longer one which most of their authors used."""
    return replace(
        group,
        alarms=tuple(alarm for alarm in group.alarms if not _is_fragment(alarm, group, terms)),
    )


def _is_fragment(alarm: Alarm, group: AlarmGroup, terms: tuple[str, ...]) -> bool:
    name = terms[alarm.term_index]
    min_authors = MIN_FRAGMENT_AUTHOR_SHARE * alarm.authors
    for other in group.alarms:
        other_name = terms[other.term_index]
        if name != other_name and is_part_of(name, other_name) and other.authors >= min_authors:
            return True
    return False


def merge_across_languages(
    groups: list[AlarmGroup], terms: tuple[str, ...], stream: PostStream, embed: EmbedTexts | None
) -> list[AlarmGroup]:
    """Merge Chinese topics with the English ones of the same meaning.

    Two topics have the same meaning when enough posts name both or, given `embed`, when their names
    and contexts are similar. Each must be the nearest topic of the other.
    """
    zh = [i for i, group in enumerate(groups) if _has_chinese_name(group, terms)]
    en = [i for i, group in enumerate(groups) if not _has_chinese_name(group, terms)]
    if not zh or not en:
        return groups
    zh_groups = [groups[i] for i in zh]
    en_groups = [groups[i] for i in en]
    similarity = _bilingual_similarity(zh_groups, en_groups, stream)
    if embed is not None:
        meaning = _meaning_similarity(zh_groups, en_groups, terms, stream, embed)
        similarity = np.maximum(similarity, meaning)
    merged_into = dict[int, int]()
    for row, column in enumerate(similarity.argmax(axis=1)):
        is_mutual = similarity[:, column].argmax() == row
        is_similar = similarity[row, column] >= MIN_MEANING_SIMILARITY
        zh_alarm = zh_groups[row].leading_alarm
        en_alarm = en_groups[int(column)].leading_alarm
        if is_mutual and is_similar and zh_alarm.is_clean == en_alarm.is_clean:
            pair = (zh[row], en[int(column)])
            merged_into[max(pair)] = min(pair)
    partners = {target: source for source, target in merged_into.items()}
    merged = []
    for i, group in enumerate(groups):
        if i in partners:
            merged.append(_merge_groups(group, groups[partners[i]]))
        elif i not in merged_into:
            merged.append(group)
    return merged


def _has_chinese_name(group: AlarmGroup, terms: tuple[str, ...]) -> bool:
    return contains_chinese(terms[group.leading_alarm.term_index])


def _merge_groups(first: AlarmGroup, second: AlarmGroup) -> AlarmGroup:
    return AlarmGroup((*first.alarms, *second.alarms), first.posts | second.posts)


def _bilingual_similarity(
    zh_groups: list[AlarmGroup], en_groups: list[AlarmGroup], stream: PostStream
) -> Floats:
    """Return 1 where enough authors name both topics in one post, else 0, as (zh, en)."""
    similarity = np.zeros((len(zh_groups), len(en_groups)))
    for row, zh_group in enumerate(zh_groups):
        for column, en_group in enumerate(en_groups):
            shared = zh_group.posts & en_group.posts
            authors = {int(stream.author_codes[post]) for post in shared}
            smaller = min(len(zh_group.posts), len(en_group.posts))
            min_authors = max(MIN_BILINGUAL_AUTHORS, MIN_BILINGUAL_SHARE * smaller)
            similarity[row, column] = len(authors) >= min_authors
    return similarity


def _meaning_similarity(
    zh_groups: list[AlarmGroup],
    en_groups: list[AlarmGroup],
    terms: tuple[str, ...],
    stream: PostStream,
    embed: EmbedTexts,
) -> Floats:
    """Return the similarity of topics, as (zh, en).

    It is the mean of two cosines: of the leading terms, and of the sentences around them. The mean
    vector of the language is subtracted from both.
    """
    zh_vectors = _topic_vectors(zh_groups, True, terms, stream, embed)
    en_vectors = _topic_vectors(en_groups, False, terms, stream, embed)
    similarity: Floats = zh_vectors @ en_vectors.T / 2
    return similarity


def _topic_vectors(
    groups: list[AlarmGroup],
    is_chinese: bool,
    terms: tuple[str, ...],
    stream: PostStream,
    embed: EmbedTexts,
) -> Floats:
    """Return the centred unit vectors of the contexts and names of topics, side by side."""
    names = [terms[group.leading_alarm.term_index] for group in groups]
    contexts = np.array(
        [
            _mean_vector(embed, context_sentences(stream, sorted(group.posts), name))
            for group, name in zip(groups, names, strict=True)
        ]
    )
    name_vectors = np.array([_mean_vector(embed, [name]) for name in names])
    language_terms = _sample_evenly(
        [term for term in terms if contains_chinese(term) == is_chinese]
    )
    context_centre = _mean_vector(embed, _sample_posts(stream, is_chinese))
    name_centre = _mean_vector(embed, language_terms)
    return np.hstack(
        [_scale_to_unit(contexts - context_centre), _scale_to_unit(name_vectors - name_centre)]
    )


def _scale_to_unit(vectors: Floats) -> Floats:
    scaled: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    return scaled


def _mean_vector(embed: EmbedTexts, texts: list[str]) -> Floats:
    mean: Floats = _scale_to_unit(np.asarray(embed(texts), float)).mean(axis=0)
    return mean


def _sample_posts(stream: PostStream, is_chinese: bool) -> list[str]:
    """Return excerpts of posts of the week in one language, evenly spread over the week."""
    week_posts = np.flatnonzero(stream.week_index == stream.n_weeks - 1)
    step = max(1, len(week_posts) // (8 * LANGUAGE_SAMPLE_POSTS))
    bodies = stream.bodies(week_posts[::step])
    excerpts = [body[:_EXCERPT_LENGTH] for body in bodies if contains_chinese(body) == is_chinese]
    return _sample_evenly(excerpts) or [""]


def _sample_evenly(texts: list[str]) -> list[str]:
    """Return at most `LANGUAGE_SAMPLE_POSTS` of the texts, evenly spread over them."""
    step = max(1, len(texts) // LANGUAGE_SAMPLE_POSTS)
    return texts[::step][:LANGUAGE_SAMPLE_POSTS]


def context_sentences(stream: PostStream, posts: list[int], term: str) -> list[str]:
    """Return the sentences around a term, one per author, in order of time.

    The beginning of a post stands in for its sentence when the post spells the term differently.
    """
    author_posts = stream.first_posts_by_author(posts, MAX_CONTEXT_SENTENCES)
    matcher = TermMatcher([term], plurals=True)
    sentences = []
    for body in stream.bodies(np.array(author_posts, np.int64)):
        with_term = (text for text in _SENTENCE.findall(body) if matcher.matches(text))
        sentences.append(next(with_term, body[:_EXCERPT_LENGTH]))
    return sentences or [term]
