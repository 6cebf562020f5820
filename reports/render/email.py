"""The words of the mail that a report travels with: its summary, as text and as HTML."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from folate.core.text import printable_text
from reports.messages import load_messages

_HTML = Markup(
    '<!doctype html><html lang="{language}"><meta charset="utf-8"><body style="font:16px/1.5 sans-serif;max-width:40em">'
    '<h1 style="font-size:20px">{subject}</h1><ul>{sentences}</ul>{notes}</body></html>\n'
)


@dataclass(frozen=True)
class ReportEmail:
    """A subject, and a body in both forms."""

    subject: str
    text: str
    html: str


def compose_report_email(document: Mapping[str, Any]) -> ReportEmail:
    """The letter for a report in JSON (`reports.render.document`), in its language. What the data says stays text."""
    say = load_messages(document["language"])
    subject = say(
        "mail.subject", project=printable_text(document["project"]), week=document["week"]
    )
    sentences = [printable_text(sentence["text"]) for sentence in document["summary"]]
    notes = [
        say(key)
        for key in ("mail.partial", "mail.attached")
        if key != "mail.partial" or document["partial_until"]
    ]
    text = "\n".join([subject, "", *(f"- {sentence}" for sentence in sentences), "", *notes, ""])
    html = _HTML.format(
        language="zh-Hans" if say.language == "zh" else "en", subject=subject, sentences=_each("<li>{}</li>", sentences),
        notes=_each("<p>{}</p>", notes),
    )  # fmt: skip
    return ReportEmail(subject, text, html)


def _each(element: str, texts: list[str]) -> Markup:
    return Markup().join(Markup(element).format(text) for text in texts)  # noqa: S704  # our element; `format` escapes the text
