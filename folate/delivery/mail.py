"""Mail through the SMTP server of folate.toml; the password comes from the environment."""

import os
import smtplib
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from hashlib import blake2b

from folate.config import FILE, Smtp
from folate.core.text import printable
from folate.delivery.ledger import Uncertain, Undelivered
from folate.errors import ConfigError
from reports.sections import excerpt

_SUBJECT = 150  # characters
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def compose(smtp: Smtp, to: str, event: str, subject: str, text: str) -> EmailMessage:
    """A plain mail to one person. Its Message-ID is made of the event and the recipient: the same mail twice can be told as such.

    The subject is one line without control characters, whatever it was. Raises ConfigError for an address that is none.
    """
    sender = _address(smtp.sender, "sender of [smtp]")
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, _address(to, "recipient")
    mail["Subject"] = excerpt(printable(" ".join(subject.split())), _SUBJECT)
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{blake2b(f'{event} {to}'.encode(), digest_size=12).hexdigest()}@{sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail


def password(smtp: Smtp) -> str:
    """Empty when the server wants no user. Raises ConfigError when the environment does not have it, or it would travel in the clear."""
    if not smtp.host:
        raise ConfigError(f"wanted a host in [smtp] of {FILE} to send mail through, got none.")
    if not smtp.user:
        return ""
    if smtp.security == "none" and smtp.host not in _LOOPBACK:
        raise ConfigError(
            f"{FILE}: wanted security starttls or ssl in [smtp] for a server with a user, got none: the password would be read."
        )
    found = os.environ.get(smtp.password_variable, "")
    if not found:
        raise ConfigError(
            f"wanted the password of {smtp.user} at {smtp.host} in the environment variable {smtp.password_variable}, got nothing."
        )
    return found


def send(smtp: Smtp, mail: EmailMessage) -> None:
    """Hand `mail` to the server. Raises ConfigError without settings or password, Undelivered when the server can't be reached or
    refuses, Uncertain when it stops answering after it was spoken to of the mail."""
    secret = password(smtp)
    server = _connected(smtp, secret)
    try:
        server.send_message(mail)
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError) as error:
        raise Undelivered(f"{smtp.host} refused the mail: {_reason(error)}.") from error
    except (OSError, smtplib.SMTPException) as error:
        raise Uncertain(f"{smtp.host} stopped answering while it was given the mail: {_reason(error)}.") from error
    finally:
        with suppress(OSError, smtplib.SMTPException):  # the mail is taken or not by now: a rude goodbye changes nothing
            server.quit()
        server.close()


def _connected(smtp: Smtp, secret: str) -> smtplib.SMTP:
    """A server that knows who we are. Raises Undelivered."""
    context = ssl.create_default_context()
    try:
        if smtp.security == "ssl":
            server: smtplib.SMTP = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=smtp.timeout, context=context)
        else:
            server = smtplib.SMTP(smtp.host, smtp.port, timeout=smtp.timeout)
    except (OSError, smtplib.SMTPException) as error:
        raise Undelivered(f"{smtp.host}:{smtp.port} can't be reached: {_reason(error)}.") from error
    try:
        if smtp.security == "starttls":
            server.starttls(context=context)
        if smtp.user:
            server.login(smtp.user, secret)
    except (OSError, smtplib.SMTPException) as error:
        server.close()
        raise Undelivered(f"{smtp.host} did not let {smtp.user or 'us'} in: {_reason(error)}.") from error
    return server


def _address(text: str, what: str) -> Address:
    """`name <a@b>` or `a@b`. Raises ConfigError."""
    name, spec = parseaddr(text)
    try:
        if not text.isprintable() or not spec.partition("@")[2]:
            raise ValueError
        return Address(name, addr_spec=spec)
    except (ValueError, IndexError, HeaderParseError) as error:
        raise ConfigError(f"wanted an address such as folate@example.org as the {what}, got {printable(text)!r}.") from error


def _reason(error: OSError | smtplib.SMTPException) -> str:
    """What the server or the system said, on one line: it is as hostile as any text from a network."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    said: str | bytes
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, said = error.smtp_code, error.smtp_error
    else:
        return excerpt(printable(" ".join(str(getattr(error, "strerror", None) or error or type(error).__name__).split()))).rstrip(".")
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {excerpt(printable(' '.join(text.split())))}".rstrip(". ")
