"""Copies of one text: the same after stripping, or nearly (MinHash finds candidates, the true Jaccard decides)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any

from nlp.normalize import strip_for_duplicates

SIMILARITY = 0.7  # least Jaccard of character 3-grams that makes a copy
SHORT, SHORT_SIMILARITY = 20, 0.85  # texts under 20 characters need more: two edits are a third of them
SHORTEST = 8  # under 8 characters only the same text is a copy
PERMUTATIONS, BANDS, SEED = 128, 32, 1  # 4 rows a band: finds .9998 of pairs at .7, as 1 - (1 - .7^4)^32
_BATCH = 4096

Copy = tuple[str, str, float]


def exact_digest(text: str) -> str:
    """16 hex digits that two texts share when they are equal but for @names, links, chains, punctuation, width and case."""
    return blake2b(strip_for_duplicates(text).encode(), digest_size=8).hexdigest()


def clusters(ids: Sequence[str], texts: Sequence[str], published_at: Sequence[datetime] | None = None) -> list[Copy]:
    """`(id, cluster, similarity)` of every text that copies an earlier one; `cluster` is the id of its original.

    Leader clustering: texts come by time, then id, whatever the order given; each joins the most similar original before it
    (Jaccard of character 3-grams, 1 for equal texts), or becomes an original itself. A copy is always compared with
    the original, so that a chain of small changes can't join two texts that differ. Texts without a letter, digit or sign
    copy nothing.
    """
    stripped = [strip_for_duplicates(text) for text in texts]
    moments: Sequence[Any] = published_at or [0] * len(ids)
    equal: defaultdict[str, list[int]] = defaultdict(list)
    for place in sorted(range(len(ids)), key=lambda place: (moments[place], ids[place])):
        if stripped[place]:
            equal[stripped[place]].append(place)
    copies: list[Copy] = []
    for places, (original, similarity) in zip(equal.values(), _originals(list(equal)), strict=True):
        cluster = equal[original][0]
        copies += [(ids[place], ids[cluster], similarity) for place in places if place != cluster]
    return copies


def _originals(texts: Sequence[str]) -> Iterator[tuple[str, float]]:
    """For each of the distinct `texts`, in order: the one before it that it copies and how much, or itself and 1."""
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(SIMILARITY, PERMUTATIONS, BANDS)
    for start in range(0, len(texts), _BATCH):
        batch = texts[start : start + _BATCH]
        signatures = RMinHash.from_token_sets([_grams(text) for text in batch], PERMUTATIONS, SEED)
        for key, (text, signature) in enumerate(zip(batch, signatures, strict=True), start):
            if len(text) < SHORTEST:
                yield text, 1.0
                continue
            found = _nearest(text, [texts[other] for other in sorted(index.query(signature))])
            if found is None:
                index.insert(key, signature)
            yield found or (text, 1.0)


def _nearest(text: str, originals: list[str]) -> tuple[str, float] | None:
    """The one of `originals` that `text` copies: the most similar, if similar enough, and the first of equals."""
    if not originals:
        return None
    grams = _grams(text)
    similarity, place = max((_jaccard(grams, _grams(original)), -place) for place, original in enumerate(originals))
    original = originals[-place]
    enough = SHORT_SIMILARITY if min(len(text), len(original)) < SHORT else SIMILARITY
    return (original, similarity) if similarity >= enough else None


def _grams(text: str) -> frozenset[str]:
    return frozenset(map("".join, zip(text, text[1:], text[2:], strict=False)))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)
