"""The one record that crosses every border: a post, as published. Missing is None, never zero or an empty string."""

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
    """One thing that one author published once. Times are aware and in UTC; counts are >= 0 or missing."""

    id: str  # `source:native id`, stable across crawls: the key of the upsert
    source: str  # the name of the source in folate.toml
    kind: PostKind
    text: str  # as published
    published_at: datetime
    precision: TimePrecision = "second"  # forums say "3 天前"
    url: str | None = None
    thread: str | None = None  # id of the discussion
    parent: str | None = None  # id of the post answered or reposted
    author: str | None = None  # keyed hash (see `pseudonyms`), never a name
    followers: int | None = None
    verified: bool | None = None
    fetched_at: datetime | None = None
    crawl: str | None = None  # which crawl run, or which import
    title: str | None = None
    language: str | None = None  # set by nlp, or as the source says
    subject: str | None = None  # the product or shop that the page is about, when it says so
    rating: float | None = None  # as a share of the best possible one: 4 of 5 stars is 0.8
    likes: int | None = None
    replies: int | None = None
    reposts: int | None = None
    views: int | None = None
    place: str | None = None  # province or country as the site shows it (IP 属地)

    def __post_init__(self) -> None:
        for name in _TEXTS:
            if isinstance(value := getattr(self, name), str):
                object.__setattr__(self, name, repair_surrogates(value))
        for problem in _problems(self):
            raise InputError(f"post {self.id!r}: {problem}.")

    @property
    def body(self) -> str:
        """What nlp reads: the title, if any, a line break, and the text. Mention offsets count its code points."""
        return post_body(self.title, self.text)

    @property
    def text_hash(self) -> str:
        """Digest of the body and the subject: an annotation belongs to what it was made of."""
        return hash_text(self.body, self.subject)

    def to_json(self) -> str:
        """One line of JSON; missing fields are left out."""
        present = {f.name: getattr(self, f.name) for f in fields(self)}
        return json.dumps(
            {k: _plain(v) for k, v in present.items() if v is not None}, ensure_ascii=False
        )

    @classmethod
    def from_json(cls, line: str) -> "Post":
        """The inverse of `to_json`. Raises InputError."""
        try:
            values = json.loads(line)
        except (
            ValueError,
            RecursionError,
        ) as error:  # ValueError: no JSON, or a number of thousands of digits
            raise InputError(
                f"wanted one JSON object a line, got {line[:60]!r} ({error})."
            ) from error
        if not isinstance(values, dict):
            raise InputError(f"wanted one JSON object a line, got {line[:60]!r}.")
        return cls.from_dict(values)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Post":
        """A post from plain values; times may be ISO 8601 strings. Raises InputError on unknown or missing fields."""
        unknown = values.keys() - {f.name for f in fields(cls)}
        if unknown:
            raise InputError(
                f"a post has no field {sorted(unknown)[0]!r}; possible: {', '.join(POST_FIELDS)}."
            )
        missing = REQUIRED_FIELDS - {k for k, v in values.items() if v is not None}
        if missing:
            raise InputError(
                f"a post needs {', '.join(sorted(missing))}; got {', '.join(sorted(values))}."
            )
        return cls(**{k: _moment(v) if k in _TIMES else v for k, v in values.items()})


POST_FIELDS: tuple[str, ...] = tuple(f.name for f in fields(Post))
REQUIRED_FIELDS = frozenset({"id", "source", "kind", "text", "published_at"})
COUNT_FIELDS = ("followers", "likes", "replies", "reposts", "views")
VALID_YEARS = (1970, 2200)  # nothing was posted before; a date beyond is a fault of reading
_TIMES = frozenset({"published_at", "fetched_at"})
_TEXTS = (
    "id", "source", "kind", "text", "precision", "url", "thread", "parent", "author", "crawl", "title", "language", "subject", "place",
)  # fmt: skip
_LONGEST_NAME = 255  # bytes, of a file or folder
_NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"  # where Delta keeps rows without a source


def repair_surrogates(text: Text) -> Text:
    """Text that UTF-8 can hold: surrogate pairs joined, lone surrogates (half an emoji, cut by a site) become U+FFFD."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def source_name_problem(name: str) -> str | None:
    """Why no source can have this name, or None: ids begin with it and the store keeps its posts in the folder `source=name`."""
    if any(char in ":/" or category(char) == "Cc" for char in name):
        return f"wanted a source name without ':', '/' and control characters, got {name[:60]!r}"
    if name in ("", ".", "..", _NO_PARTITION):
        return f"wanted a name for a source, got {name!r}"
    if (length := len(f"source={quote(repair_surrogates(name), safe='')}")) > _LONGEST_NAME:
        return f"wanted a source name whose folder has at most {_LONGEST_NAME} bytes, percent-encoded, got {length}: {name[:60]!r}"
    return None


def post_body(title: str | None, text: str) -> str:
    return f"{title}\n{text}" if title else text


def hash_text(body: str, subject: str | None = None) -> str:
    """Digest of a body and of the subject that says which brand a page is about, 16 hex digits."""
    digest = blake2b(body.encode("utf-8", "surrogatepass"), digest_size=8)
    if subject:
        digest.update(
            b"\xff" + subject.encode("utf-8", "surrogatepass")
        )  # UTF-8 has no such byte: body and subject stay apart
    return digest.hexdigest()


def make_pseudonymizer(salt: str) -> Pseudonymizer:
    """A keyed, one-way name for authors: the same person on one source always gets the same 16 hex digits.

    The salt lives in the project folder. Without it a hash can't be traced back by trying names.
    """
    key = blake2b(salt.encode(), digest_size=32).digest()

    def pseudonym(source: str, native: str) -> str:
        person = f"{len(source)}:{source}:{native}"  # the length keeps ("a", "b:c") and ("a:b", "c") apart
        return blake2b(person.encode("utf-8", "surrogatepass"), key=key, digest_size=8).hexdigest()

    return pseudonym


def _problems(post: Post) -> list[str]:
    for name in _TEXTS:
        value = getattr(post, name)
        if not isinstance(value, str) and (value is not None or name in REQUIRED_FIELDS):
            return [f"wanted {name} to be a text, got {value!r}"]
    found = []
    if not post.id.startswith(f"{post.source}:") or len(post.id) == len(post.source) + 1:
        found.append(f"wanted an id of the form {post.source}:native-id")
    if post.kind not in POST_KINDS:
        found.append(f"wanted a kind among {', '.join(POST_KINDS)}, got {post.kind!r}")
    if post.precision not in TIME_PRECISIONS:
        found.append(
            f"wanted a precision among {', '.join(TIME_PRECISIONS)}, got {post.precision!r}"
        )
    for name in _TIMES:
        moment = getattr(post, name)
        if moment is not None and (not isinstance(moment, datetime) or moment.utcoffset() is None):
            found.append(f"wanted {name} with a time zone, got {moment!r}")
        elif moment is not None and not VALID_YEARS[0] <= moment.year < VALID_YEARS[1]:
            found.append(
                f"wanted {name} in the years {VALID_YEARS[0]} to {VALID_YEARS[1] - 1}, got {moment.isoformat()}"
            )
    if post.rating is not None and not (math.isfinite(post.rating) and 0 <= post.rating <= 1):
        found.append(f"wanted a rating from 0 to 1, got {post.rating!r}")
    for name in COUNT_FIELDS:
        count = getattr(post, name)
        if count is not None and (not isinstance(count, int) or count < 0):
            found.append(f"wanted {name} to be a count, got {count!r}")
    return found


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise InputError(f"wanted an ISO 8601 time, got {value!r}.") from error


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
