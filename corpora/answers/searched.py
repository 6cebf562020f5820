"""The posts that a question is asked of: those that the metadata of its query admit."""

from collections.abc import Sequence

from corpora.answers.words import SegmentPosts, all_posts
from corpora.query.syntax import And, Filter, Node, Not, Or, Query
from corpora.search.view import CorpusView


def searched_posts(view: CorpusView, query: Query) -> Sequence[SegmentPosts]:
    """Return the posts that the metadata of a query admit, as far as every match must meet them.

    They are those whose size is `SearchResult.size`: of `folic brand:kraft` the posts of kraft.
    """
    condition = metadata_condition(query.tree)
    if condition is None:
        return all_posts(view)
    found = view.search(Query(query.text, condition, query.canonical))
    return [SegmentPosts(hits.segment, hits.documents) for hits in found.segments]


def metadata_condition(node: Node) -> Node | None:
    """Return the condition on metadata that every match of a tree meets, None for none."""
    match node:
        case Filter():
            return node
        case Not(item):
            return node if is_metadata(item) else None
        case And(items):
            conditions = [metadata_condition(item) for item in items]
            needed = tuple(condition for condition in conditions if condition is not None)
            return And(needed) if needed else None
        case Or(items):
            conditions = [metadata_condition(item) for item in items]
            possible = tuple(condition for condition in conditions if condition is not None)
            return Or(possible) if len(possible) == len(items) else None
    return None


def is_metadata(node: Node) -> bool:
    """Return whether a tree has conditions on metadata only."""
    match node:
        case Filter():
            return True
        case Not(item):
            return is_metadata(item)
        case And(items) | Or(items):
            return all(is_metadata(item) for item in items)
    return False
