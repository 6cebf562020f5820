"""Mail through the SMTP server of folate.toml; the password comes from the environment."""

import os
import re
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import blake2b

from folate.core.addresses import normalize_host, parse_mailbox
from folate.core.config import CONFIG_FILE, SmtpConfig
from folate.core.errors import ConfigError
from folate.core.text import excerpt, printable_text
from folate.delivery.deadline import Deadline, enforce_deadline
from folate.delivery.outbox import DeliveryFailed, DeliveryUnknown

_SUBJECT = 150  # characters
_STEPS = 4  # timeouts that a server may take for the whole conversation
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def compose_mail(
    smtp: SmtpConfig, recipient: str, event_id: str, subject: str, text: str
) -> EmailMessage:
    """A plain mail to one person. Its Message-ID is made of the event and the recipient: the same mail twice can be told as such.

    The subject is one line without control characters, whatever it was. Raises ConfigError for an address that is none.
    """
    sender = _address(smtp.sender, "sender of [smtp]")
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, _address(recipient, "recipient")
    mail.set_raw("Subject", _encoded(excerpt(printable_text(" ".join(subject.split())), _SUBJECT)))
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = (
        f"<{blake2b(f'{event_id} {recipient}'.encode(), digest_size=12).hexdigest()}@{sender.domain}>"
    )
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail


def _encoded(subject: str) -> str:
    """`subject` as it travels: encoded (RFC 2047) unless it is plain.

    Given to EmailMessage as it is, an encoded word in it would be decoded, line breaks too (CVE-2024-6923), and shown as other words.
    """
    plain = subject.isascii() and "=?" not in subject
    return Header(subject, "us-ascii" if plain else "utf-8", header_name="Subject").encode()


def smtp_password(smtp: SmtpConfig) -> str:
    """Empty when the server wants no user. Raises ConfigError when the environment does not have it, or it would travel in the clear."""
    if not smtp.host:
        raise ConfigError(
            f"wanted a host in [smtp] of {CONFIG_FILE} to send mail through, got none."
        )
    if not smtp.user:
        return ""
    if smtp.security == "none" and smtp.host not in _LOOPBACK:
        raise ConfigError(
            f"{CONFIG_FILE}: wanted security starttls or ssl in [smtp] for a server with a user, got none: the password would be read."
        )
    found = os.environ.get(smtp.password_variable, "")
    if not found:
        raise ConfigError(
            f"wanted the password of {smtp.user} at {smtp.host} in the environment variable {smtp.password_variable}, got nothing."
        )
    if not (found.isascii() and found.isprintable()):  # as smtplib sends it
        raise ConfigError(
            f"wanted the password of {smtp.user} in {smtp.password_variable} in printable ASCII on one line, got other characters."
        )
    return found


def send_mail(smtp: SmtpConfig, mail: EmailMessage) -> None:
    """Hand `mail`, which is to one person, to the server.

    Raises ConfigError without settings or password, Undelivered when the server can't be reached, refuses, or stops answering before
    it has the text; Uncertain when it stops answering after that.
    """
    secret = smtp_password(smtp)
    server = _connected(smtp)
    assert server.sock is not None  # noqa: S101  # it is connected
    try:
        with enforce_deadline(server.sock, _STEPS * smtp.timeout) as limit:
            _let_in(server, smtp, secret, limit)
            _offer(server, smtp, mail, limit)
            _hand_over(server, smtp, mail, limit)
    finally:
        with suppress(
            OSError, smtplib.SMTPException
        ):  # the mail is taken or not by now: a rude goodbye changes nothing
            server.quit()
        server.close()


def _connected(smtp: SmtpConfig) -> smtplib.SMTP:
    """Raises ConfigError for a host that is none, Undelivered."""
    try:
        host = normalize_host(smtp.host)
    except ValueError as error:
        raise ConfigError(
            f"{CONFIG_FILE}: wanted {error} as the host of [smtp], got {smtp.host!r}."
        ) from error
    try:
        if smtp.security == "ssl":
            return smtplib.SMTP_SSL(
                host, smtp.port, timeout=smtp.timeout, context=ssl.create_default_context()
            )
        return smtplib.SMTP(host, smtp.port, timeout=smtp.timeout)
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryFailed(
            f"{smtp.host}:{smtp.port} can't be reached: {_reason(error)}."
        ) from error


