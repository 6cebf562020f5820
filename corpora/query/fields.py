"""The fields of queries: what each selects, and which values it takes.

The parser, the search, the documentation and the messages of errors read this one table.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from folate.core.config import LEVEL_SEPARATOR, Config
from folate.core.errors import ConfigError, suggestion
from folate.core.labels import ASPECTS, EMOTIONS, INTENTS, SENTIMENT_LABELS
from folate.core.post import POST_KINDS
from folate.core.text import quote_name
from folate.core.weeks import SevenDays, Week
from nlp.text.language import LanguageCode
from nlp.text.normalize import normalize_text

Operator = Literal["=", "..", "<", "<=", ">", ">="]
KnownValues = Mapping[str, frozenset[str]]
"""The possible values of fields with a closed set; a field that is not in it takes any value."""

MAX_STARS = 5
"""Stars of the best rating: ratings are stored as a share of it."""

PART_SEPARATOR = "/"
"""Between the parts of a value, such as `sentiment:negative/kraft`."""

_EQUAL: tuple[Operator, ...] = ("=",)
_RANGE: tuple[Operator, ...] = ("=", "..")
_NUMBER: tuple[Operator, ...] = ("=", "..", "<", "<=", ">", ">=")


class UnfitValue(ValueError):
    """A value that a field can't have; the message is a sentence."""


@dataclass(frozen=True, kw_only=True)
class FieldDefinition:
    """One field of queries."""

    name: str
    # what it selects, for the documentation
    selects: str
    # how a value is written, for the documentation and for messages
    values: str
    example: str
    operators: tuple[Operator, ...] = _EQUAL
    # the sets that the parts of a value are from ("sentiment", "brand"), or "" for any text; a
    # value has at most that many parts, separated by PART_SEPARATOR
    parts: tuple[str, ...] = ("",)
    # the normal form of a value, or of one part of it; raises UnfitValue
    normalize: Callable[[str], str] = normalize_text
    # whether a value also finds those that contain it
    finds_longer: bool = False

    @property
    def is_closed(self) -> bool:
        """Whether the values are from a closed set."""
        return bool(self.parts[0])


def _as_typed(value: str) -> str:
    return value


def _normalize_tag(value: str) -> str:
    levels = [normalize_text(level) for level in value.split(PART_SEPARATOR)]
    if not all(levels):
        raise UnfitValue(f"wanted levels such as food/dairy, got {quote_name(value)}.")
    return LEVEL_SEPARATOR.join(levels)


def _normalize_hashtag(value: str) -> str:
    return normalize_text(value.strip("#＃"))


def _normalize_week(value: str) -> str:
    try:
        return str(Week.parse(value))
    except ConfigError as error:
        raise UnfitValue(str(error)) from error


def _normalize_day(value: str) -> str:
    try:
        return str(SevenDays.parse(value))
    except ConfigError as error:
        raise UnfitValue(str(error)) from error


def _normalize_stars(value: str) -> str:
    stars = float(value) if _DECIMAL.fullmatch(value) else math.nan
    if not 0 <= stars <= MAX_STARS:
        raise UnfitValue(f"wanted stars from 0 to {MAX_STARS}, got {quote_name(value)}.")
    return f"{stars:g}"


_DECIMAL = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?")
# The longer ones first.
_COMPARISONS: tuple[Operator, ...] = ("<=", ">=", "<", ">")
_RANGE_SIGN = ".."

_DEFINITIONS = (
    FieldDefinition(
        name="source",
        selects="posts of a source",
        values="name of the source",
        example="source:weibo",
    ),
    FieldDefinition(
        name="kind",
        selects="posts of a kind",
        values="kind",
        example="kind:review",
        parts=("kind",),
        normalize=_as_typed,
    ),
    FieldDefinition(
        name="lang",
        selects="posts in a language",
        values="language",
        example="lang:zh",
        parts=("lang",),
        normalize=_as_typed,
    ),
    FieldDefinition(
        name="place",
        selects="posts from a place; 广东 also finds 广东 广州",
        values="text",
        example="place:广东",
        finds_longer=True,
    ),
    FieldDefinition(
        name="brand",
        selects="posts that name a brand",
        values="id of a brand",
        example="brand:kraft",
        parts=("brand",),
        normalize=_as_typed,
    ),
    FieldDefinition(
        name="sentiment",
        selects="posts with a sentiment, or posts with a sentiment about a brand",
        values="sentiment, or sentiment/brand",
        example="sentiment:negative/kraft",
        parts=("sentiment", "brand"),
        normalize=_as_typed,
    ),
    FieldDefinition(
        name="aspect",
        selects="posts about an aspect, with a sentiment about it, said of a brand",
        values="aspect, aspect/sentiment or aspect/sentiment/brand",
        example="aspect:price/negative",
        parts=("aspect", "sentiment", "brand"),
        normalize=_as_typed,
    ),
    FieldDefinition(
        name="emotion",
        selects="posts with an emotion",
        values="emotion",
        example="emotion:angry",
        parts=("emotion",),
        normalize=_as_typed,
    ),
    FieldDefinition(
        name="intent",
        selects="posts whose author wants to do something",
        values="intent",
        example="intent:buy",
        parts=("intent",),
        normalize=_as_typed,
    ),
    FieldDefinition(
        name="tag",
        selects="posts with a tag; an upper level also finds the levels below it",
        values="tag, its levels separated by /",
        example="tag:food/dairy",
        normalize=_normalize_tag,
        finds_longer=True,
    ),
    FieldDefinition(
        name="segment",
        selects="posts by an audience segment",
        values="id of a segment",
        example="segment:pregnant",
    ),
    FieldDefinition(
        name="topic",
        selects="posts of an emerging topic",
        values="id of a topic",
        example="topic:3f2a",
        normalize=_as_typed,
    ),
    FieldDefinition(
        name="label",
        selects="posts that people labelled, or that one of them labelled",
        values="name of a label, or label/person",
        example="label:complaint",
        parts=("", ""),
    ),
    FieldDefinition(
        name="hashtag",
        selects="posts with a hashtag",
        values="text, with or without #",
        example="hashtag:叶酸",
        normalize=_normalize_hashtag,
    ),
    FieldDefinition(
        name="is",
        selects="posts in a state: copies of others, by verified authors, with words, with lemmas",
        values="state",
        example="is:duplicate",
        parts=("is",),
        normalize=_as_typed,
    ),
    FieldDefinition(
        name="week",
        selects="posts of an ISO week, or of a range of weeks",
        values="week such as 2026-W10, or a range such as 2026-W01..2026-W10, ..2026-W10",
        example="week:2026-W01..2026-W10",
        operators=_RANGE,
        normalize=_normalize_week,
    ),
    FieldDefinition(
        name="day",
        selects="posts of a day, or of a range of days",
        values="day such as 2026-03-01, or a range such as 2026-03-01..2026-03-05",
        example="day:2026-03-01",
        operators=_RANGE,
        normalize=_normalize_day,
    ),
    FieldDefinition(
        name="rating",
        selects="posts with a rating",
        values="stars of five, a comparison such as <=2, or a range such as 2..4",
        example="rating:<=2",
        operators=_NUMBER,
        normalize=_normalize_stars,
    ),
    FieldDefinition(
        name="author",
        selects="posts of an author",
        values="hash of the author",
        example="author:0123456789abcdef",
        normalize=_as_typed,
    ),
    FieldDefinition(
        name="id",
        selects="one post",
        values="id of a post",
        example="id:weibo:5021",
        normalize=_as_typed,
    ),
)

