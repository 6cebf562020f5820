"""Composes mails and sends them through the SMTP server of folate.toml."""

import os
import re
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Container
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

_MAX_SUBJECT_LENGTH = 150  # characters
_EXCHANGE_TIMEOUTS = 4  # limit for the whole exchange, in units of the configured timeout
_LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")


def compose_mail(
    smtp: SmtpConfig, recipient: str, event_id: str, subject: str, text: str
) -> EmailMessage:
    """Create a plain-text mail to one person.

    Its Message-ID is derived from the event and the recipient, so that a mail client recognizes
    a duplicate. The subject is put on one line and loses its control characters. Raises
    ConfigError for an invalid address of the sender or the recipient.
    """
    sender = _parse_mail_address(smtp.sender, "sender of [smtp]")
    digest = blake2b(f"{event_id} {recipient}".encode(), digest_size=12).hexdigest()
    subject_line = excerpt(printable_text(" ".join(subject.split())), _MAX_SUBJECT_LENGTH)
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = _parse_mail_address(recipient, "recipient")
    mail.set_raw("Subject", _encode_subject(subject_line))
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{digest}@{sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail


def _encode_subject(subject: str) -> str:
    """Return the raw header of a subject, encoded (RFC 2047) unless it is plain ASCII.

    EmailMessage itself would decode an encoded word in the subject, line breaks included, and so
    change what it says (CVE-2024-6923).
    """
    is_plain = subject.isascii() and "=?" not in subject
    return Header(subject, "us-ascii" if is_plain else "utf-8", header_name="Subject").encode()


def smtp_password(smtp: SmtpConfig) -> str:
    """Return the password in the environment; empty if the server needs no user.

    Raises ConfigError if no host is configured, if the password is not there or SMTP cannot
    transmit it, or if it would be sent without encryption.
    """
    if not smtp.host:
        raise ConfigError(
            f"wanted a host in [smtp] of {CONFIG_FILE} to send mail through, got none."
        )
    if not smtp.user:
        return ""
    if smtp.security == "none" and smtp.host not in _LOOPBACK_HOSTS:
        raise ConfigError(
            f"{CONFIG_FILE}: wanted security starttls or ssl in [smtp] for a server with a user, "
            "got none: the password would be read."
        )
    password = os.environ.get(smtp.password_variable, "")
    if not password:
        raise ConfigError(
            f"wanted the password of {smtp.user} at {smtp.host} in the environment variable "
            f"{smtp.password_variable}, got nothing."
        )
    if not (password.isascii() and password.isprintable()):  # smtplib encodes it as ASCII
        raise ConfigError(
            f"wanted the password of {smtp.user} in {smtp.password_variable} in printable ASCII "
            "on one line, got other characters."
        )
    return password


def send_mail(smtp: SmtpConfig, mail: EmailMessage) -> None:
    """Send `mail`, which has one recipient, through the server.

    Raises ConfigError if settings or password are missing, DeliveryFailed if the server cannot be
    reached, refuses the mail, or stops answering before it received the text, DeliveryUnknown
    if it stops answering afterwards.
    """
    password = smtp_password(smtp)
    server = _connect_to_server(smtp)
    assert server.sock is not None  # noqa: S101  # the connection is open
    try:
        with enforce_deadline(server.sock, _EXCHANGE_TIMEOUTS * smtp.timeout) as deadline:
            _log_in(server, smtp, password, deadline)
            _send_envelope(server, smtp, mail, deadline)
            _send_text(server, smtp, mail, deadline)
    finally:
        # The outcome is known by now: an error of QUIT does not change it.
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
        server.close()


def _connect_to_server(smtp: SmtpConfig) -> smtplib.SMTP:
    """Open a connection. Raises ConfigError for an invalid host, DeliveryFailed."""
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
            f"{smtp.host}:{smtp.port} can't be reached: {_error_reason(error)}."
        ) from error


