"""Chunks of a query: runs of pieces that only the corpus-query form can parse."""

from dataclasses import dataclass

from corpora.query.errors import query_error
from corpora.query.scan import Kind, Piece, Scan

_PLAIN_KINDS = frozenset(
    {Kind.LEAF, Kind.SAVED, Kind.AND, Kind.OR, Kind.NOT, Kind.NEAR, Kind.CHUNK}
)
_JOINING = frozenset({"|", "&", "within", "containing", "overlap", "::"})
_REPEATING = frozenset("+*?{")
_QUOTE_HINT = "put words beside it into quotes or brackets, and OR joins words without"


@dataclass
class _Group:
    """What is between two parentheses."""

    open_index: int
    has_plain: bool = False
    has_corpus: bool = False


def join_chunks(scan: Scan) -> list[Piece]:
    """Return the pieces of a query with each chunk as one piece. Raises InputError."""
    ends, plain_groups = _find_groups(scan)
    pieces = scan.pieces
    joined: list[Piece] = []
    index = 0
    while index < len(pieces):
        end, has_corpus = _run_end(pieces, index, ends, plain_groups)
        if end == index:
            joined.append(pieces[index])
            index += 1
            continue
        if has_corpus:
            _check_edges(scan, index, end)
            joined.append(Piece(Kind.CHUNK, pieces[index].start, pieces[end - 1].end))
        else:
            joined += pieces[index:end]
        index = end
    return joined


def _find_groups(scan: Scan) -> tuple[dict[int, int], set[int]]:
    """Return the closing index of each opening one, and the opening ones of plain groups."""
    ends: dict[int, int] = {}
    plain_groups: set[int] = set()
    stack = [_Group(-1)]
    for index, piece in enumerate(scan.pieces):
        if piece.kind == Kind.OPEN:
            stack.append(_Group(index))
        elif piece.kind == Kind.CLOSE:
            group = stack.pop()
            ends[group.open_index] = index
            if group.has_plain:
                _check_look(scan, group.open_index)
                plain_groups.add(group.open_index)
            stack[-1].has_plain |= group.has_plain
        else:
            stack[-1].has_plain |= piece.kind in _PLAIN_KINDS
    if len(stack) > 1:
        opener = scan.pieces[stack[-1].open_index]
        raise query_error(
            scan.text, opener.start, "wanted a closing parenthesis for this opening one."
        )
    return ends, plain_groups


def _check_look(scan: Scan, open_index: int) -> None:
    opener = scan.pieces[open_index]
    if opener.is_look:
        raise query_error(
            scan.text,
            opener.start,
            'wanted words in quotes or brackets in a lookahead or lookbehind, such as (?= "a").',
        )


def _run_end(
    pieces: list[Piece], start: int, ends: dict[int, int], plain_groups: set[int]
) -> tuple[int, bool]:
    """Return the end of the run of pieces of the corpus-query form, and whether it is a chunk.

    Strings and parentheses with nothing else may be in a run, but do not make it a chunk.
    """
    index = start
    has_corpus = False
    while index < len(pieces):
        piece = pieces[index]
        if piece.kind == Kind.OPEN and index not in plain_groups:
            inside = pieces[index : ends[index]]
            has_corpus |= any(item.kind == Kind.CORPUS or item.is_look for item in inside)
            index = ends[index] + 1
        elif piece.kind in (Kind.STRING, Kind.CORPUS):
            has_corpus |= piece.kind == Kind.CORPUS
            index += 1
        else:
            break
    return index, has_corpus


def _check_edges(scan: Scan, start: int, end: int) -> None:
    """Refuse a chunk that begins or ends with an operator between it and a plain word."""
    first, last = scan.pieces[start], scan.pieces[end - 1]
    if first.operator[:1] in _REPEATING and first.operator:
        raise query_error(
            scan.text,
            first.start,
            f"wanted a word in quotes or brackets before {first.operator[:20]}, which repeats it.",
        )
    if first.operator in _JOINING:
        raise query_error(
            scan.text,
            first.start,
            f"wanted something before {first.operator}: {_QUOTE_HINT}.",
        )
    needs_more = last.operator in _JOINING or last.operator.endswith((":", "!"))
    if needs_more and end < len(scan.pieces):
        raise query_error(
            scan.text,
            last.start,
            f"wanted something behind {last.operator[:20]}: {_QUOTE_HINT}.",
        )
