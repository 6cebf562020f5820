"""Validation of hosts, web addresses and mailboxes, without a request to the network.

No error message contains the address: that of a webhook can be a secret.
"""

import re
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import getaddresses
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

# A label of a host name (RFC 1123), with the underscore that networks allow.
_HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_MAX_HOST_LENGTH = 253
_TOKEN = re.compile(r"[!-~]+")
PORTS = range(1, 65_536)


def normalize_host(text: str) -> str:
    """Return a host as ASCII: a name (RFC 1123, IDNA) or an IP address without brackets.

    Raises ValueError with the form that is wanted.
    """
    if re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError("a host without spaces or line breaks")
    try:
        return str(ip_address(text))
    except ValueError:
        pass  # a name
    try:
        name = text.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError("a host whose parts have 1 to 63 characters") from error
    labels = name.removesuffix(".").split(".")
    if len(name) > _MAX_HOST_LENGTH or not all(_HOST_LABEL.fullmatch(label) for label in labels):
        raise ValueError("a host such as example.org or 127.0.0.1")
    return name


def parse_web_address(text: str) -> SplitResult:
    """Split an http or https address that can be requested unchanged; its host becomes ASCII.

    Raises ValueError with the form that is wanted.
    """
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
    netloc = f"[{host}]" if ":" in host else host
    if port:
        netloc += f":{port}"
    return parts._replace(netloc=netloc)


def parse_mailbox(text: str) -> Address:
    """Parse `name <a@b>` or `a@b`; the domain becomes ASCII.

    Raises ValueError with the form that is wanted. An encoded word (RFC 2047) is refused: Python
    decodes it when the mail is written, line breaks too (CVE-2024-6923).
    """
    if not text.isprintable() or "=?" in text:
        raise ValueError("an address without line breaks or encoded words")
    try:
        ((name, spec),) = getaddresses([text])
        address = Address(name, addr_spec=spec)
    except (ValueError, IndexError, HeaderParseError) as error:
        raise ValueError("one address with a user, @ and a domain") from error
    if not address.username or not address.domain:
        raise ValueError("one address with a user, @ and a domain")
    is_ip_literal = address.domain.startswith("[")
    domain = address.domain if is_ip_literal else normalize_host(address.domain)
    return Address(name, address.username, domain)


def is_bearer_token(text: str) -> bool:
    """Return whether `text` is valid as a bearer token in an HTTP header: visible ASCII."""
    return _TOKEN.fullmatch(text) is not None
