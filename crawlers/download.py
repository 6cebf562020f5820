"""Scrapy's HTTP/1.1 download handler with a limit on the size of response headers.

DOWNLOAD_MAXSIZE limits bodies only: headers without an end would fill the memory until the timeout.
"""

from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
)
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadFailedError
from twisted.python.failure import Failure
from twisted.web._newclient import HEADER, STATUS

MAX_HEADER_BYTES = 256 * 2**10  # of status line and headers; browsers stop at 256 KiB, too


class BoundedHeaderProtocol(_LenientHTTP11ClientProtocol):  # type: ignore[misc]
    """Aborts a response with more than MAX_HEADER_BYTES of headers."""

    header_bytes = 0  # received so far, of the current headers

    def dataReceived(self, data: bytes) -> None:
        """Process received bytes; abort when the headers are too long."""
        if self._parser is None or self._parser.state not in (STATUS, HEADER):
            self.header_bytes = 0
        else:
            self.header_bytes += len(data)
        if self.header_bytes > MAX_HEADER_BYTES:
            self._giveUp(
                Failure(DownloadFailedError(f"more than {MAX_HEADER_BYTES} bytes of headers"))
            )
        else:
            super().dataReceived(data)


class BoundedHeaderClientFactory(_LenientHTTP11ClientFactory):  # type: ignore[misc]
    """Builds a BoundedHeaderProtocol for every connection."""

    def buildProtocol(self, addr: object) -> BoundedHeaderProtocol:
        """Return the protocol of a new connection."""
        return BoundedHeaderProtocol(self._quiescentCallback)


class DownloadHandler(HTTP11DownloadHandler):  # type: ignore[misc]
    """The handler that `crawlers.settings` configures."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool._factory = BoundedHeaderClientFactory
