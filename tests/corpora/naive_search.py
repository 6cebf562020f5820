"""A search as the documentation defines it: nested loops over the rows, no index."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

from corpora.query.syntax import (
    Alternatives,
    And,
    Both,
    Capture,
    CaptureAll,
    CaptureAny,
    CaptureComparison,
    CaptureConstraint,
    CaptureEdge,
    CaptureLiteral,
    CaptureNot,
    CaptureValue,
    Constrained,
    Element,
    Filter,
    Flags,
    Look,
    Near,
    Node,
    Not,
    Or,
    Position,
    Repeat,
    Sequence,
    Term,
    Wildcard,
    Word,
    WordAll,
    WordAny,
    WordCondition,
    WordMatch,
)
from folate.core.weeks import Week
from nlp.text.normalize import fold_once, normalize_except, normalize_text
from nlp.text.sentences import sentence_starts
from nlp.text.term_matcher import TermMatcher

Captured = dict[str, tuple[int, int]]
Row = dict[str, Any]


@dataclass
class NaiveResult:
    """What a search must find: hits are (id, start, end, first word, word after the last)."""

    posts: set[str] = field(default_factory=set)
    hits: list[tuple[str, int, int, int, int]] = field(default_factory=list)
    unit: str = ""
    size: int = 0
    searched_posts: int = 0
    posts_without_words: int = 0


def naive_search(rows: list[Row], tree: Node) -> NaiveResult:
    """Search rows (DOCUMENT_SCHEMA) one by one."""
    unit = naive_unit(tree)
    result = NaiveResult(unit=unit)
    for row in rows:
        post = NaivePost(row)
        if post.admits(tree) is not False:
            result.searched_posts += 1
            result.posts_without_words += row["words"] is None
            result.size += {"post": 1, "character": len(post.folded), "word": len(post.words)}[unit]
        if not post.selects(tree):
            continue
        result.posts.add(row["id"])
        hits = {(0, len(post.folded))} if unit == "post" else set(post.hits(tree))
        for start, end in sorted(hits):
            words = (0, len(post.words)) if unit == "post" else post.touched(start, end)
            result.hits.append((row["id"], start, end, *words))
    return result


def naive_unit(tree: Node) -> str:
    if isinstance(tree, Filter | Not):
        return "post"
    if isinstance(tree, Term):
        return "character"
    if isinstance(tree, And | Or):
        units = [naive_unit(item) for item in tree.items]
        return next((unit for unit in ("word", "character") if unit in units), "post")
    return "word"


def is_metadata(node: Node) -> bool:
    if isinstance(node, And | Or):
        return all(is_metadata(item) for item in node.items)
    return is_metadata(node.item) if isinstance(node, Not) else isinstance(node, Filter)


class NaivePost:
    """One row: its folded text, and its words with their places in it."""

    def __init__(self, row: Row) -> None:
        self.row = row
        text = fold_once(row["body"])
        self.plain, self.folded = text.plain.text, text.folded
        self.words: list[str] = row["words"] or []
        self.places: list[tuple[int, int]] = []
        for start, length in zip(row["starts"] or [], row["lengths"] or [], strict=True):
            inside = []
            for index in range(len(self.plain)):
                low, high = (
                    (index, index + 1)
                    if text.plain.starts is None or text.plain.ends is None
                    else (text.plain.starts[index], text.plain.ends[index])
                )
                if low < start + length and high > start:
                    inside.append(index)
            self.places.append((inside[0], inside[-1] + 1))
        count = len(self.words)
        self.lemmas: list[str] = row["lemmas"] or [""] * count
        self.parts: list[str] = row["parts"] or [""] * count
        starts = sentence_starts(self.folded)
        sentence = [sum(start <= place[0] for start in starts) for place in self.places]
        self.sentences = [
            (first, count - sentence[::-1].index(number))
            for number in dict.fromkeys(sentence)
            for first in [sentence.index(number)]
        ]
        self._ends: dict[tuple[Node, int], list[tuple[int, Captured]]] = {}

    def touched(self, start: int, end: int) -> tuple[int, int]:
        """Return the words that a stretch overlaps; where there are none, the next word twice."""
        numbers = [
            number for number, (low, high) in enumerate(self.places) if low < end and high > start
        ]
        if numbers:
            return numbers[0], numbers[-1] + 1
        before = sum(high <= start for _, high in self.places)
        return before, before

    # --- posts ---

    def selects(self, node: Node) -> bool:
        if isinstance(node, And):
            return all(map(self.selects, node.items))
        if isinstance(node, Or):
            return any(map(self.selects, node.items))
        if isinstance(node, Not):
            return not self.selects(node.item)
        if isinstance(node, Filter):
            return self.has(node)
        return bool(self.hits(node))

    def admits(self, node: Node) -> bool | None:
        """Return whether metadata admit a match here; None where they say nothing."""
        if is_metadata(node):
            return self.selects(node)
        if isinstance(node, And | Or):
            verdicts = [self.admits(item) for item in node.items]
            if isinstance(node, And):
                known = [verdict for verdict in verdicts if verdict is not None]
                return all(known) if known else None
            return None if None in verdicts else any(verdicts)
        return None

    def hits(self, node: Node) -> list[tuple[int, int]]:
        """Return the stretches of characters that a node matches in this post."""
        if isinstance(node, Filter | Not):
            return []
        if isinstance(node, And):
            if not self.selects(node):
                return []
            return [hit for item in node.items for hit in self.hits(item)]
        if isinstance(node, Or):
            return [hit for item in node.items for hit in self.hits(item)]
        if isinstance(node, Term):
            return self.term_hits(node)
        spans = {(first, last) for first, last, _ in self.spans(node) if last > first}
        return [(self.places[first][0], self.places[last - 1][1]) for first, last in spans]

    def has(self, node: Filter) -> bool:
        row = self.row
        if node.field == "id":
            return bool(row["id"] == node.value)
        if node.field == "author":
            return bool(row["author"] == node.value)
        if node.field in ("day", "week"):
            day = date(1970, 1, 1) + timedelta(days=row["day"])
            value = day.isoformat() if node.field == "day" else str(Week.from_date(day))
            return compares(value, node, str)
        if node.field == "rating":
            return row["rating"] is not None and compares(row["rating"] * 5, node, float)
        values = [
            key.removeprefix(f"{node.field}:")
            for key in row["fields"]
            if key.startswith(f"{node.field}:")
        ]
        if node.field == "place":
            return any(normalize_text(node.value) in value for value in values)
        if node.field == "tag":
            return any(f"{value} / ".startswith(f"{node.value} / ") for value in values)
        return node.value in values

    def term_hits(self, node: Term) -> list[tuple[int, int]]:
        if "no_diacritics" not in node.flags:
            found = TermMatcher([node.text]).find(self.folded)
            hits = [(match.start, match.end) for match in found]
        else:
            bare, places = [], []
            for place, character in enumerate(self.folded):
                base = bare_character(character)
                bare += [base] * bool(base)
                places += [place] * bool(base)
            term = "".join(map(bare_character, node.text))
            found = TermMatcher([term]).find("".join(bare))
            hits = [(places[match.start], places[match.end - 1] + 1) for match in found]
        return [hit for hit in hits if same_published(node, self.plain[slice(*hit)])]

    # --- words ---

    def spans(self, node: Node) -> Iterator[tuple[int, int, Captured]]:
        for first in range(len(self.words) + 1):
            for last, captured in self.ends(node, first):
                yield first, last, captured

    def ends(self, node: Node, first: int) -> list[tuple[int, Captured]]:
        """Return where matches that begin at a word end, each with what it captured."""
        if not self.words:
            return []
        key = (node, first)
        if key not in self._ends:
            ends: list[tuple[int, Captured]] = []
            for end in self._all_ends(node, first):
                if end not in ends:
                    ends.append(end)
            self._ends[key] = ends
        return self._ends[key]

    def _all_ends(self, node: Node, first: int) -> Iterator[tuple[int, Captured]]:
        match node:
            case Word() | Wildcard() | Term() | Element():
                yield from [(last, {}) for last in self._leaf_ends(node, first)]
            case Sequence() | Repeat() | Alternatives() | Or() | Both() | Near():
                yield from self._composed_ends(node, first)
            case Look():
                if self._stands(node, first) != node.is_negated:
                    yield first, {}
            case Capture():
                for last, captured in self.ends(node.item, first):
                    yield last, {**captured, node.name: (first, last)}
            case Position() | Constrained():
                for last, captured in self.ends(node.item, first):
                    if self._holds(node, first, last, captured):
                        yield last, captured

    def _composed_ends(
        self, node: Sequence | Repeat | Alternatives | Or | Both | Near, first: int
    ) -> Iterator[tuple[int, Captured]]:
        if isinstance(node, Sequence):
            yield from self._sequence_ends(node.items, first)
        elif isinstance(node, Repeat):
            yield from self._repeat_ends(node, first)
        elif isinstance(node, Near):
            yield from self._near_ends(node, first)
        elif isinstance(node, Both):
            yield from self._both_ends(node.items, first)
        else:
            for item in node.items:
                yield from self.ends(item, first)

    def _leaf_ends(self, node: Node, first: int) -> list[int]:
        if isinstance(node, Word | Wildcard):
            is_match = first < len(self.words) and self.is_word(node, first)
            return [first + 1] if is_match else []
        if isinstance(node, Element):
            elements = self.sentences if node.name == "sentence" else [(0, len(self.words))]
            return [high for low, high in elements if low == first]
        assert isinstance(node, Term)
        touched = [self.touched(*hit) for hit in self.term_hits(node)]
        return [high for low, high in touched if low == first and high > low]

    def _stands(self, node: Look, place: int) -> bool:
        if node.direction == "ahead":
            return bool(self.ends(node.item, place))
        return any(last == place for _, last, _ in self.spans(node.item))

    def _holds(
        self, node: Position | Constrained, first: int, last: int, captured: Captured
    ) -> bool:
        if isinstance(node, Constrained):
            return self.meets(node.constraint, captured)
        others = [(low, high) for low, high, _ in self.spans(node.other)]
        return related(node.relation, (first, last), others) != node.is_negated

    def _sequence_ends(self, items: tuple[Node, ...], first: int) -> Iterator[tuple[int, Captured]]:
        if not items:
            yield first, {}
            return
        for middle, captured in self.ends(items[0], first):
            for last, later in self._sequence_ends(items[1:], middle):
                yield last, {**captured, **later}

    def _both_ends(self, items: tuple[Node, ...], first: int) -> Iterator[tuple[int, Captured]]:
        for last, captured in self.ends(items[0], first):
            if len(items) == 1:
                yield last, captured
                continue
            for other_last, later in self._both_ends(items[1:], first):
                if other_last == last:
                    yield last, {**captured, **later}

    def _repeat_ends(self, node: Repeat, first: int) -> Iterator[tuple[int, Captured]]:
        reached: list[tuple[int, Captured]] = [(first, {})]
        for number in range(node.most + 1):
            if number >= node.least:
                yield from reached
            following: list[tuple[int, Captured]] = []
            for middle, captured in reached:
                for last, later in self.ends(node.item, middle):
                    if (last, {**captured, **later}) not in following:
                        following.append((last, {**captured, **later}))
            reached = following

    def _near_ends(self, node: Near, first: int) -> Iterator[tuple[int, Captured]]:
        for low, high, captured in self.spans(node.left):
            for other_low, other_high, other in self.spans(node.right):
                if low == first and high <= other_low < high + node.after:
                    yield other_high, {**captured, **other}
                if other_low == first and other_high <= low < other_high + node.before:
                    yield high, {**other, **captured}

    def is_word(self, node: Word | Wildcard, place: int) -> bool:
        if isinstance(node, Wildcard):
            pieces = re.findall(r"[*?]|[^*?]+", node.pattern)
            regex = ""
            for piece in pieces:
                form = re.escape(formed(piece, node.flags))
                regex += {"*": ".*", "?": "."}.get(piece, form)
            folded = "".join(
                {"*": ".*", "?": "."}.get(piece)
                or re.escape(formed(piece, node.flags & {"no_diacritics"}))
                for piece in pieces
            )
            return self.word_matches(folded, regex, place, node.flags)
        return node.condition is None or self.is_condition(node.condition, place)

    def is_condition(self, condition: WordCondition, place: int) -> bool:
        if isinstance(condition, WordAll):
            return all(self.is_condition(item, place) for item in condition.items)
        if isinstance(condition, WordAny):
            return any(self.is_condition(item, place) for item in condition.items)
        if isinstance(condition, WordMatch):
            return self.is_match(condition, place) != condition.is_negated
        return not self.is_condition(condition.item, place)

    def is_match(self, match: WordMatch, place: int) -> bool:
        folded_flags = match.flags & {"no_diacritics"}
        folded = expression(match, folded_flags)
        if match.attribute == "word":
            return self.word_matches(folded, expression(match, match.flags), place, match.flags)
        if match.attribute == "pos":
            flags = re.IGNORECASE if match.is_literal and "case" not in match.flags else 0
            regex = expression(match, match.flags)
            return re.fullmatch(regex, self.parts[place], flags) is not None
        lemma = self.lemmas[place]
        if "no_diacritics" in match.flags:
            lemma = "".join(map(bare_character, lemma))
        return re.fullmatch(folded, lemma) is not None

    def word_matches(self, folded: str, published: str, place: int, flags: Flags) -> bool:
        word = self.words[place]
        if "no_diacritics" in flags:
            word = "".join(map(bare_character, word))
        text = formed(self.plain[slice(*self.places[place])], flags)
        is_folded = re.fullmatch(folded, word) is not None
        if not flags & {"case", "width", "script"}:
            return is_folded
        return is_folded and re.fullmatch(published, text) is not None

    # --- captures ---

    def meets(self, constraint: CaptureConstraint, captured: Captured) -> bool:
        if isinstance(constraint, CaptureAll):
            return all(self.meets(item, captured) for item in constraint.items)
        if isinstance(constraint, CaptureAny):
            return any(self.meets(item, captured) for item in constraint.items)
        if isinstance(constraint, CaptureNot):
            return not self.meets(constraint.item, captured)
        assert isinstance(constraint, CaptureComparison)
        left = self.value(constraint.left, captured)
        right = self.value(constraint.right, captured)
        if left is None or right is None:
            return False
        return compare(left, constraint.operator, right)

    def value(
        self, side: CaptureValue | CaptureLiteral | CaptureEdge, captured: Captured
    ) -> str | int | None:
        if isinstance(side, CaptureLiteral):
            return normalize_text(side.text)
        if side.name not in captured:
            return None
        first, last = captured[side.name]
        if isinstance(side, CaptureEdge):
            return first if side.edge == "start" else last
        if first == last:
            return None
        values = {"word": self.words, "lemma": self.lemmas, "pos": self.parts}[side.attribute]
        return normalize_text(values[first])


def related(relation: str, item: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    first, last = item
    if relation == "within":
        return any(low <= first and last <= high for low, high in others)
    if relation == "containing":
        return any(first <= low and high <= last for low, high in others)
    return any(low < last and first < high for low, high in others)


def compare(left: Any, operator: str, right: Any) -> bool:
    return bool(
        {
            "=": left == right,
            "!=": left != right,
            "<": left < right,
            "<=": left <= right,
            ">": left > right,
            ">=": left >= right,
        }[operator]
    )


def compares(value: Any, node: Filter, kind: Any) -> bool:
    if isinstance(value, float):
        value = round(value, 4)
    if node.operator == "..":
        is_late = not node.value or kind(node.value) <= value
        return is_late and (not node.until or value <= kind(node.until))
    return compare(value, node.operator, kind(node.value))


@cache
def bare_character(character: str) -> str:
    if ord(character) >= 0x3100:
        return character
    parts = unicodedata.normalize("NFD", character)
    bare = "".join(part for part in parts if unicodedata.category(part) != "Mn")
    return bare if len(bare) < 2 else character


def formed(text: str, flags: Flags) -> str:
    form = normalize_except(text, flags)
    return "".join(map(bare_character, form)) if "no_diacritics" in flags else form


def expression(match: WordMatch, flags: Flags) -> str:
    if match.is_literal:
        return re.escape(formed(match.pattern, flags))
    composed = unicodedata.normalize("NFC", match.pattern)
    # 乾 is 干, but stays in 乾隆
    regex = re.sub(r"[^\x00-\x7f]+", lambda found: formed(found[0], flags), composed)
    return regex if "case" in flags else f"(?i){regex}"


def same_published(node: Term, published: str) -> bool:
    def characters(text: str) -> list[str]:
        kept = [c for c in text if not re.fullmatch(r"[\s-]", unicodedata.normalize("NFKC", c))]
        return [c for c in kept if "no_diacritics" not in node.flags or bare_character(c)]

    wanted = characters(unicodedata.normalize("NFC", node.text))
    found = characters(published)
    for flag in node.flags - {"no_diacritics"}:
        kept = frozenset({flag}) | (node.flags & {"no_diacritics"})
        if [formed(c, kept) for c in wanted] != [formed(c, kept) for c in found]:
            return False
    return True
