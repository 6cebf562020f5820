"""Pages to posts, without requests: what the spiders use while crawling and `crawlers.reparse` uses afterwards."""

from collections.abc import Callable

from crawlers.parse import forum, microblog, reviews
from crawlers.parse.page import Context, Page, Parsed, Site

READERS: dict[str, Callable[[Page, Site, Context], Parsed]] = {
    "forum": forum.read,
    "microblog": microblog.read,
    "reviews": reviews.read,
}
"""By the `spider` key of a source."""
