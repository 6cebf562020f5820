"""Scrapy's download over HTTP/1.1, with a bound on what a server may send before the body.

DOWNLOAD_MAXSIZE bounds bodies only: headers without an end would fill the memory until the timeout.
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

MAX_HEADER_BYTES = 256 * 2**10  # bytes of status line and headers; browsers stop at 256 KiB, too


class BoundedHeaderProtocol(_LenientHTTP11ClientProtocol):  # type: ignore[misc]
    """Gives up on an answer whose headers do not end."""

    head = 0  # bytes of the headers that are being received

    def dataReceived(self, data: bytes) -> None:
        if self._parser is None or self._parser.state not in (STATUS, HEADER):
            self.head = 0
        else:
            self.head += len(data)
        if self.head > MAX_HEADER_BYTES:
            self._giveUp(
                Failure(DownloadFailedError(f"more than {MAX_HEADER_BYTES} bytes of headers"))
            )
        else:
            super().dataReceived(data)


class BoundedHeaderClientFactory(_LenientHTTP11ClientFactory):  # type: ignore[misc]
    """Builds `Protocol`."""

    def buildProtocol(self, addr: object) -> BoundedHeaderProtocol:
        return BoundedHeaderProtocol(self._quiescentCallback)


class DownloadHandler(HTTP11DownloadHandler):  # type: ignore[misc]
    """The handler that settings name."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool._factory = BoundedHeaderClientFactory
