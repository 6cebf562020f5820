"""First-story clustering: posts in the order of time, each joining the story it repeats or beginning a new one."""

from collections import Counter
from collections.abc import Sequence
from math import sqrt

import numpy as np

from nlp.topics.stream import PostStream

MIN_STORY_SIMILARITY = (
    0.5  # Jaccard of the words: above it a post says again what the story's first post said
)
MIN_TEMPLATE_SIMILARITY = 0.4  # of a text's words that another has too: more than half are one skeleton, though the slots differ
MIN_TEMPLATE_WORDS = (
    8  # distinct words that a text needs to show one: short texts are alike by chance
)
MAX_POSTS = 300  # posts a topic that are read for quotes: the earliest, one an author

Words = frozenset[str]


def assign_stories(
    posts: Sequence[int], words: Sequence[Words], min_similarity: float = MIN_STORY_SIMILARITY
) -> list[int]:
    """The story of each post, as the position of the story's first post. `posts` are in order of time."""
    founders: list[int] = []
    story = []
    for i in range(len(posts)):
        near = max(founders, key=lambda f: (_jaccard(words[i], words[f]), -f), default=None)
        if near is None or _jaccard(words[i], words[near]) < min_similarity:
            near = i
            founders.append(i)
        story.append(near)
    return story


def _jaccard(one: Words, two: Words) -> float:
    return len(one & two) / max(len(one | two), 1)


def template_author_share(stream: PostStream, posts: Sequence[int], min_authors: int) -> float:
    """Share of the authors of a topic whose post has the skeleton of one template, that at least `least` of them use.

    A paid campaign hands out a text with slots to fill in: no two posts are copies, all of them share the words between the slots.
    """
    chosen = stream.first_posts_by_author(posts, MAX_POSTS)
    words = [frozenset(stream.words.strings_of(p)) for p in chosen]
    long = [i for i, post in enumerate(words) if len(post) >= MIN_TEMPLATE_WORDS]
    users = Counter(
        assign_stories([chosen[i] for i in long], [words[i] for i in long], MIN_TEMPLATE_SIMILARITY)
    )
    return sum(count for count in users.values() if count >= min_authors) / max(len(chosen), 1)


def representative_posts(
    stream: PostStream, posts: Sequence[int], stopwords: frozenset[str], max_posts: int = 3
) -> list[int]:
    """At most `count` posts that speak for a topic: by different authors, of different stories, and in each of its languages.

    A post is central when its words are those of the topic's other posts: the cosine of its words with the topic's.
    """
    chosen = stream.first_posts_by_author(posts, MAX_POSTS)
    words = [frozenset(stream.words.strings_of(p)) - stopwords for p in chosen]
    spread = Counter(word for post in words for word in post)
    centrality = [sum(spread[w] for w in post) / sqrt(len(post) or 1) for post in words]
    story = assign_stories(chosen, words)
    language = stream.column_values("language", np.array(chosen, np.int64))
    picked: list[int] = []
    while len(picked) < max_posts:
        left = [i for i in range(len(chosen)) if story[i] not in {story[p] for p in picked}]
        if not left:
            break
        heard = {language[p] for p in picked}
        picked.append(
            min(
                left,
                key=lambda i: (
                    language[i] in heard or language[i] not in ("zh", "en"),
                    -centrality[i],
                    i,
                ),
            )
        )
    return [chosen[p] for p in picked]