def _let_in(server: smtplib.SMTP, smtp: SmtpConfig, secret: str, limit: Deadline) -> None:
    """Turn to TLS and say who we are. Raises Undelivered; what the server repeats of the password is left out."""
    try:
        if smtp.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if smtp.user:
            server.login(smtp.user, secret)
    except (OSError, smtplib.SMTPException) as error:
        reason = _without(_reason(error, limit), smtp.user, secret)
        raise DeliveryFailed(
            f"{smtp.host} did not let {smtp.user or 'us'} in: {reason}."
        ) from error


def _offer(server: smtplib.SMTP, smtp: SmtpConfig, mail: EmailMessage, limit: Deadline) -> None:
    """Name sender and recipient and ask to give the text. Raises Undelivered: nothing of the mail was sent."""
    steps: tuple[tuple[Callable[[], tuple[int, bytes]], tuple[int, ...]], ...] = (
        (lambda: server.mail(mail["From"].addresses[0].addr_spec), (250,)),
        (lambda: server.rcpt(mail["To"].addresses[0].addr_spec), (250, 251)),
        (lambda: server.docmd("DATA"), (354,)),
    )
    try:
        server.ehlo_or_helo_if_needed()
        for ask, wanted in steps:
            code, said = ask()
            limit.raise_if_expired()
            if code not in wanted:
                raise smtplib.SMTPResponseException(code, said)
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryFailed(f"{smtp.host} refused the mail: {_reason(error, limit)}.") from error


def _hand_over(server: smtplib.SMTP, smtp: SmtpConfig, mail: EmailMessage, limit: Deadline) -> None:
    """Give the text, which the server asked for. Raises Undelivered when it refuses, Uncertain when its answer does not come."""
    text = re.sub(
        rb"(?m)^\.", b"..", mail.as_bytes(policy=SMTP)
    )  # a dot alone ends the text (RFC 5321, 4.5.2)
    try:
        server.send(text + (b"" if text.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        code, said = server.getreply()
        limit.raise_if_expired()
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryUnknown(
            f"{smtp.host} stopped answering while it was given the mail: {_reason(error, limit)}."
        ) from error
    if 200 <= code < 300:
        return
    reason = _reason(smtplib.SMTPResponseException(code, said))
    if 400 <= code < 600:
        raise DeliveryFailed(f"{smtp.host} refused the mail: {reason}.")
    raise DeliveryUnknown(f"{smtp.host} did not say whether it took the mail: {reason}.")


def _address(text: str, what: str) -> Address:
    """`name <a@b>` or `a@b`. Raises ConfigError."""
    try:
        return parse_mailbox(text)
    except ValueError as error:
        raise ConfigError(
            f"wanted an address such as folate@example.org as the {what}, got {printable_text(text)!r}; possible: {error}."
        ) from error


def _without(said: str, user: str, secret: str) -> str:
    """`said` without the password, plain or as AUTH PLAIN and LOGIN send it: a server may repeat what it was told."""
    for text in (f"\0{user}\0{secret}", secret):
        said = (
            said.replace(b64encode(text.encode()).decode(), "***").replace(text, "***")
            if secret
            else said
        )
    return said


def _reason(error: OSError | smtplib.SMTPException, limit: Deadline | None = None) -> str:
    """What the server or the system said, on one line: it is as hostile as any text from a network."""
    if isinstance(error, TimeoutError) or (limit and limit.expired):
        return "it took too long"
    if isinstance(error, smtplib.SMTPResponseException):
        said = (
            error.smtp_error.decode("utf-8", "replace")
            if isinstance(error.smtp_error, bytes)
            else error.smtp_error
        )
        text = (
            said if error.smtp_code < 0 else f"{error.smtp_code} {said}"
        )  # smtplib's -1: what was said is no reply of SMTP
    else:
        text = str(getattr(error, "strerror", None) or error or type(error).__name__)
    return excerpt(printable_text(" ".join(text.split()))).rstrip(". ") or type(error).__name__
