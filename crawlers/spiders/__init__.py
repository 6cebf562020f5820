"""Spiders by the `spider` key of a source.

Imported in the process of a crawl only: importing Scrapy takes half a second.
"""

from crawlers.spiders.base import SourceSpider
from crawlers.spiders.forum import ForumSpider
from crawlers.spiders.microblog import MicroblogSpider
from crawlers.spiders.reviews import ReviewsSpider

SPIDERS: dict[str, type[SourceSpider]] = {
    "forum": ForumSpider,
    "microblog": MicroblogSpider,
    "reviews": ReviewsSpider,
}
