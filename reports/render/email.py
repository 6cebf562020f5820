"""Composes the mail with which a report is sent: its summary as text and as HTML."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from folate.core.text import printable_text
from reports.messages import load_messages

_HTML = Markup(
    '<!doctype html><html lang="{language}"><meta charset="utf-8">'
    '<body style="font:16px/1.5 sans-serif;max-width:40em">'
    '<h1 style="font-size:20px">{subject}</h1><ul>{sentences}</ul>{notes}</body></html>\n'
)
_LIST_ITEM = Markup("<li>{}</li>")
_PARAGRAPH = Markup("<p>{}</p>")


@dataclass(frozen=True)
class ReportEmail:
    """The subject of a mail and its body in both forms."""

    subject: str
    text: str
    html: str


def compose_report_email(document: Mapping[str, Any]) -> ReportEmail:
    """Compose the mail for a report in JSON (`reports.render.document`), in its language.

    Markup in texts from the data is escaped.
    """
    message = load_messages(document["language"])
    project = printable_text(document["project"])
    subject = message("mail.subject", project=project, week=document["week"])
    sentences = [printable_text(sentence["text"]) for sentence in document["summary"]]
    notes = [message("mail.attached")]
    if document["partial_until"]:
        notes.insert(0, message("mail.partial"))
    list_items = [f"- {sentence}" for sentence in sentences]
    text = "\n".join([subject, "", *list_items, "", *notes, ""])
    html = _HTML.format(
        language="zh-Hans" if message.language == "zh" else "en",
        subject=subject,
        sentences=_render_elements(_LIST_ITEM, sentences),
        notes=_render_elements(_PARAGRAPH, notes),
    )
    return ReportEmail(subject, text, html)


def _render_elements(element: Markup, texts: Iterable[str]) -> Markup:
    return Markup().join(element.format(text) for text in texts)
