"""Alerts of a project: evaluate its rules, store their evidence and send each event once."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from folate.core.config import AlertsConfig, SmtpConfig
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
from folate.pipeline.report import build_report, corpus_opener
from reports.alerts.alert import Alert
from reports.alerts.rules import RuleEvaluation, evaluate_rules
from reports.figures import Figure
from reports.messages import load_messages

EVENT_PREFIX = "alert:"  # marks the events of alerts in the outbox
AlertSender = Callable[[str, str], None]
"""Sends an alert, given by its id and its payload as JSON, on one channel."""


@dataclass(frozen=True)
class AlertRun:
    """The result of one evaluation of the alert rules."""

    alerts: list[Alert]
    # One sentence for each rule that was not evaluated, or not on all posts.
    notes: list[str]
    # The deliveries of these alerts, and of earlier ones that this run tried again.
    deliveries: list[Delivery] = field(default_factory=list)

    def to_rows(self) -> list[dict[str, Any]]:
        """Return one row for each delivery, and one for each alert that has none.

        `status` is sent, failed, unknown, sending or not sent.
        """
        payloads = {EVENT_PREFIX + alert.id: alert.payload for alert in self.alerts}
        rows = []
        for delivery in self.deliveries:
            payload = payloads.get(delivery.event) or json.loads(delivery.message or "{}")
            rows.append(_delivery_row(payload, delivery))
        delivered_events = {delivery.event for delivery in self.deliveries}
        for event, payload in payloads.items():
            if event not in delivered_events:
                rows.append(_delivery_row(payload, None))
        return rows


def _delivery_row(payload: Mapping[str, Any], delivery: Delivery | None) -> dict[str, Any]:
    row = {name: payload.get(name, "") for name in ("id", "rule", "week", "text")}
    if delivery is None:
        return row | {"channel": "", "status": "not sent", "detail": ""}
    return row | {"channel": delivery.channel, "status": delivery.status, "detail": delivery.detail}


def evaluate_and_send_alerts(
    project: Project, period: Period, dry_run: bool = False, resend_unknown: bool = False
) -> AlertRun:
    """Evaluate every rule on a week or on seven days, and send the alerts on their channels.

    Each event is sent once on each channel. Deliveries that failed, of whatever week, are tried
    again; `resend_unknown` also repeats those whose outcome is unknown. A dry run evaluates the
    rules, and neither sends nor stores anything. Raises ConfigError if there is no rule, or if a
    channel lacks its password or token.
    """
    alert_config = project.config.alerts
    if not alert_config.rules:
        raise ConfigError("wanted a rule such as [[alerts.topic]] in folate.toml, got none.")
    senders = {} if dry_run else _create_senders(project)
    alerts, notes = evaluate_project_rules(project, period)
    if dry_run:
        return AlertRun(alerts, notes)
    _store_evidence(project, alerts)
    outbox = Outbox(project.outbox_file)
    _enqueue_alerts(outbox, alerts, alert_config, senders)
    attempted = _send_queued_alerts(outbox, senders, resend_unknown)
    return AlertRun(alerts, notes, _list_run_deliveries(outbox, alerts, attempted))


def evaluate_project_rules(project: Project, period: Period) -> RuleEvaluation:
    """Build the report of `period` and evaluate the project's rules on its table versions."""
    report = build_report(project, period)
    snapshot = project.store.snapshot(report.versions)
    opener = corpus_opener(project, report.versions)
    return evaluate_rules(snapshot, project.config, report, opener)


def _store_evidence(project: Project, alerts: Iterable[Alert]) -> None:
    """Store the figures of the alerts in the table `evidence`, with English definitions."""
    message = load_messages("en")
    figures: dict[str, Figure] = {}
    for alert in alerts:
        figures.update((figure.id, figure) for figure in alert.figures)
    rows = [
        figure.evidence_row(message.measure(figure.measure, "definition"))
        for figure in figures.values()
    ]
    project.store.upsert("evidence", rows)


