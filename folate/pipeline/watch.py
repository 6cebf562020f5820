"""The rules of folate.toml against a week: what holds is an event, and each event is told once on each channel."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from folate.core.config import Config, SmtpConfig
from folate.core.errors import ConfigError
from folate.core.weeks import Period
from folate.delivery import file, mail, webhook
from folate.delivery.outbox import (
    UNDELIVERED_STATUSES,
    Delivery,
    DeliveryStatus,
    Outbox,
    deliver_event,
)
from folate.pipeline.project import Project
from reports.alerts.alert import Alert
from reports.alerts.rules import evaluate_rules
from reports.messages import load_messages

EVENT_PREFIX = "alert:"  # what the ids of alerts begin with in the ledger
AlertSender = Callable[[str, str], None]
"""Sends the id of an alert and its message (JSON, `reports.alerts.alert`) on one channel."""


@dataclass(frozen=True)
class AlertRun:
    """What held, what became of it, and what could not be judged."""

    alerts: list[Alert]
    notes: list[str]  # why rules were not judged, or not on all posts
    deliveries: list[Delivery] = field(
        default_factory=list
    )  # of these alerts, and of earlier ones that had not arrived

    def to_rows(self) -> list[dict[str, Any]]:
        """One row an event and channel; an alert that goes nowhere has one too. `status`: sent, failed, unknown, sending, not sent."""
        said = {EVENT_PREFIX + alert.id: alert.payload for alert in self.alerts}
        rows = [
            _row(said.get(one.event) or json.loads(one.message or "{}"), one)
            for one in self.deliveries
        ]
        told = {delivery.event for delivery in self.deliveries}
        return rows + [_row(message, None) for event, message in said.items() if event not in told]


def _row(message: Mapping[str, Any], delivery: Delivery | None) -> dict[str, Any]:
    row = {name: message.get(name, "") for name in ("id", "rule", "week", "text")}
    if delivery is None:
        return row | {"channel": "", "status": "not sent", "detail": ""}
    return row | {"channel": delivery.channel, "status": delivery.status, "detail": delivery.detail}


def evaluate_and_send_alerts(
    project: Project, period: Period, dry_run: bool = False, resend_unknown: bool = False
) -> AlertRun:
    """Judge every rule in a week, or in the seven days up to a day, and tell what holds on the channels of folate.toml.

    Each event is told once on each channel. Those that certainly have not arrived, of whatever week, are tried again; `again` also repeats
    those of which it is not known. A dry run judges, and neither sends nor notes anything. Raises ConfigError without rules, or for
    a channel without its password.
    """
    alerts = project.config.alerts
    if not alerts.rules:
        raise ConfigError("wanted a rule such as [[alerts.topic]] in folate.toml, got none.")
    senders = {} if dry_run else _senders(project)
    found, notes = evaluate_rules(project, period)
    if dry_run:
        return AlertRun(found, notes)
    say = load_messages("en")
    figures = {figure.id: figure for alert in found for figure in alert.figures}
    project.store.upsert(
        "evidence",
        [
            figure.evidence_row(say.measure(figure.measure, "definition"))
            for figure in figures.values()
        ],
    )
    return AlertRun(
        found,
        notes,
        _tell(Outbox(project.outbox_file), found, project.config, senders, resend_unknown),
    )


def _tell(
    ledger: Outbox,
    alerts: list[Alert],
    config: Config,
    senders: Mapping[str, AlertSender],
    again: bool,
) -> list[Delivery]:
    """Note the alerts, send all that waits, and return what became of these and of those that were tried."""
    wanted = {rule.id: rule.to or config.alerts.channels for rule in config.alerts.rules}
    for alert in alerts:
        for channel in senders:
            if channel.partition(":")[0] in wanted[alert.rule]:
                ledger.enqueue(
                    EVENT_PREFIX + alert.id, channel, json.dumps(alert.payload, ensure_ascii=False)
                )
    shown = {EVENT_PREFIX + alert.id for alert in alerts}
    waiting = [
        one
        for one in ledger.list_deliveries(EVENT_PREFIX)
        if one.message is not None and one.channel in senders
    ]
    for one in waiting:
        standing: tuple[DeliveryStatus, ...] = (
            (*UNDELIVERED_STATUSES, "unknown")
            if again or one.channel == "file"
            else UNDELIVERED_STATUSES
        )  # a file takes a line twice unharmed
        if one.status in standing:
            deliver_event(
                ledger,
                one.event,
                one.channel,
                partial(
                    senders[one.channel], one.event.removeprefix(EVENT_PREFIX), str(one.message)
                ),
                standing,
            )
            shown.add(one.event)
    said = {one.event: one.message for one in waiting}  # the ledger forgets what was sent
    return [
        replace(one, message=said.get(one.event))
        for one in ledger.list_deliveries(EVENT_PREFIX)
        if one.event in shown
    ]


def _senders(project: Project) -> dict[str, AlertSender]:
    """Every configured channel: `file`, `webhook`, and `mail:` with each recipient. Raises ConfigError."""
    alerts, smtp = project.config.alerts, project.config.smtp
    found: dict[str, AlertSender] = {}
    if alerts.file:
        found["file"] = partial(file.append_event, project.root / alerts.file)
    if alerts.webhook:
        webhook.webhook_host(alerts.webhook)
        token = os.environ.get(alerts.token_variable, "") if alerts.token_variable else ""
        if alerts.token_variable and not token:
            raise ConfigError(
                f"wanted the webhook's token in the environment variable {alerts.token_variable}, got nothing."
            )
        webhook.validate_token(token)
        found["webhook"] = partial(webhook.post_event, alerts.webhook, token=token)
    if alerts.mail:
        mail.smtp_password(smtp)
    return found | {
        f"mail:{recipient}": partial(_mail, smtp, recipient) for recipient in alerts.mail
    }


def _mail(smtp: SmtpConfig, recipient: str, identifier: str, message: str) -> None:
    alert = json.loads(message)
    mail.send_mail(
        smtp, mail.compose_mail(smtp, recipient, identifier, alert["title"], alert["body"])
    )
