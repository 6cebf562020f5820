"""The finders that are compared: Folate and its peers.

A finder takes the posts of a window and returns the alarms that it would raise, best first. A new
one needs a function, posts of a brand -> alarms, and an entry in `light_finders` or
`heavy_finders`. The posts have the columns of `benchmarks.emergence.planting.POST_SCHEMA`; the last
of the weeks is the current one. An alarm names the posts of that week that it is about: those with
the word for a finder of words, those assigned to the topic for a finder of topics.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from folate.core.config import Brand, Topics
from folate.core.weeks import SevenDays
from nlp.topics import discover_topics


class FinderAlarm(NamedTuple):
    """One alarm of a finder."""

    name: str
    # Ids of the posts that it is about.
    posts: frozenset[str]


Alarms = list[FinderAlarm]
BrandFinder = Callable[[pa.Table], Alarms]
"""Posts of one brand -> alarms."""
Finder = Callable[[pa.Table, Sequence[str]], list[Alarms]]
"""All posts and the ids of brands -> the alarms of each brand."""


def find_folate_topics(posts: pa.Table, brands: Sequence[str]) -> list[Alarms]:
    """Return the unflagged topics of each brand, as the report lists them."""
    span = SevenDays(pc.max(posts["published_at"]).as_py().date())
    brand_records = [Brand(id=brand, names=(brand,)) for brand in brands]
    topics = discover_topics(posts, span, Topics(), brands=brand_records).topics
    alarms: list[Alarms] = []
    for brand in brands:
        brand_topics = [topic for topic in topics if brand in topic.brands and not topic.flags]
        alarms.append([FinderAlarm(t.label_zh, frozenset(t.evidence)) for t in brand_topics])
    return alarms


def run_per_brand(find: BrandFinder) -> Finder:
    """Return a finder that runs `find` on the posts of each brand."""

    def run_finder(posts: pa.Table, brands: Sequence[str]) -> list[Alarms]:
        return [find(posts_of_brand(posts, brand)) for brand in brands]

    return run_finder


def posts_of_brand(posts: pa.Table, brand: str) -> pa.Table:
    """Return the posts that mention a brand."""
    brand_lists = posts["brands"].combine_chunks()
    is_brand = pc.equal(pc.list_flatten(brand_lists), brand)
    return posts.take(pc.list_parent_indices(brand_lists).filter(is_brand))


def light_finders() -> dict[str, Finder]:
    """Return Folate and the peers that take well under a second, by name."""
    from benchmarks.emergence.peers import hype, keyness, nominal, signitrend

    return {
        "Folate": find_folate_topics,
        "nominal p < .05": run_per_brand(nominal.find),
        "log-odds keyness": run_per_brand(keyness.find),
        "Signi-Trend": run_per_brand(signitrend.find),
        "hype score": run_per_brand(hype.find),
    }


def heavy_finders() -> dict[str, Finder]:
    """Return the peers that fit a topic model for each brand and window, by name.

    Raises MissingExtra when the extra `peers` is not installed.
    """
    from benchmarks.emergence.peers import bertopic, bertrend

    return {
        "BERTopic over time": run_per_brand(bertopic.find),
        "BERTrend's rule": run_per_brand(bertrend.find),
    }
