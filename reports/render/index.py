"""index.html: every week that has a report in a folder, newest first."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from folate.core.errors import ConfigError
from folate.core.files import write_atomically
from folate.core.weeks import Week
from reports.figures import Change, Figure, NoEvidence
from reports.messages import load_messages
from reports.render.document import REPORT_SCHEMA

_NO_REPORT = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    ConfigError,
    NoEvidence,
)
"""What reading a JSON file raises that is no report of this schema."""

KEY_FIGURES = ("share_of_voice", "net_sentiment_polar", "authors")


@dataclass(frozen=True)
class IndexEntry:
    """One week: its first sentence, and the figures of the brand that it is about."""

    week: Week
    language: str
    project: str
    headline: str
    partial: bool
    brand: str | None  # label; None when the project has no brand
    figures: Mapping[str, Figure]
    changes: Mapping[str, Change]


def write_index(folder: Path, language: str) -> Path:
    """Write index.html over the reports (JSON, with their page beside them) in `folder`. Other files are left out."""
    found = sorted(read_index_entries(folder), key=lambda entry: entry.week, reverse=True)
    say = load_messages(language)
    templates = Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = templates.get_template("index.html.j2").render(
        entries=found, say=say, project=found[0].project if found else "", measures=KEY_FIGURES,
        style=Markup(files("reports").joinpath("templates", "style.css").read_text(encoding="utf-8")),  # noqa: S704  # ours
    )  # fmt: skip
    path = folder / "index.html"
    write_atomically(path, page)
    return path


def read_index_entries(folder: Path) -> Iterator[IndexEntry]:
    """The reports in `folder`, in no order."""
    for path in folder.glob("*.json"):
        if not path.with_suffix(".html").exists():
            continue
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if document["schema"] == REPORT_SCHEMA:
                yield _entry(document)
        except _NO_REPORT:
            continue


def is_report(document: Any) -> bool:
    """Whether a JSON value is a report of this schema, as far as the index reads it."""
    try:
        if document["schema"] != REPORT_SCHEMA:
            return False
        _entry(document)
    except _NO_REPORT:
        return False
    return True


def _entry(document: Mapping[str, Any]) -> IndexEntry:
    rows = {row["id"]: row for row in document["evidence"]}
    about = _subject(document["brands"])
    return IndexEntry(
        week=Week.parse(document["week"]),
        language=document["language"],
        project=document["project"],
        headline=document["summary"][0]["text"],
        partial=document["partial_until"] is not None,
        brand=about["label"] if about else None,
        figures={name: _figure(about["measures"][name], rows) for name in KEY_FIGURES}
        if about
        else {},
        changes={
            name: _change(about["changes"][name], rows)
            for name in KEY_FIGURES
            if name in about["changes"]
        }
        if about
        else {},
    )


def _subject(brands: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Ours, else the one with the largest share of voice, as on the page."""
    own = next((brand for brand in brands if brand["own"]), None)
    return own or max(
        brands, key=lambda brand: brand["measures"]["share_of_voice"]["value"] or 0.0, default=None
    )


def _figure(found: Mapping[str, Any], rows: Mapping[str, Any]) -> Figure:
    row = rows[found["evidence"]]
    kept = ("measure", "week", "brand", "value", "low", "high", "n", "query", "versions")
    return Figure(**{name: row[name] for name in kept}, flags=tuple(found["flags"]))


def _change(found: Mapping[str, Any], rows: Mapping[str, Any]) -> Change:
    return Change(
        figure=_figure(found, rows),
        detectable=_figure(found["detectable"], rows),
        significant=found["direction"] != "none",
    )
