"""What is compared: a finder takes the posts of a window and gives the alarms that it would raise, best first.

A new finder needs one function, posts of a brand -> alarms, and a line below. `posts` has the columns of
`benchmarks.emergence.planting.POST_SCHEMA`; the last of the weeks is the one at hand. Alarms name the posts of that week that they are about:
a finder of words gives those that hold the word, a finder of topics those that it puts into the topic.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from folate.core.config import Brand, Topics
from folate.core.weeks import SevenDays
from nlp.topics import discover_topics


class FinderAlarm(NamedTuple):
    """What a finder raises an alarm for."""

    name: str
    posts: frozenset[str]  # ids


Alarms = list[FinderAlarm]
BrandFinder = Callable[[pa.Table], Alarms]  # posts of one brand
Finder = Callable[
    [pa.Table, Sequence[str]], list[Alarms]
]  # all posts and the ids of brands: one list a brand


def find_folate_topics(posts: pa.Table, brands: Sequence[str]) -> list[Alarms]:
    """The unflagged topics of each brand, as the report lists them."""
    span = SevenDays(pc.max(posts["published_at"]).as_py().date())
    found = discover_topics(
        posts, span, Topics(), brands=[Brand(id=brand, names=(brand,)) for brand in brands]
    )
    return [
        [FinderAlarm(t.label_zh, frozenset(t.evidence)) for t in found.topics if not t.flags and brand in t.brands] for brand in brands
    ]  # fmt: skip


def run_per_brand(find: BrandFinder) -> Finder:
    """A finder that knows nothing of brands, run on the posts of each."""

    def finder(posts: pa.Table, brands: Sequence[str]) -> list[Alarms]:
        return [find(posts_of_brand(posts, brand)) for brand in brands]

    return finder


def posts_of_brand(posts: pa.Table, brand: str) -> pa.Table:
    listed = posts["brands"].combine_chunks()
    return posts.take(
        pc.list_parent_indices(listed).filter(pc.equal(pc.list_flatten(listed), brand))
    )


def light_finders() -> dict[str, Finder]:
    """Folate, and the peers that take well under a second."""
    from benchmarks.emergence.peers import hype, keyness, nominal, signitrend

    peers = {
        "nominal p < .05": nominal,
        "log-odds keyness": keyness,
        "Signi-Trend": signitrend,
        "hype score": hype,
    }
    return {"Folate": find_folate_topics} | {
        name: run_per_brand(module.find) for name, module in peers.items()
    }


def heavy_finders() -> dict[str, Finder]:
    """The peers that fit a topic model for each brand and window. Raises MissingExtra when the extra `peers` is not installed."""
    from benchmarks.emergence.peers import bertopic, bertrend

    return {
        "BERTopic over time": run_per_brand(bertopic.find),
        "BERTrend's rule": run_per_brand(bertrend.find),
    }
