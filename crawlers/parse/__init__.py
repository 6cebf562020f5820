"""Pages to posts, without requests: what the spiders use while crawling and `crawlers.reparse` uses afterwards."""

from collections.abc import Callable

from crawlers.parse import forum, microblog, reviews
from crawlers.parse.page import Page, ParsedPage, RequestContext, SourceInfo

PARSERS: dict[str, Callable[[Page, SourceInfo, RequestContext], ParsedPage]] = {
    "forum": forum.parse_forum_page,
    "microblog": microblog.parse_microblog_page,
    "reviews": reviews.parse_review_page,
}
"""By the `spider` key of a source."""