def _enqueue_alerts(
    outbox: Outbox, alerts: Iterable[Alert], config: AlertsConfig, channels: Iterable[str]
) -> None:
    """Enqueue each alert for those of `channels` that its rule names."""
    channel_kinds = {rule.id: rule.to or config.channels for rule in config.rules}
    for alert in alerts:
        payload = json.dumps(alert.payload, ensure_ascii=False)
        for channel in channels:
            if channel.partition(":")[0] in channel_kinds[alert.rule]:
                outbox.enqueue(EVENT_PREFIX + alert.id, channel, payload)


def _send_queued_alerts(
    outbox: Outbox, senders: Mapping[str, AlertSender], resend_unknown: bool
) -> dict[str, str]:
    """Send the queued alerts of all weeks; return the payloads of the attempted events."""
    attempted = {}
    for delivery in outbox.list_deliveries(EVENT_PREFIX):
        send = senders.get(delivery.channel)
        allowed_statuses = _sendable_statuses(delivery.channel, resend_unknown)
        if delivery.message is None or send is None or delivery.status not in allowed_statuses:
            continue
        alert_id = delivery.event.removeprefix(EVENT_PREFIX)
        deliver_event(
            outbox,
            delivery.event,
            delivery.channel,
            partial(send, alert_id, delivery.message),
            allowed_statuses,
        )
        attempted[delivery.event] = delivery.message
    return attempted


def _sendable_statuses(channel: str, resend_unknown: bool) -> tuple[DeliveryStatus, ...]:
    """Return the statuses in which a delivery may be sent; repeating one to a file is harmless."""
    if resend_unknown or channel == "file":
        return (*UNDELIVERED_STATUSES, "unknown")
    return UNDELIVERED_STATUSES


def _list_run_deliveries(
    outbox: Outbox, alerts: Iterable[Alert], attempted: Mapping[str, str]
) -> list[Delivery]:
    """Return the deliveries of the alerts and of the attempted events, with their payloads.

    The outbox deletes the payload of what it sent; `attempted` still has it.
    """
    run_events = {EVENT_PREFIX + alert.id for alert in alerts} | attempted.keys()
    deliveries = []
    for delivery in outbox.list_deliveries(EVENT_PREFIX):
        if delivery.event in run_events:
            payload = attempted.get(delivery.event, delivery.message)
            deliveries.append(replace(delivery, message=payload))
    return deliveries


def _create_senders(project: Project) -> dict[str, AlertSender]:
    """Return the sender of each configured channel: `file`, `webhook`, `mail:RECIPIENT`.

    Raises ConfigError for a channel that cannot be used as configured.
    """
    alerts = project.config.alerts
    smtp = project.config.smtp
    senders: dict[str, AlertSender] = {}
    if alerts.file:
        senders["file"] = partial(file.append_event, project.root / alerts.file)
    if alerts.webhook:
        webhook.validate_address(alerts.webhook)
        token = _read_webhook_token(alerts.token_variable)
        senders["webhook"] = partial(webhook.post_event, alerts.webhook, token=token)
    if alerts.mail:
        mail.smtp_password(smtp)
    for recipient in alerts.mail:
        senders[f"mail:{recipient}"] = partial(_mail_alert, smtp, recipient)
    return senders


def _read_webhook_token(variable: str) -> str:
    """Return the token in the environment variable; empty if no variable is configured."""
    token = os.environ.get(variable, "") if variable else ""
    if variable and not token:
        raise ConfigError(
            f"wanted the webhook's token in the environment variable {variable}, got nothing."
        )
    webhook.validate_token(token)
    return token


def _mail_alert(smtp: SmtpConfig, recipient: str, alert_id: str, payload: str) -> None:
    alert = json.loads(payload)
    message = mail.compose_mail(smtp, recipient, alert_id, alert["title"], alert["body"])
    mail.send_mail(smtp, message)
