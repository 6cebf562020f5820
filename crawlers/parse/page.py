"""What a parser is given, and what it gives back: a page in; posts, what was dropped, and where to go next out."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from lxml import html
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding

from crawlers.parse.document import parse_html
from folate.core import encoding
from folate.core.dates import (
    DateError,
    DateOrder,
    DateOrderEvidence,
    TimestampWithPrecision,
    date_reject_reason,
    find_date,
)
from folate.core.errors import InputError
from folate.core.post import Post, Pseudonymizer

_SESSION = re.compile(r"(?:^|&)(?:sid|s|phpsessid|jsessionid)=[0-9a-f]{16,}", re.I)
_CALL = re.compile(r"[\w.$]++\(")  # JSONP: a function's name before the JSON
_END = re.compile(r"</(?:body|html)\s*>", re.I)  # browsers read on behind it, libxml2 does not
_PAGELET = '<code class="pagelet_html"'  # Tieba ships its lists inside comments in such elements
NESTING_PROBLEM = "a page nests too deeply to be read in full"
_PIECE = re.compile(rb"[^<>\r\n]+")  # no encoding has these bytes within a character
_START = 10_000  # bytes by which UTF-16 is told
_ESCAPING = (
    "iso2022_jp",
    "iso2022_jp_1",
    "iso2022_jp_2",
    "iso2022_jp_3",
    "iso2022_jp_2004",
    "iso2022_jp_ext",
    "iso2022_kr",
    "hz",
)

RequestContext = Mapping[str, Any]
"""Plain values that travel with a request: `role` (what kind of page it asks for), `query`, and what else its parser needs."""


@dataclass(frozen=True)
class Page:
    """One answer of a server. `url` is where it came from after redirects, `fetched_at` when it left the server."""

    url: str
    body: bytes
    fetched_at: datetime
    content_type: str = ""

    @property
    def text(self) -> str:
        """The body decoded in the encoding that its bytes show; empty where that can't be told (see `problem`)."""
        return self._decoded[0]

    @property
    def decoding_problem(self) -> str | None:
        """Why the page has no text although it has a body, or None."""
        return self._decoded[1]

    @cached_property
    def _decoded(self) -> tuple[str, str | None]:
        declared = http_content_type_encoding(self.content_type) or html_body_declared_encoding(
            self.body
        )
        name = encoding.canonical_encoding(declared) if declared else None
        try:
            text = self.body.decode(_encoding(self.body, name), "replace")
        except encoding.UnknownEncodingError:
            return "", f"encoding can't be told (declared: {name or 'none that is known'})"
        return text.removeprefix("\ufeff"), None

    @property
    def tree(self) -> html.HtmlElement:
        """The parsed page; an empty element for a body that holds none."""
        return self._document[0]

    @property
    def too_deep(self) -> bool:
        """Whether the page nests so deeply that something of it may be lost."""
        return self._document[1]

    @cached_property
    def _document(self) -> tuple[html.HtmlElement, bool]:
        return parse_html(_uncommented(_END.sub("", self.text)))

    @cached_property
    def json(self) -> Any:
        """The body as JSON, out of the call that JSONP wraps it in, or None when it is something else (an error page, a captcha)."""
        try:
            return json.loads(_unwrapped(self.text))
        except (
            ValueError,
            RecursionError,
        ):  # ValueError: no JSON, or a number of thousands of digits
            return None

    def absolute_url(self, href: str | None, *, keep_fragment: bool = False) -> str | None:
        """`href` as a whole address without session id; None without one, or when it is not http or https.

        Its fragment is kept on demand: it names a post, not a page.
        """
        if not href:
            return None
        try:
            parts = urlsplit(urljoin(self.url, href.strip()))
        except ValueError:
            return None
        if parts.scheme not in ("http", "https") or not parts.netloc:
            return None
        return urlunsplit(
            parts._replace(
                query=_SESSION.sub("", parts.query),
                fragment=parts.fragment if keep_fragment else "",
            )
        )


