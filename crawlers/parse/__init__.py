"""Parsers of pages, without requests: used by the spiders, and later by `crawlers.reparse`."""

from collections.abc import Callable

from crawlers.parse import forum, microblog, reviews
from crawlers.parse.page import Page, ParsedPage, RequestContext, SourceInfo

PARSERS: dict[str, Callable[[Page, SourceInfo, RequestContext], ParsedPage]] = {
    "forum": forum.parse_forum_page,
    "microblog": microblog.parse_microblog_page,
    "reviews": reviews.parse_review_page,
}
"""The parsers by the `spider` key of a source."""