def _log_in(server: smtplib.SMTP, smtp: SmtpConfig, password: str, deadline: Deadline) -> None:
    """Start TLS and log in, as configured. Raises DeliveryFailed without the password."""
    try:
        if smtp.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if smtp.user:
            server.login(smtp.user, password)
    except (OSError, smtplib.SMTPException) as error:
        reason = _mask_password(_error_reason(error, deadline), smtp.user, password)
        raise DeliveryFailed(
            f"{smtp.host} did not let {smtp.user or 'us'} in: {reason}."
        ) from error


def _send_envelope(
    server: smtplib.SMTP, smtp: SmtpConfig, mail: EmailMessage, deadline: Deadline
) -> None:
    """Send MAIL, RCPT and DATA. Raises DeliveryFailed: nothing of the mail itself was sent."""
    sender = mail["From"].addresses[0].addr_spec
    recipient = mail["To"].addresses[0].addr_spec
    try:
        server.ehlo_or_helo_if_needed()
        _check_reply(server.mail(sender), (250,), deadline)
        _check_reply(server.rcpt(recipient), (250, 251), deadline)
        _check_reply(server.docmd("DATA"), (354,), deadline)
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryFailed(
            f"{smtp.host} refused the mail: {_error_reason(error, deadline)}."
        ) from error


def _check_reply(
    reply: tuple[int, bytes], expected_codes: Container[int], deadline: Deadline
) -> None:
    """Raise SMTPResponseException for an unexpected code, TimeoutError after the deadline."""
    deadline.raise_if_expired()
    code, text = reply
    if code not in expected_codes:
        raise smtplib.SMTPResponseException(code, text)


def _send_text(
    server: smtplib.SMTP, smtp: SmtpConfig, mail: EmailMessage, deadline: Deadline
) -> None:
    """Send the text of the mail after DATA.

    Raises DeliveryFailed if the server refuses it, DeliveryUnknown if its answer does not come.
    """
    content = mail.as_bytes(policy=SMTP)
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    content = re.sub(rb"(?m)^\.", b"..", content)  # a single dot ends the text (RFC 5321, 4.5.2)
    try:
        server.send(content + b".\r\n")
        code, text = server.getreply()
        deadline.raise_if_expired()
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryUnknown(
            f"{smtp.host} stopped answering while it was given the mail: "
            f"{_error_reason(error, deadline)}."
        ) from error
    if 200 <= code < 300:
        return
    reason = _error_reason(smtplib.SMTPResponseException(code, text))
    if 400 <= code < 600:
        raise DeliveryFailed(f"{smtp.host} refused the mail: {reason}.")
    raise DeliveryUnknown(f"{smtp.host} did not say whether it took the mail: {reason}.")


def _parse_mail_address(text: str, role: str) -> Address:
    """Parse `name <a@b>` or `a@b`. Raises ConfigError, which names the role of the address."""
    try:
        return parse_mailbox(text)
    except ValueError as error:
        raise ConfigError(
            f"wanted an address such as folate@example.org as the {role}, "
            f"got {printable_text(text)!r}; possible: {error}."
        ) from error


def _mask_password(reply: str, user: str, password: str) -> str:
    """Replace the password, plain or as AUTH PLAIN and LOGIN encode it, in a server's reply."""
    if not password:
        return reply
    for secret in (f"\0{user}\0{password}", password):
        reply = reply.replace(b64encode(secret.encode()).decode(), "***")
        reply = reply.replace(secret, "***")
    return reply


def _error_reason(error: OSError | smtplib.SMTPException, deadline: Deadline | None = None) -> str:
    """Return what the server or the system said, on one line and without control characters."""
    if isinstance(error, TimeoutError) or (deadline and deadline.expired):
        return "it took too long"
    if isinstance(error, smtplib.SMTPResponseException):
        text = _format_reply(error)
    else:
        text = str(getattr(error, "strerror", None) or error or type(error).__name__)
    return excerpt(printable_text(" ".join(text.split()))).rstrip(". ") or type(error).__name__


def _format_reply(error: smtplib.SMTPResponseException) -> str:
    """Return code and text of a reply; smtplib uses the code -1 for what is no SMTP reply."""
    text = error.smtp_error
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return text if error.smtp_code < 0 else f"{error.smtp_code} {text}"