FIELDS: Mapping[str, FieldDefinition] = {field.name: field for field in _DEFINITIONS}
"""Every field by its name."""

STATES = ("duplicate", "verified", "annotated", "tagged")
"""Values of `is:`."""


def known_values(config: Config | None = None) -> KnownValues:
    """Return the closed sets of values; those of a project only with its configuration."""
    known = {
        "kind": frozenset(POST_KINDS),
        "lang": frozenset(get_args(LanguageCode)),
        "sentiment": frozenset(SENTIMENT_LABELS),
        "emotion": frozenset(EMOTIONS),
        "intent": frozenset(INTENTS),
        "is": frozenset(STATES),
    }
    if config is not None:
        known["brand"] = frozenset(brand.id for brand in config.brands)
        known["aspect"] = frozenset(ASPECTS) | {aspect.id for aspect in config.aspects}
    return known


@dataclass(frozen=True)
class FieldValue:
    """A value of a field in its normal form, with its operator."""

    operator: Operator
    value: str
    until: str = ""


def read_value(field: FieldDefinition, text: str, known: KnownValues) -> FieldValue:
    """Return the value that `text`, the part behind `field:`, stands for. Raises UnfitValue."""
    for operator in _COMPARISONS:
        if operator in field.operators and text.startswith(operator):
            return FieldValue(operator, _read_single(field, text[len(operator) :], known))
    if _RANGE_SIGN in field.operators and _RANGE_SIGN in text:
        first, _, last = text.partition(_RANGE_SIGN)
        return _read_range(field, first, last, known)
    return FieldValue("=", _read_single(field, text, known))


def _read_range(field: FieldDefinition, first: str, last: str, known: KnownValues) -> FieldValue:
    if not first and not last:
        raise UnfitValue("wanted a range with a start or an end, got '..'.")
    start = _read_single(field, first, known) if first else ""
    end = _read_single(field, last, known) if last else ""
    if start and end and _is_after(field, start, end):
        raise UnfitValue(f"wanted a range that starts before it ends, got {start}..{end}.")
    return FieldValue("..", start, end)


def _is_after(field: FieldDefinition, first: str, second: str) -> bool:
    """Compare two values in their normal form; weeks and days sort as texts."""
    if field.name == "rating":
        return float(first) > float(second)
    return first > second


def _read_single(field: FieldDefinition, text: str, known: KnownValues) -> str:
    if len(field.parts) == 1:
        return _read_part(field, field.parts[0], text, known)
    parts = text.split(PART_SEPARATOR)
    if len(parts) > len(field.parts):
        raise UnfitValue(
            f"wanted {field.values} behind '{field.name}:', got {len(parts)} parts: "
            f"{quote_name(text)}."
        )
    values = []
    for set_name, part in zip(field.parts, parts, strict=False):
        values.append(_read_part(field, set_name, part.strip(), known))
    return PART_SEPARATOR.join(values)


def _read_part(field: FieldDefinition, set_name: str, text: str, known: KnownValues) -> str:
    value = field.normalize(text)
    if not value.strip():
        raise UnfitValue(f"wanted {field.values} behind '{field.name}:', got nothing.")
    if set_name not in known:
        return value
    return _find_known(set_name, value, known[set_name])


def _find_known(set_name: str, value: str, choices: Iterable[str]) -> str:
    """Return the choice that the value is, whatever its case."""
    by_folded = {normalize_text(choice): choice for choice in sorted(choices)}
    if value in choices:
        return value
    folded = normalize_text(value)
    if folded in by_folded:
        return by_folded[folded]
    raise UnfitValue(f"no {set_name} {quote_name(value)}; {suggestion(value, by_folded.values())}")
