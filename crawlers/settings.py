"""Scrapy's settings for the crawl of one source."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crawlers.politeness import MAX_REDIRECTS
from folate.core.config import CrawlConfig, Source

MAX_RESPONSE_BYTES = 10 * 2**20
# 418 and 432 are Weibo's "too many requests".
RETRY_STATUS_CODES = [408, 418, 429, 432, 500, 502, 503, 504, 522, 524]


def scrapy_settings(
    source: Source, crawling: CrawlConfig, caches: Sequence[Path]
) -> dict[str, Any]:
    """Return Scrapy's settings for a source.

    They send one request at a time, at least `source.delay` seconds apart, more slowly when the
    server is slow, and without cookies. The first folder of `caches` is written, all are read.
    """
    headers = {
        "Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8",
        "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8",
    }
    if crawling.contact:
        headers["From"] = crawling.contact
    return {
        "USER_AGENT": crawling.user_agent,
        "ROBOTSTXT_USER_AGENT": crawling.user_agent.split("/")[0],
        "DEFAULT_REQUEST_HEADERS": headers,
        "COOKIES_ENABLED": False,
        "CONCURRENT_REQUESTS": 1,
        "DOWNLOAD_DELAY": source.delay,
        "DOWNLOAD_DELAY_JITTER": 0.0,
        "AUTOTHROTTLE_ENABLED": True,
        "AUTOTHROTTLE_START_DELAY": source.delay,
        "DOWNLOAD_TIMEOUT": crawling.timeout,
        "DOWNLOAD_MAXSIZE": MAX_RESPONSE_BYTES,
        "DOWNLOAD_WARNSIZE": 0,
        "RETRY_TIMES": crawling.retries,
        "RETRY_HTTP_CODES": RETRY_STATUS_CODES,
        "REDIRECT_MAX_TIMES": MAX_REDIRECTS,
        "URLLENGTH_LIMIT": 0,  # the spider skips such addresses and reports them
        "CLOSESPIDER_TIMEOUT": source.hours * 3600,
        "DOWNLOAD_HANDLERS": {
            "http": "crawlers.download.DownloadHandler",
            "https": "crawlers.download.DownloadHandler",
        },
        "HTTPCACHE_ENABLED": crawling.cache_hours > 0,
        "HTTPCACHE_DIRS": [str(folder.resolve()) for folder in caches],
        "HTTPCACHE_STORAGE": "crawlers.politeness.Cache",
        "HTTPCACHE_EXPIRATION_SECS": math.ceil(crawling.cache_hours * 3600),  # 0 would be for ever
        "HTTPCACHE_GZIP": True,
        "HTTPCACHE_IGNORE_HTTP_CODES": list(range(300, 600)),
        "HTTPCACHE_POLICY": "crawlers.politeness.CachePolicy",
        "DOWNLOADER_MIDDLEWARES": {
            "crawlers.politeness.StayOnSite": 50,
            "crawlers.politeness.Robots": 100,
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "crawlers.politeness.ContentEncodingLimit": 595,  # before decompression
            "crawlers.politeness.Backoff": 550,
            # After decompression: pages that block the crawl are recognized by their text.
            "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": 545,
            "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
            # StayOnSite takes its place and reports to the spider.
            "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
        },
        "EXTENSIONS": {
            "crawlers.politeness.Throttle": 0,
            "scrapy.extensions.throttle.AutoThrottle": None,
        },
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "INFO",
    }
