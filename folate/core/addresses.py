"""Addresses of hosts, web servers and mailboxes as a person types them, checked before anything is asked of a network.

No message repeats an address: that of a webhook can be a secret.
"""

import re
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import getaddresses
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_NAME = re.compile(
    r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
)  # a label of a host name (RFC 1123), with the underscore that networks allow
_LONGEST_NAME = 253  # characters of a host name
_TOKEN = re.compile(r"[!-~]+")
PORTS = range(1, 65_536)


def normalize_host(text: str) -> str:
    """Give the host as ASCII: a name (RFC 1123, other scripts by IDNA) or an IP address without brackets. Raises ValueError."""
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError("a host without spaces or line breaks")
    try:
        return str(ip_address(text))
    except ValueError:
        pass  # then it is a name
    try:
        name = text.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError("a host whose parts have 1 to 63 characters") from error
    labels = name.removesuffix(".").split(".")
    if len(name) > _LONGEST_NAME or not all(_NAME.fullmatch(label) for label in labels):
        raise ValueError("a host such as example.org or 127.0.0.1")
    return name


def parse_web_address(text: str) -> SplitResult:
    """Take apart an http or https address that can be asked for as it stands, its host as ASCII. Raises ValueError."""
    if re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise ValueError("an address without spaces, line breaks or backslashes")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError("an address whose host and port can be read") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address with http or https and a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("an address without a user or password, a token by 'token_variable'")
    if port is not None and port not in PORTS:
        raise ValueError("a port from 1 to 65535")
    if not (parts.path + parts.query).isascii():
        raise ValueError("other letters than ASCII in path and query percent-encoded")
    host = normalize_host(parts.hostname)
    shown = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=shown + (f":{port}" if port else ""))


def parse_mailbox(text: str) -> Address:
    """Read `name <a@b>` or `a@b`, the domain as ASCII. Raises ValueError.

    An encoded word (RFC 2047) is refused: Python decodes it when the mail is written, line breaks too (CVE-2024-6923).
    """
    if not text.isprintable() or "=?" in text:
        raise ValueError("an address without line breaks or encoded words")
    try:
        ((name, spec),) = getaddresses([text])
        read = Address(name, addr_spec=spec)
    except (ValueError, IndexError, HeaderParseError) as error:
        raise ValueError("one address with a user, @ and a domain") from error
    if not read.username or not read.domain:
        raise ValueError("one address with a user, @ and a domain")
    domain = read.domain if read.domain.startswith("[") else normalize_host(read.domain)
    return Address(name, read.username, domain)


def is_bearer_token(text: str) -> bool:
    """Whether `text` can stand in an HTTP header as a bearer token: visible ASCII without spaces."""
    return _TOKEN.fullmatch(text) is not None
