"""What a query will cost, found without running it."""

from collections import Counter
from collections.abc import Iterable

from corpora.index.lexicon import Lexicon
from corpora.index.segment import Segment
from corpora.query.canonical import canonical
from corpora.query.syntax import And, Filter, Node, Not, Or
from corpora.search.conditions import LexiconMasks
from corpora.search.costs import NodeCosts, children, constrained_names
from corpora.search.hits import CostEstimate

SECONDS_PER_POSTING = 4e-8
"""Measured on one core of a virtual machine, for a word of a million hits."""

SECONDS_PER_MATCH = 1.2e-7
"""Likewise, of a stretch that is put together from words: `A:[] []{0,3} B:[]` of 26 M words."""

SECONDS_PER_SEGMENT = 3e-4
MAX_PARTS = 5
"""Parts of a query that an estimate lists."""


def estimate_cost(segments: Iterable[Segment], lexicon: Lexicon, tree: Node) -> CostEstimate:
    """Estimate the cost of a tree in all segments. Raises InputError."""
    masks = LexiconMasks(lexicon)
    names = constrained_names(tree)
    searched = list(_searched_parts(tree))
    postings: Counter[str] = Counter()
    seconds = 0.0
    for segment in segments:
        costs = NodeCosts(segment, masks, names)
        seconds += SECONDS_PER_SEGMENT
        for part in searched:
            cost = costs.cost(part)
            postings[canonical(part)] += cost
            seconds += cost * SECONDS_PER_POSTING
            seconds += (costs.work(part) - cost) * SECONDS_PER_MATCH
    return CostEstimate(
        postings=postings.total(),
        seconds=seconds,
        parts=dict(postings.most_common(MAX_PARTS)),
    )


def _searched_parts(node: Node) -> Iterable[Node]:
    """Yield the parts of a query that are each searched in texts."""
    if isinstance(node, And | Or | Not):
        for item in children(node):
            yield from _searched_parts(item)
    elif not isinstance(node, Filter):
        yield node
