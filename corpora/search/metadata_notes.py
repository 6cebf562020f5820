"""What a user must know of the metadata in a query: values nobody has, posts that are not judged.

Nothing found is not the same as nothing sought: a misspelt source, and a sentiment of posts that no
model has read, both select no post.
"""

from collections.abc import Iterator, Sequence

from corpora.index.segment import Segment
from corpora.query.fields import FIELDS
from corpora.query.syntax import Filter, Node
from corpora.search.costs import children
from corpora.search.metadata import keys_admitted
from folate.core.errors import suggestion
from folate.core.labels import SENTIMENT_LABELS
from folate.core.text import quote_name

# Fields that 'folate annotate' fills, without the model and with it.
_TEXT_FIELDS = frozenset({"lang", "brand", "segment", "hashtag"})
_MODEL_FIELDS = frozenset({"sentiment", "aspect", "emotion", "intent", "tag"})
# Fields whose values are in arrays: any value may be asked for.
_ARRAY_FIELDS = frozenset({"week", "day", "rating", "author", "id"})
# Command that fills the field, where no post has any value in it.
_COMMANDS = {"topic": "folate topics", "label": "folate label"}


def metadata_notes(segments: Sequence[Segment], tree: Node) -> list[str]:
    """Return the notes on the conditions of a query, each once."""
    filters = list(dict.fromkeys(_filters(tree)))
    fields = dict.fromkeys(node.field for node in filters)
    notes = [*_unread_notes(segments, [name for name in fields if name in _TEXT_FIELDS])]
    notes += _unjudged_notes(segments, [name for name in fields if name in _MODEL_FIELDS])
    notes += [note for node in filters if (note := _unknown_value_note(segments, node))]
    return notes


def _filters(node: Node) -> Iterator[Filter]:
    if isinstance(node, Filter):
        yield node
    for child in children(node):
        yield from _filters(child)


def _unread_notes(segments: Sequence[Segment], fields: Sequence[str]) -> Iterator[str]:
    total = sum(segment.live_counts.posts for segment in segments)
    read = sum(segment.live_counts.with_words for segment in segments)
    if fields and read < total:
        yield (
            f"{total - read:,} of {total:,} posts are not annotated yet, and "
            f"{_listed(fields)} finds none of them: run 'folate annotate'"
        )


def _unjudged_notes(segments: Sequence[Segment], fields: Sequence[str]) -> Iterator[str]:
    if not fields:
        return
    total = sum(segment.live_counts.posts for segment in segments)
    keys = [f"sentiment:{label}" for label in SENTIMENT_LABELS]
    judged = sum(segment.count_with(key) for segment in segments for key in keys)
    if judged < total:
        yield (
            f"the model has not read {total - judged:,} of {total:,} posts yet, and "
            f"{_listed(fields)} finds none of them: run 'folate annotate'"
        )


def _unknown_value_note(segments: Sequence[Segment], node: Filter) -> str | None:
    """Return the note on a value of an open set that no post has, or None."""
    if FIELDS[node.field].is_closed or node.field in _ARRAY_FIELDS:
        return None
    for segment in segments:
        if any(segment.count_with(key) for key in keys_admitted(segment, node.field, node.value)):
            return None
    known: set[str] = set()
    for segment in segments:
        known.update(segment.values_of_field(node.field)[1])
    if known:
        condition = quote_name(f"{node.field}:{node.value}")
        return f"no post has {condition}; {suggestion(node.value, known)}"
    hint = f": run '{_COMMANDS[node.field]}'" if node.field in _COMMANDS else ""
    return f"no post has any {node.field} yet{hint}"


def _listed(fields: Sequence[str]) -> str:
    return " or ".join(f"{name}:" for name in fields)
