"""The written report goes to people by mail, once a report and recipient."""

import json
from email.message import EmailMessage
from functools import partial
from typing import Any

from folate.core.config import Smtp
from folate.core.errors import ConfigError, DeliveryError, InputError
from folate.core.weeks import Week
from folate.delivery import mail
from folate.delivery.outbox import EVERY, OPEN, Delivery, Ledger, Status, deliver
from folate.pipeline.project import Workspace
from folate.pipeline.report import write_report
from reports.render.document import SCHEMA, belongs
from reports.render.email import letter


def send_report(
    workspace: Workspace, week: Week, to: tuple[str, ...] = (), again: bool = False, dry_run: bool = False
) -> list[dict[str, Any]]:  # fmt: skip
    """Mail the report of `week` to each of `to` (the recipients of folate.toml, when there are none); write it first if need be.

    One row a recipient: `to`, `status` (sent, failed, unknown, sending; would be sent in a dry run) and `detail`. Who was sent the report
    in this language is not sent it again, unless `again`. Raises ConfigError without settings, recipients or password.
    """
    smtp = workspace.config.smtp
    recipients = to or smtp.to
    if not recipients:
        raise ConfigError(
            "wanted recipients, got none: name them by --to or in 'to' of [smtp] in folate.toml."
        )
    mail.password(smtp)  # to fail before anything is written
    page, document = _written(workspace, week)
    event, standing = f"report:{week}:{document['language']}", EVERY if again else OPEN
    mails = {
        recipient: _mail(smtp, recipient, event, page, document, f"folate-{week}.html")
        for recipient in recipients
    }
    ledger = Ledger(workspace.project.deliveries)
    for recipient, message in mails.items() if not dry_run else ():
        ledger.note(event, recipient)
        deliver(ledger, event, recipient, partial(mail.send, smtp, message), standing)
    known = {delivery.channel: delivery for delivery in ledger.deliveries(event)}
    return [_row(recipient, known.get(recipient), dry_run, standing) for recipient in mails]


def _written(workspace: Workspace, week: Week) -> tuple[bytes, dict[str, Any]]:
    """The page of a report and its JSON, as they lie in the project's folder; written now when they don't.

    Raises InputError for a report of another schema, DeliveryError for a page and a JSON that are no pair.
    """
    page, document = (workspace.project.reports / f"{week}.{form}" for form in ("html", "json"))
    if not (page.exists() and document.exists()):
        write_report(workspace, week)
    try:
        told, shown = json.loads(document.read_text(encoding="utf-8")), page.read_bytes()
        if told["schema"] != SCHEMA:
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"wanted a report of the schema {SCHEMA}, got {document}: write it anew with 'folate report --week {week}'."
        ) from error
    if not belongs(told, shown):
        raise DeliveryError(
            f"wanted the page and the figures of one report, got {page} and {document}, which were not written together or were changed "
            f"since: nothing was sent; write them anew with 'folate report --week {week}'."
        )
    return shown, dict(told)


def _mail(
    smtp: Smtp, recipient: str, event: str, page: bytes, document: dict[str, Any], name: str
) -> EmailMessage:
    words = letter(document)
    message = mail.compose(smtp, recipient, event, words.subject, words.text)
    message.add_alternative(words.html, subtype="html")
    message.add_attachment(page, maintype="text", subtype="html", filename=name)
    return message


def _row(
    recipient: str, known: Delivery | None, dry_run: bool, standing: tuple[Status, ...]
) -> dict[str, Any]:
    if dry_run and (known is None or known.status in standing):
        return {"to": recipient, "status": "would be sent", "detail": ""}
    return {
        "to": recipient,
        "status": known.status if known else "",
        "detail": known.detail if known else "",
    }
