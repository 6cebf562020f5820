"""index.html of a folder of reports: every week with a report, the newest first."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from folate.core.errors import ConfigError
from folate.core.files import write_atomically
from folate.core.weeks import Week
from reports.figures import Change, Figure, NoEvidence
from reports.messages import load_messages
from reports.render.document import REPORT_SCHEMA
from reports.render.template import create_template_environment, load_style_sheet

# What reading a JSON file raises if it is no report of this schema.
_NOT_A_REPORT_ERRORS = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    RecursionError,
    ConfigError,
    NoEvidence,
)
KEY_FIGURES = ("share_of_voice", "net_sentiment_polar", "authors")
_FIGURE_FIELDS = ("measure", "week", "brand", "value", "low", "high", "n", "query", "versions")


@dataclass(frozen=True)
class IndexEntry:
    """One week: the first sentence of its report, and the key figures of its main brand."""

    week: Week
    language: str
    project: str
    headline: str
    partial: bool
    # The label of the main brand; None if the project has no brand.
    brand: str | None
    figures: Mapping[str, Figure]
    changes: Mapping[str, Change]


def write_index(folder: Path, language: str) -> Path:
    """Write index.html with the reports in `folder` that have both JSON and page.

    Returns its path. Other files in the folder are ignored.
    """
    entries = sorted(read_index_entries(folder), key=lambda entry: entry.week, reverse=True)
    page = (
        create_template_environment()
        .get_template("index.html.j2")
        .render(
            entries=entries,
            message=load_messages(language),
            project=entries[0].project if entries else "",
            measures=KEY_FIGURES,
            style=load_style_sheet(),
        )
    )
    path = folder / "index.html"
    write_atomically(path, page)
    return path


def read_index_entries(folder: Path) -> Iterator[IndexEntry]:
    """Yield an entry for each report in `folder`, in no particular order."""
    for path in folder.glob("*.json"):
        if not path.with_suffix(".html").exists():
            continue
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if document["schema"] == REPORT_SCHEMA:
                yield _parse_entry(document)
        except _NOT_A_REPORT_ERRORS:
            continue


def is_report(document: Any) -> bool:
    """Return whether a JSON value has the parts of a report that the index reads."""
    try:
        if document["schema"] != REPORT_SCHEMA:
            return False
        _parse_entry(document)
    except _NOT_A_REPORT_ERRORS:
        return False
    return True


def _parse_entry(document: Mapping[str, Any]) -> IndexEntry:
    evidence = {row["id"]: row for row in document["evidence"]}
    brand = _find_subject_brand(document["brands"])
    figures = {}
    changes = {}
    for name in KEY_FIGURES if brand else ():
        figures[name] = _parse_figure(brand["measures"][name], evidence)
        if name in brand["changes"]:
            changes[name] = _parse_change(brand["changes"][name], evidence)
    return IndexEntry(
        week=Week.parse(document["week"]),
        language=document["language"],
        project=document["project"],
        headline=document["summary"][0]["text"],
        partial=document["partial_until"] is not None,
        brand=brand["label"] if brand else None,
        figures=figures,
        changes=changes,
    )


def _find_subject_brand(brands: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return our own brand, or else that with the largest share of voice; empty without brands."""
    for brand in brands:
        if brand["own"]:
            return brand

    def share_of_voice(brand: Mapping[str, Any]) -> float:
        share: float | None = brand["measures"]["share_of_voice"]["value"]
        return share or 0.0

    return max(brands, key=share_of_voice, default={})


def _parse_figure(fields: Mapping[str, Any], evidence: Mapping[str, Any]) -> Figure:
    row = evidence[fields["evidence"]]
    return Figure(**{name: row[name] for name in _FIGURE_FIELDS}, flags=tuple(fields["flags"]))


def _parse_change(fields: Mapping[str, Any], evidence: Mapping[str, Any]) -> Change:
    return Change(
        figure=_parse_figure(fields, evidence),
        detectable=_parse_figure(fields["detectable"], evidence),
        significant=fields["direction"] != "none",
    )
