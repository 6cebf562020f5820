"""Scrapy's settings for one source."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crawlers.politeness import MAX_REDIRECTS
from folate.core.config import CrawlConfig, Source

MAX_RESPONSE_BYTES = 10 * 2**20
RETRY_STATUS_CODES = [
    408,
    418,
    429,
    432,
    500,
    502,
    503,
    504,
    522,
    524,
]  # 418 and 432 are Weibo's "too many requests"


def scrapy_settings(
    source: Source, crawling: CrawlConfig, caches: Sequence[Path]
) -> dict[str, Any]:
    """One request at a time, `source.delay` seconds apart at least, slower when the server is slow; cookies off.

    Of `caches`, the first folder is written to, and all are read.
    """
    headers = {
        "Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8",
        "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8",
    }
    return {
        "USER_AGENT": crawling.user_agent,
        "ROBOTSTXT_USER_AGENT": crawling.user_agent.split("/")[0],
        "DEFAULT_REQUEST_HEADERS": headers
        | ({"From": crawling.contact} if crawling.contact else {}),
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
        "URLLENGTH_LIMIT": 0,  # the spider leaves such addresses out, and says so
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
            "crawlers.politeness.FewPackings": 595,  # before they are unpacked
            "crawlers.politeness.Backoff": 550,
            "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": 545,  # behind decompression: walls are looked for
            "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
            "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,  # StayOnSite, which tells the spider
        },
        "EXTENSIONS": {
            "crawlers.politeness.Throttle": 0,
            "scrapy.extensions.throttle.AutoThrottle": None,
        },
        "TELNETCONSOLE_ENABLED": False,
        "LOG_LEVEL": "INFO",
    }
