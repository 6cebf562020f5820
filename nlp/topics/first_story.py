"""First-story clustering of a topic's posts, to choose quotes and to detect text templates.

Posts are processed in order of time: each joins the story it repeats or begins a new one.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from math import sqrt

import numpy as np

from nlp.topics.stream import PostStream

# Jaccard similarity of words above which a post repeats the first post of a story.
MIN_STORY_SIMILARITY = 0.5
# The same for texts of one template: more than half of their words are equal, though slots differ.
MIN_TEMPLATE_SIMILARITY = 0.4
# Distinct words that a text needs to be compared with a template: short texts are alike by chance.
MIN_TEMPLATE_WORDS = 8
# Posts of a topic that are compared: the earliest ones, one per author.
MAX_POSTS = 300

Words = frozenset[str]


def assign_stories(
    posts: Sequence[int], words: Sequence[Words], min_similarity: float = MIN_STORY_SIMILARITY
) -> list[int]:
    """Return for each post the position of the first post of its story.

    `posts` are in order of time and `words` are the distinct words of each of them.
    """
    founders: list[int] = []
    stories = []
    for i in range(len(posts)):
        nearest = max(founders, key=lambda f: (_jaccard(words[i], words[f]), -f), default=None)
        if nearest is None or _jaccard(words[i], words[nearest]) < min_similarity:
            nearest = i
            founders.append(i)
        stories.append(nearest)
    return stories


def _jaccard(first: Words, second: Words) -> float:
    return len(first & second) / max(len(first | second), 1)


def template_author_share(stream: PostStream, posts: Sequence[int], min_authors: int) -> float:
    """Return the share of a topic's authors whose posts follow a common text template.

    A template counts when at least `min_authors` authors use it. A paid campaign hands out a text
    with slots to fill in: no two posts are copies, but all share the words between the slots.
    """
    author_posts = stream.first_posts_by_author(posts, MAX_POSTS)
    words = [frozenset(stream.words.strings_of(post)) for post in author_posts]
    long_posts = [i for i, distinct in enumerate(words) if len(distinct) >= MIN_TEMPLATE_WORDS]
    stories = assign_stories(
        [author_posts[i] for i in long_posts],
        [words[i] for i in long_posts],
        MIN_TEMPLATE_SIMILARITY,
    )
    template_sizes = [count for count in Counter(stories).values() if count >= min_authors]
    return sum(template_sizes) / max(len(author_posts), 1)


def representative_posts(
    stream: PostStream, posts: Sequence[int], stopwords: frozenset[str], max_posts: int = 3
) -> list[int]:
    """Return at most `max_posts` posts that represent a topic, to be quoted.

    They are by different authors and of different stories; a language not quoted yet comes first.
    Of the remaining posts the most central is taken, by the cosine of its words with those of all
    posts.
    """
    author_posts = stream.first_posts_by_author(posts, MAX_POSTS)
    words = [frozenset(stream.words.strings_of(post)) - stopwords for post in author_posts]
    word_counts = Counter(chain.from_iterable(words))
    centrality = []
    for distinct in words:
        count = sum(word_counts[word] for word in distinct)
        centrality.append(count / sqrt(len(distinct) or 1))
    stories = assign_stories(author_posts, words)
    languages = stream.column_values("language", np.array(author_posts, np.int64))
    picked: list[int] = []
    while len(picked) < max_posts:
        used_stories = {stories[i] for i in picked}
        remaining = [i for i in range(len(author_posts)) if stories[i] not in used_stories]
        if not remaining:
            break
        missing_languages = {"zh", "en"} - {languages[i] for i in picked}
        best = min(
            remaining, key=lambda i: (languages[i] not in missing_languages, -centrality[i], i)
        )
        picked.append(best)
    return [author_posts[i] for i in picked]
