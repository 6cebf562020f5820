"""The written report goes to people by mail, once a report and recipient."""

import json
from email.message import EmailMessage
from functools import partial
from typing import Any

from folate.core.config import SmtpConfig
from folate.core.errors import ConfigError, DeliveryError, InputError
from folate.core.weeks import Week
from folate.delivery import mail
from folate.delivery.outbox import (
    RESENDABLE_STATUSES,
    UNDELIVERED_STATUSES,
    Delivery,
    DeliveryStatus,
    Outbox,
    deliver_event,
)
from folate.pipeline.project import Project
from folate.pipeline.report import write_report
from reports.render.document import REPORT_SCHEMA, digests_match
from reports.render.email import compose_report_email


def mail_report(
    project: Project, week: Week, to: tuple[str, ...] = (), resend: bool = False, dry_run: bool = False
) -> list[dict[str, Any]]:  # fmt: skip
    """Mail the report of `week` to each of `to` (the recipients of folate.toml, when there are none); write it first if need be.

    One row a recipient: `to`, `status` (sent, failed, unknown, sending; would be sent in a dry run) and `detail`. Who was sent the report
    in this language is not sent it again, unless `again`. Raises ConfigError without settings, recipients or password.
    """
    smtp = project.config.smtp
    recipients = to or smtp.to
    if not recipients:
        raise ConfigError(
            "wanted recipients, got none: name them by --to or in 'to' of [smtp] in folate.toml."
        )
    mail.smtp_password(smtp)  # to fail before anything is written
    page, document = _written(project, week)
    event, standing = (
        f"report:{week}:{document['language']}",
        RESENDABLE_STATUSES if resend else UNDELIVERED_STATUSES,
    )
    mails = {
        recipient: _mail(smtp, recipient, event, page, document, f"folate-{week}.html")
        for recipient in recipients
    }
    ledger = Outbox(project.outbox_file)
    for recipient, message in mails.items() if not dry_run else ():
        ledger.enqueue(event, recipient)
        deliver_event(ledger, event, recipient, partial(mail.send_mail, smtp, message), standing)
    known = {delivery.channel: delivery for delivery in ledger.list_deliveries(event)}
    return [_row(recipient, known.get(recipient), dry_run, standing) for recipient in mails]


def _written(project: Project, week: Week) -> tuple[bytes, dict[str, Any]]:
    """The page of a report and its JSON, as they lie in the project's folder; written now when they don't.

    Raises InputError for a report of another schema, DeliveryError for a page and a JSON that are no pair.
    """
    page, document = (project.reports_folder / f"{week}.{form}" for form in ("html", "json"))
    if not (page.exists() and document.exists()):
        write_report(project, week)
    try:
        told, shown = json.loads(document.read_text(encoding="utf-8")), page.read_bytes()
        if told["schema"] != REPORT_SCHEMA:
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"wanted a report of the schema {REPORT_SCHEMA}, got {document}: write it anew with 'folate report --week {week}'."
        ) from error
    if not digests_match(told, shown):
        raise DeliveryError(
            f"wanted the page and the figures of one report, got {page} and {document}, which were not written together or were changed "
            f"since: nothing was sent; write them anew with 'folate report --week {week}'."
        )
    return shown, dict(told)


def _mail(
    smtp: SmtpConfig, recipient: str, event: str, page: bytes, document: dict[str, Any], name: str
) -> EmailMessage:
    words = compose_report_email(document)
    message = mail.compose_mail(smtp, recipient, event, words.subject, words.text)
    message.add_alternative(words.html, subtype="html")
    message.add_attachment(page, maintype="text", subtype="html", filename=name)
    return message


def _row(
    recipient: str, known: Delivery | None, dry_run: bool, standing: tuple[DeliveryStatus, ...]
) -> dict[str, Any]:
    if dry_run and (known is None or known.status in standing):
        return {"to": recipient, "status": "would be sent", "detail": ""}
    return {
        "to": recipient,
        "status": known.status if known else "",
        "detail": known.detail if known else "",
    }
