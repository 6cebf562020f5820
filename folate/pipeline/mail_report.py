"""Mails a written report to its recipients, once for each report and recipient."""

import json
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

from folate.core.config import SmtpConfig
from folate.core.errors import ConfigError, DeliveryError, InputError
from folate.core.weeks import Week
from folate.delivery import mail
from folate.delivery.outbox import (
    RESENDABLE_STATUSES,
    UNDELIVERED_STATUSES,
    Delivery,
    Outbox,
    deliver_event,
)
from folate.pipeline.project import Project
from folate.pipeline.report import write_report
from reports.render.document import REPORT_SCHEMA, digests_match
from reports.render.email import compose_report_email


def mail_report(
    project: Project,
    week: Week,
    to: tuple[str, ...] = (),
    resend: bool = False,
    dry_run: bool = False,
) -> list[dict[str, Any]]:
    """Mail the report of `week` to each address in `to`, or else to the recipients of folate.toml.

    The report is written first if it does not exist. A recipient who was sent the report in its
    language is not sent it again, unless `resend` is set. Returns one row for each recipient: `to`,
    `status` (sent, failed, unknown, sending; in a dry run: would be sent) and `detail`. Raises
    ConfigError if settings, recipients or the password are missing.
    """
    smtp = project.config.smtp
    recipients = to or smtp.to
    if not recipients:
        raise ConfigError(
            "wanted recipients, got none: name them by --to or in 'to' of [smtp] in folate.toml."
        )
    mail.smtp_password(smtp)  # raises before anything is written
    page, document = _load_written_report(project, week)
    event = f"report:{week}:{document['language']}"
    messages = {}
    for recipient in recipients:
        messages[recipient] = _compose_message(
            smtp, recipient, event, page=page, page_name=f"folate-{week}.html", document=document
        )
    allowed_statuses = RESENDABLE_STATUSES if resend else UNDELIVERED_STATUSES
    outbox = Outbox(project.outbox_file)
    if not dry_run:
        for recipient, message in messages.items():
            outbox.enqueue(event, recipient)
            send = partial(mail.send_mail, smtp, message)
            deliver_event(outbox, event, recipient, send, allowed_statuses)
    deliveries = {delivery.channel: delivery for delivery in outbox.list_deliveries(event)}
    rows = []
    for recipient in messages:
        delivery = deliveries.get(recipient)
        is_sendable = delivery is None or delivery.status in allowed_statuses
        rows.append(_recipient_row(recipient, delivery, would_be_sent=dry_run and is_sendable))
    return rows


def _load_written_report(project: Project, week: Week) -> tuple[bytes, dict[str, Any]]:
    """Read the page and the JSON document of a report; write them first if they do not exist.

    Raises InputError for a document of another schema, DeliveryError if page and document were
    not written together.
    """
    page_path = project.reports_folder / f"{week}.html"
    document_path = project.reports_folder / f"{week}.json"
    if not (page_path.exists() and document_path.exists()):
        write_report(project, week)
    document = _read_document(document_path, week)
    page = page_path.read_bytes()
    if not digests_match(document, page):
        raise DeliveryError(
            f"wanted the page and the figures of one report, got {page_path} and {document_path}, "
            "which were not written together or were changed since: nothing was sent; "
            f"write them anew with 'folate report --week {week}'."
        )
    return page, document


def _read_document(path: Path, week: Week) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != REPORT_SCHEMA:
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"wanted a report of the schema {REPORT_SCHEMA}, got {path}: "
            f"write it anew with 'folate report --week {week}'."
        ) from error
    return dict(document)


def _compose_message(
    smtp: SmtpConfig,
    recipient: str,
    event: str,
    *,
    page: bytes,
    page_name: str,
    document: dict[str, Any],
) -> EmailMessage:
    """Create the mail with the summary as text and HTML and the page as attachment."""
    email = compose_report_email(document)
    message = mail.compose_mail(smtp, recipient, event, email.subject, email.text)
    message.add_alternative(email.html, subtype="html")
    message.add_attachment(page, maintype="text", subtype="html", filename=page_name)
    return message


def _recipient_row(
    recipient: str, delivery: Delivery | None, would_be_sent: bool
) -> dict[str, Any]:
    if would_be_sent:
        return {"to": recipient, "status": "would be sent", "detail": ""}
    if delivery is None:
        return {"to": recipient, "status": "", "detail": ""}
    return {"to": recipient, "status": delivery.status, "detail": delivery.detail}
