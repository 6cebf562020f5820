"""The lines of a concordance that people label, with their place in the text as published."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from corpora.search.hits import SearchResult
from corpora.search.view import CorpusView
from corpora.store.labels import Label, check_label_name, read_labels, record_labels
from corpora.store.snapshot import Snapshot
from corpora.store.store import Store
from folate.core.post import post_body
from nlp.text.markup import AlignedText, strip_markup_aligned

MAX_CONTEXT_LENGTH = 400
"""Characters kept on each side of a hit."""

_BODIES_QUERY = """
SELECT id, title, text, text_hash FROM posts WHERE id IN (SELECT unnest($ids))
""".strip()


@dataclass(frozen=True)
class LabelLine:
    """A hit of a query in its text, without anything that says whom or what it is from."""

    # of the post
    id: str
    # `Post.text_hash`
    text_hash: str
    # offsets of the hit in code points of `Post.body`
    start: int
    end: int
    # the text without markup: before the hit, the hit, and after it
    left: str
    hit: str
    right: str

    @property
    def place(self) -> tuple[str, str, int, int]:
        """Where the line is, as `Label.place`."""
        return self.id, self.text_hash, self.start, self.end


@dataclass(frozen=True)
class LabelTask:
    """The lines that a person is asked about, in the order of asking."""

    # canonical
    query: str
    lines: Sequence[LabelLine]
    # lines that the query has, of which `lines` may be a sample
    hit_count: int

    def label(self, line: LabelLine, name: str, rater: str, belongs: bool | None) -> Label:
        """Return what a rater said of a line."""
        return Label(name, rater, *line.place, belongs, self.query)


@dataclass(frozen=True, order=True)
class _Hit:
    """A hit by its place in the plain text of a post; `rank` puts hits in random order."""

    rank: bytes
    id: str
    start: int
    end: int


def label_task(
    view: CorpusView, query: str, sample_size: int | None = None, seed: int = 0
) -> LabelTask:
    """Return the lines of a query in random order, or a random sample of them.

    The order depends on the seed, the posts and the places of the hits alone, so that the same
    command goes on where it stopped. Raises InputError.
    """
    parsed = view.parse(query)
    hits = sorted(set(_hits(view.search(parsed), seed)))
    return LabelTask(parsed.canonical, _read_lines(view.snapshot, hits[:sample_size]), len(hits))


def label_lines(
    view: CorpusView,
    store: Store,
    query: str,
    name_and_rater: tuple[str, str],
    belongs: bool,
    *,
    sample_size: int | None = None,
    seed: int = 0,
) -> int:
    """Store one answer to every line of a query that the rater has not answered yet.

    Returns how many lines that are. Raises InputError.
    """
    name = check_label_name(name_and_rater[0])
    rater = check_label_name(name_and_rater[1], "name of a rater")
    task = label_task(view, query, sample_size, seed)
    answered = {label.place for label in read_labels(store.snapshot(), name, rater)}
    open_lines = [line for line in task.lines if line.place not in answered]
    record_labels(store, [task.label(line, name, rater, belongs) for line in open_lines])
    return len(open_lines)


def _hits(result: SearchResult, seed: int) -> Iterator[_Hit]:
    for found in result.segments:
        segment = found.segment
        bases = segment.array("char_offsets")[found.hit_documents]
        ids = segment.ids(found.hit_documents)
        starts = (found.starts - bases).tolist()
        ends = (found.ends - bases).tolist()
        for post_id, start, end in zip(ids, starts, ends, strict=True):
            rank = blake2b(f"{seed}\0{post_id}\0{start}".encode(), digest_size=8).digest()
            yield _Hit(rank, post_id, start, end)


def _read_lines(snapshot: Snapshot, hits: Sequence[_Hit]) -> list[LabelLine]:
    ids = sorted({hit.id for hit in hits})
    texts: dict[str, tuple[AlignedText, str]] = {}
    for row in snapshot.sql(_BODIES_QUERY, {"ids": ids}).to_pylist():
        body = post_body(row["title"], row["text"])
        texts[row["id"]] = strip_markup_aligned(body), row["text_hash"]
    return [_line(hit, *texts[hit.id]) for hit in hits]


def _line(hit: _Hit, plain: AlignedText, text_hash: str) -> LabelLine:
    start, end = plain.original_span(hit.start, hit.end)
    return LabelLine(
        id=hit.id,
        text_hash=text_hash,
        start=start,
        end=end,
        left=plain.text[max(0, hit.start - MAX_CONTEXT_LENGTH) : hit.start],
        hit=plain.text[hit.start : hit.end],
        right=plain.text[hit.end : hit.end + MAX_CONTEXT_LENGTH],
    )