def _unwrapped(text: str) -> str:
    """The argument of the call that `text` is, or `text` when it is none."""
    text = text.strip()
    call = text.removesuffix(";").rstrip()
    opening = _CALL.match(call)
    return call[opening.end() : -1] if opening and call.endswith(")") else text


def _uncommented(text: str) -> str:
    """`text` with the contents of Tieba's pagelets out of the comments that hold them."""
    before, *pagelets = text.split(_PAGELET)
    return _PAGELET.join([before, *map(_opened, pagelets)])


def _opened(pagelet: str) -> str:
    """What follows the name of a pagelet's tag, without the comment's signs."""
    tag, closed, rest = pagelet.partition("><!--")
    markup, ended, after = rest.partition("-->")
    return f"{tag}>{markup}{after}" if closed and ended and ">" not in tag else pagelet


def _encoding(body: bytes, declared: str | None) -> str:
    """The encoding of a page: its mark, else what its bytes show, the declared one where they leave a choice.

    Raises UnknownEncodingError.
    """
    if marked := encoding.encoding_from_bom(body):
        return marked
    if b"\0" in body[:_START] and (wide := encoding.detect_utf16_without_bom(body[:_START])):
        return wide
    if body.isascii() and declared in _ESCAPING and encoding.can_decode(body, declared):
        return declared
    return encoding.detect_text_encoding(_PIECE.findall(body), declared)


@dataclass(frozen=True)
class SourceInfo:
    """What a parser must know of the source whose page it reads."""

    source: str
    kind: str
    timezone: str  # IANA name, of dates shown without an offset
    crawl_id: str
    pseudonym: Pseudonymizer

    def author_pseudonym(self, native: str | None) -> str | None:
        """The keyed hash of a native author id; None for nobody."""
        return self.pseudonym(self.source, native) if native else None

    def resolve_date(
        self, shown: Iterable[str | None], fetched_at: datetime, order: DateOrder | None = None
    ) -> TimestampWithPrecision | str:
        """The first date of texts that may tell one, or why there is none: the reason of a Dropped.

        `order` is that of day and month on the page (see `order_shown`).
        """
        reason = "no date"
        for text in shown:
            try:
                moment = find_date(text, self.timezone, fetched_at, order)
            except DateError:
                reason = "unreadable date" if reason == "no date" else reason
                continue
            if moment is None:
                continue
            if refused := date_reject_reason(moment[0], fetched_at):
                reason = refused
                continue
            return moment
        return reason


def infer_date_order(dates: Iterable[str | None], fetched_at: datetime) -> DateOrder | None:
    """The order of day and month that the dates of one page show together; None when they don't."""
    evidence = DateOrderEvidence()
    for text in dates:
        evidence.add_value(text, fetched_at)
    return evidence.order


@dataclass(frozen=True)
class DroppedItem:
    """Something on the page that did not become a post, by its native id where it shows one. Never a name or a text."""

    reason: str
    id: str | None = None


@dataclass(frozen=True)
class Link:
    """A page to read next."""

    url: str
    context: RequestContext


@dataclass
class ParsedPage:
    """All that one page gives."""

    posts: list[Post] = field(default_factory=list)
    dropped: list[DroppedItem] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    problems: list[str] = field(
        default_factory=list
    )  # what of the page could not be read, as the ledger says it
    reported_total: int | None = None  # how many the site says there are in all
    listed_ids: list[str] = field(
        default_factory=list
    )  # native ids of those that this page lists, dropped ones too

    def add_post(self, site: SourceInfo, native: str, **fields: Any) -> None:
        """Make a Post of `fields`; what Post refuses is counted as dropped."""
        try:
            self.posts.append(
                Post(
                    id=f"{site.source}:{native}",
                    source=site.source,
                    kind=site.kind,  # type: ignore[arg-type]
                    crawl=site.crawl_id,
                    **fields,
                )
            )
        except InputError:
            self.dropped.append(DroppedItem("not a valid post", native))
