"""What an alert says: one sentence over figures, three voices without names, and the ids behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from hashlib import blake2b
from typing import Any

from folate.core.text import printable_text
from folate.core.weeks import Period, Week
from reports.figures import UNMEASURABLE_FLAG, Change, ExternalText, Figure, FigureSentence
from reports.messages import Messages, load_messages
from reports.sections.quotes import Quote
from reports.sections.summary import range_words
from reports.sections.topics import ReportTopic

ALERT_SCHEMA = "folate-alert/1"
MAX_ALERT_QUOTES = 3


@dataclass(frozen=True, kw_only=True)
class Alert:
    """A rule that held in a week, of one subject: a topic, a brand, or (empty) the posts of a query."""

    rule: str
    kind: str  # topic, sentiment, volume
    subject: str
    period: Period  # the week or the seven days that were judged
    week: Week  # that it is an event of
    project: str
    language: str
    sentence: FigureSentence
    flags: tuple[str, ...] = ()  # why to be careful: keys of [flag] in the catalogue
    quotes: tuple[Quote, ...] = ()

    @property
    def id(self) -> str:
        """The event: the same rule, subject and week are the same event, whatever the figures have become."""
        return blake2b(
            "\0".join((self.rule, self.subject, str(self.week))).encode(), digest_size=8
        ).hexdigest()

    @property
    def figures(self) -> tuple[Figure, ...]:
        return tuple({figure.id: figure for figure in self.sentence.figures}.values())

    @property
    def title(self) -> str:
        """One line; it names nothing that came from the web."""
        return load_messages(self.language)(
            "alert.subject", project=self.project, rule=self.rule, week=str(self.week)
        )

    @property
    def body(self) -> str:
        """The alert for a person to read, on lines of its own. Whatever came from the web is printable and stays on its line."""
        say = load_messages(self.language)
        lines = [
            printable_text(self.sentence.text),
            "",
            say("alert.rule", rule=printable_text(self.rule)),
        ]
        lines.append(say("alert.week", week=str(self.week), days=say.days(self.period)))
        if self.flags:
            lines.append(
                say(
                    "alert.flags",
                    flags=say("join.list").join(say.word("flag", flag) for flag in self.flags),
                )
            )
        if self.quotes:
            lines += [
                "",
                say("alert.quotes"),
                *(f"- {_quoted(quote, say)}" for quote in self.quotes),
            ]
        return "\n".join(
            [
                *lines,
                "",
                say("alert.evidence", ids=" ".join(figure.id for figure in self.figures)),
                "",
            ]
        )

    @property
    def payload(self) -> dict[str, Any]:
        """The alert for a program (docs/alerts.md). `text` is its sentence, without a quote; `body` is the whole, for a person to read."""
        posts = dict.fromkeys(post for figure in self.figures for post in figure.posts)
        return {
            "schema": ALERT_SCHEMA, "id": self.id, "rule": self.rule, "kind": self.kind, "subject": self.subject, "week": str(self.week),
            "span": str(self.period), "project": self.project, "language": self.language, "title": self.title,
            "text": printable_text(self.sentence.text), "body": self.body, "flags": list(self.flags),
            "figures": [_figure(figure) for figure in self.figures], "posts": list(posts),
            "quotes": [_quote(quote) for quote in self.quotes],
        }  # fmt: skip


def topic_sentence(topic: ReportTopic, score: Figure, message: Messages) -> FigureSentence:
    gain = (
        tuple(message.parts("fragment.alert_gain", gain=topic.gain))
        if topic.gain.value is not None
        else ()
    )
    name = ExternalText(topic.label(message.language))
    return message.sentence(
        "alert_topic", topic=name, score=score, authors=topic.authors, posts=topic.posts, gain=gain
    )


def sentiment_sentence(
    brand: str, net: Figure, change: Change, message: Messages
) -> FigureSentence:
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
    return message.sentence(
        "alert_volume", query=ExternalText(query), authors=authors, expected=expected
    )


def by_different_authors(quotes: Sequence[Quote]) -> tuple[Quote, ...]:
    """The first three, one an author and one a text."""
    kept: list[Quote] = []
    for quote in quotes:
        if all(
            quote.text != other.text and (quote.author is None or quote.author != other.author)
            for other in kept
        ):
            kept.append(quote)
    return tuple(kept[:MAX_ALERT_QUOTES])


def _quoted(quote: Quote, say: Messages) -> str:
    return say(
        "alert.quote",
        text=printable_text(quote.text),
        source=printable_text(quote.source),
        day=say.day(quote.published_at.date()),
    )


def _quote(quote: Quote) -> dict[str, Any]:
    """Without the author, not even as a hash: an alert leaves the machine."""
    return {
        "id": quote.id, "text": printable_text(quote.text), "source": quote.source, "url": quote.url,
        "published_at": quote.published_at.astimezone(UTC).isoformat(),
    }  # fmt: skip


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "measure": figure.measure, "brand": figure.brand, "value": figure.value, "low": figure.low, "high": figure.high, "n": figure.n,
        "unit": figure.unit, "flags": list(figure.flags), "evidence": figure.id,
    }  # fmt: skip
