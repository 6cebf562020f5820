"""The written report goes to people by mail, once a report and recipient."""

import json
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

from folate.config import Smtp
from folate.delivery import mail
from folate.delivery.ledger import EVERY, OPEN, Delivery, Ledger, Status, deliver
from folate.errors import ConfigError, InputError
from folate.pipeline.report import write_report
from folate.pipeline.workspace import Workspace
from folate.weeks import Week
from reports.document import SCHEMA
from reports.letter import letter


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
        raise ConfigError("wanted recipients, got none: name them by --to or in 'to' of [smtp] in folate.toml.")
    mail.password(smtp)  # to fail before anything is written
    page, document = _written(workspace, week)
    event, standing = f"report:{week}:{document['language']}", EVERY if again else OPEN
    mails = {recipient: _mail(smtp, recipient, event, page, document) for recipient in recipients}
    ledger = Ledger(workspace.project.deliveries)
    for recipient, message in mails.items() if not dry_run else ():
        ledger.note(event, recipient)
        deliver(ledger, event, recipient, partial(mail.send, smtp, message), standing)
    known = {delivery.channel: delivery for delivery in ledger.deliveries(event)}
    return [_row(recipient, known.get(recipient), dry_run, standing) for recipient in mails]


def _written(workspace: Workspace, week: Week) -> tuple[Path, dict[str, Any]]:
    """The page of a report and its JSON, as they lie in the project's folder; written now when they don't."""
    page, document = (workspace.project.reports / f"{week}.{form}" for form in ("html", "json"))
    if not (page.exists() and document.exists()):
        write_report(workspace, week)
    try:
        found = json.loads(document.read_text(encoding="utf-8"))
        if found["schema"] == SCHEMA:
            return page, dict(found)
    except (ValueError, KeyError, TypeError):
        pass  # told below, with every other way of not being a report
    raise InputError(f"wanted a report of the schema {SCHEMA}, got {document}: write it anew with 'folate report --week {week}'.")


def _mail(smtp: Smtp, recipient: str, event: str, page: Path, document: dict[str, Any]) -> EmailMessage:
    words = letter(document)
    message = mail.compose(smtp, recipient, event, words.subject, words.text)
    message.add_alternative(words.html, subtype="html")
    message.add_attachment(page.read_bytes(), maintype="text", subtype="html", filename=f"folate-{page.name}")
    return message


def _row(recipient: str, known: Delivery | None, dry_run: bool, standing: tuple[Status, ...]) -> dict[str, Any]:
    if dry_run and (known is None or known.status in standing):
        return {"to": recipient, "status": "would be sent", "detail": ""}
    return {"to": recipient, "status": known.status if known else "", "detail": known.detail if known else ""}
