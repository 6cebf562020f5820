"""The brands that posts name, as the model needs them."""

from collections import defaultdict
from collections.abc import Sequence

from corpora.store.snapshot import Snapshot
from nlp.text.clauses import TextSpan

MentionSpans = dict[str, list[TextSpan]]
"""The spans of each brand in one post; an empty list where only the page names the brand."""

_MENTIONS_QUERY = """
SELECT id, brand, start, "end" FROM mentions
WHERE id IN (SELECT unnest($ids)) ORDER BY id, brand, start
""".strip()


def load_mentions(snapshot: Snapshot, ids: Sequence[str]) -> "defaultdict[str, MentionSpans]":
    """Return the mentions of each post, with brands and spans in order."""
    mentions: defaultdict[str, MentionSpans] = defaultdict(dict)
    for row in snapshot.sql(_MENTIONS_QUERY, {"ids": ids}).to_pylist():
        spans = mentions[row["id"]].setdefault(row["brand"], [])
        if row["start"] is not None:
            spans.append((row["start"], row["end"]))
    return mentions
