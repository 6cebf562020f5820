"""The input and output of parsers: a page and its source; posts, dropped items and links."""

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

_SESSION_PARAMETER = re.compile(r"(?:^|&)(?:sid|s|phpsessid|jsessionid)=[0-9a-f]{16,}", re.I)
_JSONP_CALL = re.compile(r"[\w.$]++\(")  # JSONP: a function's name before the JSON
_END_TAG = re.compile(r"</(?:body|html)\s*>", re.I)  # browsers read on after it, libxml2 does not
_PAGELET_TAG = '<code class="pagelet_html"'  # Tieba puts lists inside of comments in such elements
NESTING_PROBLEM = "a page nests too deeply to be read in full"
_BYTE_RUN = re.compile(rb"[^<>\r\n]+")  # no encoding uses the excluded bytes within a character
_UTF16_SAMPLE_BYTES = 10_000  # in which UTF-16 is recognized
_ESCAPE_ENCODINGS = (
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
"""Plain values of a request: `role` (the kind of page), `query`, and what else its parser needs."""


@dataclass(frozen=True)
class Page:
    """One response of a server."""

    # The address after redirects.
    url: str
    body: bytes
    # When the response was fetched from the server, not from a cache.
    fetched_at: datetime
    # The Content-Type header; empty when there was none.
    content_type: str = ""

    @property
    def text(self) -> str:
        """Return the decoded body; empty when its encoding is unknown, see `decoding_problem`."""
        return self._decoded_text[0]

    @property
    def decoding_problem(self) -> str | None:
        """Return why the page has a body but no text, or None."""
        return self._decoded_text[1]

    @cached_property
    def _decoded_text(self) -> tuple[str, str | None]:
        declared_name = http_content_type_encoding(self.content_type)
        declared_name = declared_name or html_body_declared_encoding(self.body)
        declared = encoding.canonical_encoding(declared_name) if declared_name else None
        try:
            text = self.body.decode(_detect_encoding(self.body, declared), "replace")
        except encoding.UnknownEncodingError:
            return "", f"encoding can't be told (declared: {declared or 'none that is known'})"
        return text.removeprefix("\ufeff"), None

    @property
    def tree(self) -> html.HtmlElement:
        """Return the root element of the page; an empty element for a body without markup."""
        return self._parsed_document[0]

    @property
    def too_deep(self) -> bool:
        """Return whether the page nests so deeply that a part of it may be lost."""
        return self._parsed_document[1]

    @cached_property
    def _parsed_document(self) -> tuple[html.HtmlElement, bool]:
        return parse_html(_uncomment_pagelets(_END_TAG.sub("", self.text)))

    @cached_property
    def json(self) -> Any:
        """Return the parsed JSON or JSONP body; None when it is neither, as an error page."""
        try:
            return json.loads(_unwrap_jsonp(self.text))
        except (ValueError, RecursionError):  # ValueError also for numbers of thousands of digits
            return None

    def absolute_url(self, href: str | None, *, keep_fragment: bool = False) -> str | None:
        """Return `href` as an absolute address without session id.

        Returns None without an address of http or https. A fragment names a post, not a page; it
        is removed unless `keep_fragment` is set.
        """
        if not href:
            return None
        try:
            url_parts = urlsplit(urljoin(self.url, href.strip()))
        except ValueError:
            return None
        if url_parts.scheme not in ("http", "https") or not url_parts.netloc:
            return None
        return urlunsplit(
            url_parts._replace(
                query=_SESSION_PARAMETER.sub("", url_parts.query),
                fragment=url_parts.fragment if keep_fragment else "",
            )
        )


def _unwrap_jsonp(text: str) -> str:
    """Return the argument of a JSONP call; any other text is returned unchanged."""
    text = text.strip()
    call = text.removesuffix(";").rstrip()
    opening = _JSONP_CALL.match(call)
    return call[opening.end() : -1] if opening and call.endswith(")") else text


def _uncomment_pagelets(text: str) -> str:
    """Return a page with the contents of Tieba's pagelets taken out of their comments."""
    before, *pagelets = text.split(_PAGELET_TAG)
    return _PAGELET_TAG.join([before, *map(_uncomment_pagelet, pagelets)])


def _uncomment_pagelet(pagelet: str) -> str:
    """Return the text after a pagelet's tag name, without the delimiters of its comment."""
    attributes, comment_start, remainder = pagelet.partition("><!--")
    markup, comment_end, after = remainder.partition("-->")
    if not comment_start or not comment_end or ">" in attributes:
        return pagelet
    return f"{attributes}>{markup}{after}"


def _detect_encoding(body: bytes, declared: str | None) -> str:
    """Return the encoding of a page: of its byte order mark, else detected from its bytes.

    The declared encoding decides where the bytes fit several. Raises UnknownEncodingError.
    """
    marked = encoding.encoding_from_bom(body)
    if marked:
        return marked
    sample = body[:_UTF16_SAMPLE_BYTES]
    utf16 = encoding.detect_utf16_without_bom(sample) if b"\0" in sample else None
    if utf16:
        return utf16
    if body.isascii() and declared in _ESCAPE_ENCODINGS and encoding.can_decode(body, declared):
        return declared
    return encoding.detect_text_encoding(_BYTE_RUN.findall(body), declared)


@dataclass(frozen=True)
class SourceInfo:
    """The source of a page, as far as its parser must know it."""

    # The source's name.
    source: str
    # The kind of its posts.
    kind: str
    # IANA time zone of dates shown without an offset.
    timezone: str
    crawl_id: str
    pseudonym: Pseudonymizer

    def author_pseudonym(self, native_id: str | None) -> str | None:
        """Return the keyed hash of a native author id; None without an id."""
        return self.pseudonym(self.source, native_id) if native_id else None

    def resolve_date(
        self, date_texts: Iterable[str | None], fetched_at: datetime, order: DateOrder | None = None
    ) -> TimestampWithPrecision | str:
        """Return the first date in texts that may contain one, or the reason of a DroppedItem.

        `order` is the order of day and month on the page, see `infer_date_order`.
        """
        reason = "no date"
        for text in date_texts:
            try:
                timestamp = find_date(text, self.timezone, fetched_at, order)
            except DateError:
                reason = "unreadable date" if reason == "no date" else reason
                continue
            if timestamp is None:
                continue
            reject_reason = date_reject_reason(timestamp[0], fetched_at)
            if reject_reason is None:
                return timestamp
            reason = reject_reason
        return reason


def infer_date_order(dates: Iterable[str | None], fetched_at: datetime) -> DateOrder | None:
    """Return the order of day and month that the dates of one page imply together, or None."""
    evidence = DateOrderEvidence()
    for text in dates:
        evidence.add_value(text, fetched_at)
    return evidence.order


@dataclass(frozen=True)
class DroppedItem:
    """An item of a page that did not become a post. It never contains a name or a text."""

    reason: str
    # The native id, where the page shows one.
    id: str | None = None


@dataclass(frozen=True)
class Link:
    """A page to request next."""

    url: str
    context: RequestContext


@dataclass
class ParsedPage:
    """All results of parsing one page."""

    posts: list[Post] = field(default_factory=list)
    dropped: list[DroppedItem] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    # What could not be read, in the words of the ledger.
    problems: list[str] = field(default_factory=list)
    # The total number of posts that the site reports.
    reported_total: int | None = None
    # Native ids of the posts that this page lists, with the dropped ones.
    listed_ids: list[str] = field(default_factory=list)

    def add_post(self, source_info: SourceInfo, native_id: str, **fields: Any) -> None:
        """Add a post with the given fields; when Post rejects them, add a dropped item."""
        try:
            self.posts.append(
                Post(
                    id=f"{source_info.source}:{native_id}",
                    source=source_info.source,
                    kind=source_info.kind,  # type: ignore[arg-type]
                    crawl=source_info.crawl_id,
                    **fields,
                )
            )
        except InputError:
            self.dropped.append(DroppedItem("not a valid post", native_id))
