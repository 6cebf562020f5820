"""The weekly report: built on pinned versions, written as HTML and JSON, its evidence kept in the store."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from corpora.store.snapshot import Snapshot
from folate.core.errors import InputError, NotFound
from folate.core.files import write_atomically
from folate.core.progress import show_elapsed_time
from folate.core.text import printable_text
from folate.core.weeks import Period, Week
from folate.pipeline.annotate.text import text_version
from folate.pipeline.project import Project
from nlp.model import model_domain_errors
from reports.build import Report, assemble_report
from reports.evidence import explain_evidence
from reports.figures import SENTENCE_MEASURE
from reports.render import markdown, xlsx
from reports.render.document import to_json
from reports.render.html import render_html
from reports.render.index import write_index
from reports.render.pdf import print_page

FORMATS = ("html", "json", "md", "xlsx", "pdf")
RENDERERS: dict[str, Callable[[Report], bytes]] = {
    "md": markdown.render_markdown,
    "xlsx": xlsx.render_workbook,
}
_NEWEST = 2**63  # no table has so many versions, and Delta can't count further
DERIVED_TABLES = frozenset(
    {"evidence"}
)  # what a report writes itself is no part of what it is built on


@dataclass(frozen=True)
class WrittenReport:
    """Where the report lies, by format, and the lines that matter most."""

    paths: dict[str, Path]
    headlines: list[str]


def build_report(
    project: Project,
    period: Period,
    language: str | None = None,
    versions: Mapping[str, int] | None = None,
) -> Report:
    """The report of `week`, on the newest versions of the tables or on `versions`. Raises StoreError when these can't be read."""
    config, store = project.config, project.store
    pinned = (
        {k: v for k, v in store.versions().items() if k not in DERIVED_TABLES}
        if versions is None
        else versions
    )
    with show_elapsed_time("building the report"):
        return assemble_report(
            store.snapshot(pinned),
            config,
            period,
            language or config.language,
            datetime.now(UTC),
            reader_version=text_version(project),
            domain_errors=model_domain_errors(config.nlp.model),
        )


def write_report(
    project: Project, week: Week, language: str | None = None, output: Path | None = None, pinned_report: Path | None = None, report_format: str = "html"
) -> WrittenReport:  # fmt: skip
    """Build the report of `week` on the newest versions, or on those that the report `at` (JSON) names, and write it.

    HTML and JSON are always written, `form` (one of FORMATS) beside them, and the index of all weeks in the folder anew; each file is
    whole or not there, and the JSON names the page that it was written with.
    Raises InputError when `at` is no report, StoreError when its versions can't be read any more, MissingExtra for a PDF without a
    browser.
    """
    report = build_report(
        project, week, language, _versions_of(pinned_report) if pinned_report else None
    )
    folder = output or project.reports_folder
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{week}.{name}" for name in ("html", "json", report_format)}
    page = render_html(report).encode("utf-8", "replace")
    figures = to_json(report, page)
    more = RENDERERS[report_format](report) if report_format in RENDERERS else b""
    project.store.upsert("evidence", report.evidence)  # first: what a page leads to must be there
    write_atomically(paths["html"], page)
    write_atomically(paths["json"], figures)  # last of the pair: it tells which page it belongs to
    write_index(folder, report.language)
    if report_format == "pdf":
        print_page(paths["html"], paths["pdf"])
    elif report_format in RENDERERS:
        write_atomically(paths[report_format], more)
    return WrittenReport(paths, [printable_text(line) for line in report.headlines])


def find_evidence(snapshot: Snapshot, evidence_id: str) -> dict[str, Any]:
    """The row of the table `evidence`; the beginning of an id is enough when it is the only one. Raises NotFound."""
    query = "SELECT * FROM evidence WHERE starts_with(id, $id) ORDER BY id LIMIT 6"
    rows = snapshot.sql(query, {"id": evidence_id}).to_pylist()
    exact = [row for row in rows if row["id"] == evidence_id] or rows
    if len(exact) != 1:
        known = (
            ", ".join(row["id"] for row in rows[:5])
            or "none with that beginning; the report prints them"
        )
        raise NotFound(
            f"wanted the id of one number or sentence of a report, got {evidence_id!r}; possible: {known}."
        )
    return dict(exact[0])


def evidence_text(project: Project, evidence_id: str) -> str:
    """What `folate evidence ID` prints: the number, its definition and query, and the posts as they stood; each number of a sentence."""
    newest = project.store.snapshot()
    row = find_evidence(newest, evidence_id)
    stood = project.store.snapshot(json.loads(row["versions"]))
    behind = newest.sql(row["query"]).to_pylist() if row["measure"] == SENTENCE_MEASURE else [row]
    return "\n\n".join(explain_evidence(one, stood, project.config.timezone) for one in behind)


def _versions_of(path: Path) -> Mapping[str, int]:
    """The corpus versions that a report names. Raises InputError."""
    try:
        versions = json.loads(path.read_text(encoding="utf-8"))["versions"]
        if all(type(number) is int and 0 <= number < _NEWEST for number in versions.values()):
            return dict(versions)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass  # told below, with every other way of not being a report
    raise InputError(f"wanted a report in JSON with its corpus versions, got {path}.")
