"""Alerts: one sentence with figures, anonymous quotes, and the ids of the posts behind them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from hashlib import blake2b
from typing import Any

from folate.core.text import printable_text
from folate.core.weeks import Period, Week
from reports.figures import UNMEASURABLE_FLAG, Change, ExternalText, Figure, FigureSentence
from reports.messages import MessageParts, Messages, load_messages
from reports.sections.quotes import Quote
from reports.sections.summary import range_words
from reports.sections.topics import ReportTopic

ALERT_SCHEMA = "folate-alert/1"
MAX_ALERT_QUOTES = 3


@dataclass(frozen=True, kw_only=True)
class Alert:
    """The fact that a rule fired in a week for one subject."""

    rule: str  # id of the rule
    kind: str  # topic, sentiment, volume, query
    # A topic's id, a brand's id, or empty for the posts of a query.
    subject: str
    # The week or the seven days on which the rule was evaluated.
    period: Period
    # The week to which the event belongs.
    week: Week
    project: str
    language: str
    sentence: FigureSentence
    # Reasons to be careful: keys of [flag] in the messages.
    flags: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()

    @property
    def id(self) -> str:
        """Return the id of the event, which depends on rule, subject and week, not on figures."""
        key = "\0".join((self.rule, self.subject, str(self.week)))
        return blake2b(key.encode(), digest_size=8).hexdigest()

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Return the figures of the sentence without duplicates."""
        return tuple({figure.id: figure for figure in self.sentence.figures}.values())

    @property
    def title(self) -> str:
        """Return the alert's title: one line that contains nothing from a post."""
        message = load_messages(self.language)
        return message("alert.subject", project=self.project, rule=self.rule, week=str(self.week))

    @property
    def body(self) -> str:
        """Return the alert as text for a person; texts from posts are printable and on one line."""
        message = load_messages(self.language)
        days = message.days(self.period)
        lines = [
            printable_text(self.sentence.text),
            "",
            message("alert.rule", rule=printable_text(self.rule)),
            message("alert.week", week=str(self.week), days=days),
        ]
        if self.flags:
            flag_names = [message.word("flag", flag) for flag in self.flags]
            lines.append(message("alert.flags", flags=message("join.list").join(flag_names)))
        if self.quotes:
            lines += ["", message("alert.quotes")]
            lines += [f"- {_format_quote(quote, message)}" for quote in self.quotes]
        evidence_ids = " ".join(figure.id for figure in self.figures)
        lines += ["", message("alert.evidence", ids=evidence_ids), ""]
        return "\n".join(lines)

    @property
    def payload(self) -> dict[str, Any]:
        """Return the alert as plain values, for a program (docs/alerts.md).

        `text` is the sentence alone, `body` the text for a person.
        """
        post_ids: dict[str, None] = {}
        for figure in self.figures:
            post_ids.update(dict.fromkeys(figure.posts))
        return {
            "schema": ALERT_SCHEMA,
            "id": self.id,
            "rule": self.rule,
            "kind": self.kind,
            "subject": self.subject,
            "week": str(self.week),
            "span": str(self.period),
            "project": self.project,
            "language": self.language,
            "title": self.title,
            "text": printable_text(self.sentence.text),
            "body": self.body,
            "flags": list(self.flags),
            "figures": [_figure_fields(figure) for figure in self.figures],
            "posts": list(post_ids),
            "quotes": [_quote_fields(quote) for quote in self.quotes],
        }


def topic_sentence(topic: ReportTopic, score: Figure, message: Messages) -> FigureSentence:
    """Compose the sentence of an alert about an emerging topic."""
    gain: MessageParts = ()
    if topic.gain.value is not None:
        gain = tuple(message.parts("fragment.alert_gain", gain=topic.gain))
    return message.sentence(
        "alert_topic",
        topic=ExternalText(topic.label(message.language)),
        score=score,
        authors=topic.authors,
        posts=topic.posts,
        gain=gain,
    )


def sentiment_sentence(
    brand: str, net: Figure, change: Change, message: Messages
) -> FigureSentence:
    """Compose the sentence of an alert about a fall of net sentiment."""
    if UNMEASURABLE_FLAG in net.flags:
        return message.sentence(
            "alert_sentiment_unmeasurable", brand=ExternalText(brand), change=change.figure, net=net
        )
    return message.sentence(
        "alert_sentiment",
        brand=ExternalText(brand),
        change=change.figure,
        net=net,
        range=range_words(net, message),
    )


def volume_sentence(
    query: str, authors: Figure, expected: Figure, message: Messages
) -> FigureSentence:
    """Compose the sentence of an alert about a query that more authors than expected match."""
    return message.sentence(
        "alert_volume", query=ExternalText(query), authors=authors, expected=expected
    )


def select_alert_quotes(quotes: Iterable[Quote]) -> tuple[Quote, ...]:
    """Return the first MAX_ALERT_QUOTES quotes whose authors and texts all differ."""
    selected: list[Quote] = []
    for quote in quotes:
        if not any(_are_alike(quote, earlier) for earlier in selected):
            selected.append(quote)
    return tuple(selected[:MAX_ALERT_QUOTES])


def _are_alike(first: Quote, second: Quote) -> bool:
    """Return whether two quotes have the same text or the same, known author."""
    has_same_author = first.author is not None and first.author == second.author
    return has_same_author or first.text == second.text


def _format_quote(quote: Quote, message: Messages) -> str:
    return message(
        "alert.quote",
        text=printable_text(quote.text),
        source=printable_text(quote.source),
        day=message.day(quote.published_at.date()),
    )


def _quote_fields(quote: Quote) -> dict[str, Any]:
    """Return a quote without its author, not even as a hash: an alert leaves the machine."""
    return {
        "id": quote.id,
        "text": printable_text(quote.text),
        "source": quote.source,
        "url": quote.url,
        "published_at": quote.published_at.astimezone(UTC).isoformat(),
    }


def _figure_fields(figure: Figure) -> dict[str, Any]:
    return {
        "measure": figure.measure,
        "brand": figure.brand,
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "n": figure.n,
        "unit": figure.unit,
        "flags": list(figure.flags),
        "evidence": figure.id,
    }
