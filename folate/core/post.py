"""The record of a post, which every part of Folate shares. A missing value is None."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Literal, TypeVar, get_args
from unicodedata import category
from urllib.parse import quote

from folate.core.errors import InputError

PostKind = Literal["forum", "microblog", "review", "qa", "blog", "news", "call"]
TimePrecision = Literal["second", "minute", "hour", "day"]
POST_KINDS: tuple[str, ...] = get_args(PostKind)
TIME_PRECISIONS: tuple[str, ...] = get_args(TimePrecision)

Text = TypeVar("Text", str, str | None)
Pseudonymizer = Callable[[str, str], str]
"""(source, native author id) -> keyed hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One publication of one author. Times are aware and in UTC; counts are >= 0 or None."""

    # `source:native id`, stable across crawls: the key of the upsert.
    id: str
    # The name of the source in folate.toml.
    source: str
    kind: PostKind
    # As published.
    text: str
    published_at: datetime
    # Of `published_at`: forums write "3 天前".
    precision: TimePrecision = "second"
    url: str | None = None
    # Id of the discussion.
    thread: str | None = None
    # Id of the post that this one answers or reposts.
    parent: str | None = None
    # Keyed hash (see `make_pseudonymizer`), never a name.
    author: str | None = None
    followers: int | None = None
    verified: bool | None = None
    fetched_at: datetime | None = None
    # The run of a crawl, or the import.
    crawl: str | None = None
    title: str | None = None
    # As the source states it.
    language: str | None = None
    # The product or shop that the page is about, if it is stated.
    subject: str | None = None
    # As a share of the best possible rating: 4 of 5 stars is 0.8.
    rating: float | None = None
    likes: int | None = None
    replies: int | None = None
    reposts: int | None = None
    views: int | None = None
    # Province or country as the site shows it (IP 属地).
    place: str | None = None

    def __post_init__(self) -> None:
        for name in _TEXT_FIELDS:
            value = getattr(self, name)
            if isinstance(value, str):
                object.__setattr__(self, name, repair_surrogates(value))
        for problem in _find_problems(self):
            raise InputError(f"post {self.id!r}: {problem}.")

    @property
    def body(self) -> str:
        """The title, if any, a line break, and the text: spans of mentions are offsets in it."""
        return post_body(self.title, self.text)

    @property
    def text_hash(self) -> str:
        """Digest of the body and the subject, the input of annotations."""
        return hash_text(self.body, self.subject)

    def to_json(self) -> str:
        """Serialize as one line of JSON, without missing fields."""
        values = {}
        for name in POST_FIELDS:
            value = getattr(self, name)
            if value is not None:
                values[name] = _to_json_value(value)
        return json.dumps(values, ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> "Post":
        """Parse the output of `to_json`. Raises InputError."""
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            # ValueError: not JSON, or a number of thousands of digits.
            raise InputError(
                f"wanted one JSON object a line, got {line[:60]!r} ({error})."
            ) from error
        if not isinstance(values, dict):
            raise InputError(f"wanted one JSON object a line, got {line[:60]!r}.")
        return cls.from_dict(values)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Post":
        """Make a post of plain values; times may be ISO 8601 strings.

        Raises InputError for unknown or missing fields.
        """
        unknown = values.keys() - set(POST_FIELDS)
        if unknown:
            raise InputError(
                f"a post has no field {sorted(unknown)[0]!r}; possible: {', '.join(POST_FIELDS)}."
            )
        missing = REQUIRED_FIELDS - {name for name, value in values.items() if value is not None}
        if missing:
            raise InputError(
                f"a post needs {', '.join(sorted(missing))}; got {', '.join(sorted(values))}."
            )
        parsed = {}
        for name, value in values.items():
            parsed[name] = _parse_time(value) if name in _TIME_FIELDS else value
        return cls(**parsed)


POST_FIELDS: tuple[str, ...] = tuple(f.name for f in fields(Post))
REQUIRED_FIELDS = frozenset({"id", "source", "kind", "text", "published_at"})
COUNT_FIELDS = ("followers", "likes", "replies", "reposts", "views")
VALID_YEARS = (1970, 2200)
"""First year of a date of a post, and the first one after the last: others are errors."""

_TIME_FIELDS = frozenset({"published_at", "fetched_at"})
_TEXT_FIELDS = (
    "id",
    "source",
    "kind",
    "text",
    "precision",
    "url",
    "thread",
    "parent",
    "author",
    "crawl",
    "title",
    "language",
    "subject",
    "place",
)
# Bytes of the name of a file or folder.
_MAX_NAME_BYTES = 255
# The partition in which Delta stores rows without a source.
_DEFAULT_PARTITION = "__HIVE_DEFAULT_PARTITION__"


def repair_surrogates(text: Text) -> Text:
    """Make text valid for UTF-8: join surrogate pairs, replace lone surrogates by U+FFFD.

    A lone surrogate is half of an emoji that a site cut.
    """
    if text is None or text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def source_name_problem(name: str) -> str | None:
    """Return why no source can have this name; None for a valid one.

    Ids begin with the name, and the store has a folder `source=name`.
    """
    if any(char in ":/" or category(char) == "Cc" for char in name):
        return f"wanted a source name without ':', '/' and control characters, got {name[:60]!r}"
    if name in ("", ".", "..", _DEFAULT_PARTITION):
        return f"wanted a name for a source, got {name!r}"
    folder = f"source={quote(repair_surrogates(name), safe='')}"
    if len(folder) > _MAX_NAME_BYTES:
        return (
            f"wanted a source name whose folder has at most {_MAX_NAME_BYTES} bytes, "
            f"percent-encoded, got {len(folder)}: {name[:60]!r}"
        )
    return None


def post_body(title: str | None, text: str) -> str:
    return f"{title}\n{text}" if title else text


def hash_text(body: str, subject: str | None = None) -> str:
    """Compute the digest of a body and the subject of its page: 16 hexadecimal digits."""
    digest = blake2b(body.encode("utf-8", "surrogatepass"), digest_size=8)
    if subject:
        separator = b"\xff"  # never part of UTF-8
        digest.update(separator + subject.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def make_pseudonymizer(salt: str) -> Pseudonymizer:
    """Make a function that hashes the id of an author on a source as 16 hexadecimal digits.

    The hash is keyed by the salt, which is in the project folder: without it no author can be found
    by trying names.
    """
    key = blake2b(salt.encode(), digest_size=32).digest()

    def pseudonymize(source: str, native_id: str) -> str:
        # The length distinguishes ("a", "b:c") from ("a:b", "c").
        author = f"{len(source)}:{source}:{native_id}"
        return blake2b(author.encode("utf-8", "surrogatepass"), key=key, digest_size=8).hexdigest()

    return pseudonymize


def _find_problems(post: Post) -> list[str]:
    for name in _TEXT_FIELDS:
        value = getattr(post, name)
        if not isinstance(value, str) and (value is not None or name in REQUIRED_FIELDS):
            return [f"wanted {name} to be a text, got {value!r}"]
    problems = []
    if not post.id.startswith(f"{post.source}:") or len(post.id) == len(post.source) + 1:
        problems.append(f"wanted an id of the form {post.source}:native-id")
    if post.kind not in POST_KINDS:
        problems.append(f"wanted a kind among {', '.join(POST_KINDS)}, got {post.kind!r}")
    if post.precision not in TIME_PRECISIONS:
        problems.append(
            f"wanted a precision among {', '.join(TIME_PRECISIONS)}, got {post.precision!r}"
        )
    for name in _TIME_FIELDS:
        moment = getattr(post, name)
        if moment is not None and (not isinstance(moment, datetime) or moment.utcoffset() is None):
            problems.append(f"wanted {name} with a time zone, got {moment!r}")
        elif moment is not None and not VALID_YEARS[0] <= moment.year < VALID_YEARS[1]:
            problems.append(
                f"wanted {name} in the years {VALID_YEARS[0]} to {VALID_YEARS[1] - 1}, "
                f"got {moment.isoformat()}"
            )
    if post.rating is not None and not (math.isfinite(post.rating) and 0 <= post.rating <= 1):
        problems.append(f"wanted a rating from 0 to 1, got {post.rating!r}")
    for name in COUNT_FIELDS:
        count = getattr(post, name)
        if count is not None and (not isinstance(count, int) or count < 0):
            problems.append(f"wanted {name} to be a count, got {count!r}")
    return problems


def _parse_time(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise InputError(f"wanted an ISO 8601 time, got {value!r}.") from error


def _to_json_value(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
