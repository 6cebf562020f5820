"""The rules of folate.toml against a week: what holds is an event, and each event is told once on each channel."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from folate.core.config import Config, Smtp
from folate.core.errors import ConfigError
from folate.core.weeks import Span
from folate.delivery import file, mail, webhook
from folate.delivery.outbox import OPEN, Delivery, Ledger, Status, deliver
from folate.pipeline.project import Workspace
from folate.pipeline.rules import judge
from reports.alerts.alert import Alert
from reports.messages import catalogue

EVENT = "alert:"  # what the ids of alerts begin with in the ledger
Send = Callable[[str, str], None]
"""Sends the id of an alert and its message (JSON, `reports.alerts.alert`) on one channel."""


@dataclass(frozen=True)
class Watched:
    """What held, what became of it, and what could not be judged."""

    alerts: list[Alert]
    notes: list[str]  # why rules were not judged, or not on all posts
    deliveries: list[Delivery] = field(
        default_factory=list
    )  # of these alerts, and of earlier ones that had not arrived

    def rows(self) -> list[dict[str, Any]]:
        """One row an event and channel; an alert that goes nowhere has one too. `status`: sent, failed, unknown, sending, not sent."""
        said = {EVENT + alert.id: alert.message for alert in self.alerts}
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


def watch(workspace: Workspace, span: Span, dry_run: bool = False, again: bool = False) -> Watched:
    """Judge every rule in a week, or in the seven days up to a day, and tell what holds on the channels of folate.toml.

    Each event is told once on each channel. Those that certainly have not arrived, of whatever week, are tried again; `again` also repeats
    those of which it is not known. A dry run judges, and neither sends nor notes anything. Raises ConfigError without rules, or for
    a channel without its password.
    """
    alerts = workspace.config.alerts
    if not alerts.rules:
        raise ConfigError("wanted a rule such as [[alerts.topic]] in folate.toml, got none.")
    senders = {} if dry_run else _senders(workspace)
    found, notes = judge(workspace, span)
    if dry_run:
        return Watched(found, notes)
    say = catalogue("en")
    figures = {figure.id: figure for alert in found for figure in alert.figures}
    workspace.store.upsert(
        "evidence",
        [figure.row(say.measure(figure.measure, "definition")) for figure in figures.values()],
    )
    return Watched(
        found,
        notes,
        _tell(Ledger(workspace.project.deliveries), found, workspace.config, senders, again),
    )


def _tell(
    ledger: Ledger, alerts: list[Alert], config: Config, senders: Mapping[str, Send], again: bool
) -> list[Delivery]:
    """Note the alerts, send all that waits, and return what became of these and of those that were tried."""
    wanted = {rule.id: rule.to or config.alerts.channels for rule in config.alerts.rules}
    for alert in alerts:
        for channel in senders:
            if channel.partition(":")[0] in wanted[alert.rule]:
                ledger.note(
                    EVENT + alert.id, channel, json.dumps(alert.message, ensure_ascii=False)
                )
    shown = {EVENT + alert.id for alert in alerts}
    waiting = [
        one
        for one in ledger.deliveries(EVENT)
        if one.message is not None and one.channel in senders
    ]
    for one in waiting:
        standing: tuple[Status, ...] = (
            (*OPEN, "unknown") if again or one.channel == "file" else OPEN
        )  # a file takes a line twice unharmed
        if one.status in standing:
            deliver(
                ledger,
                one.event,
                one.channel,
                partial(senders[one.channel], one.event.removeprefix(EVENT), str(one.message)),
                standing,
            )
            shown.add(one.event)
    said = {one.event: one.message for one in waiting}  # the ledger forgets what was sent
    return [
        replace(one, message=said.get(one.event))
        for one in ledger.deliveries(EVENT)
        if one.event in shown
    ]


def _senders(workspace: Workspace) -> dict[str, Send]:
    """Every configured channel: `file`, `webhook`, and `mail:` with each recipient. Raises ConfigError."""
    alerts, smtp = workspace.config.alerts, workspace.config.smtp
    found: dict[str, Send] = {}
    if alerts.file:
        found["file"] = partial(file.append, workspace.project.root / alerts.file)
    if alerts.webhook:
        webhook.host(alerts.webhook)
        token = os.environ.get(alerts.token_variable, "") if alerts.token_variable else ""
        if alerts.token_variable and not token:
            raise ConfigError(
                f"wanted the webhook's token in the environment variable {alerts.token_variable}, got nothing."
            )
        webhook.check_token(token)
        found["webhook"] = partial(webhook.post, alerts.webhook, token=token)
    if alerts.mail:
        mail.password(smtp)
    return found | {
        f"mail:{recipient}": partial(_mail, smtp, recipient) for recipient in alerts.mail
    }


def _mail(smtp: Smtp, recipient: str, identifier: str, message: str) -> None:
    alert = json.loads(message)
    mail.send(smtp, mail.compose(smtp, recipient, identifier, alert["title"], alert["body"]))
