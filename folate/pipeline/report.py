"""The weekly report: built on fixed table versions and written as HTML, JSON and other formats."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from corpora.corpus import Corpus
from corpora.index.versions import version_name
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
_MAX_TABLE_VERSION = 2**63  # Delta counts versions in 64 bits
# Written by the report itself, so no part of the data on which it is built.
DERIVED_TABLES = frozenset({"evidence"})


@dataclass(frozen=True)
class WrittenReport:
    """The files of a written report and its most important lines."""

    paths: dict[str, Path]  # by format
    headlines: list[str]


def build_report(
    project: Project,
    period: Period,
    language: str | None = None,
    versions: Mapping[str, int] | None = None,
) -> Report:
    """Build the report of `period` on `versions` of the tables, or on the newest ones.

    Raises StoreError if these versions cannot be read.
    """
    config = project.config
    store = project.store
    if versions is None:
        versions = {
            table: version
            for table, version in store.versions().items()
            if table not in DERIVED_TABLES
        }
    with show_elapsed_time("building the report"):
        return assemble_report(
            store.snapshot(versions),
            config,
            period,
            language or config.language,
            datetime.now(UTC),
            reader_version=text_version(project),
            domain_errors=model_domain_errors(config.nlp.model),
            open_corpus=corpus_opener(project, versions),
        )


def corpus_opener(project: Project, versions: Mapping[str, int]) -> Callable[[], Corpus]:
    """Return a function that opens the corpus of a project at these versions of the tables."""
    return lambda: Corpus.open(project.root, version_name(versions))


def write_report(
    project: Project,
    week: Week,
    language: str | None = None,
    output: Path | None = None,
    *,
    pinned_report: Path | None = None,
    report_format: str = "html",
) -> WrittenReport:
    """Build the report of `week` and write it to the folder `output` or that of the project.

    The report is built on the newest table versions, or on those of `pinned_report`, a report in
    JSON. HTML and JSON are always written, together with `report_format` (one of FORMATS) and
    the index of all weeks in the folder. Each file is written atomically, and the JSON contains
    the digest of its HTML page.

    Raises InputError if `pinned_report` is no report, StoreError if its versions can no longer be
    read, MissingExtra if a PDF is requested and no browser is installed.
    """
    versions = _read_table_versions(pinned_report) if pinned_report else None
    report = build_report(project, week, language, versions)
    folder = output or project.reports_folder
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{week}.{name}" for name in ("html", "json", report_format)}
    page = render_html(report).encode("utf-8", "replace")
    document = to_json(report, page)
    rendered = RENDERERS[report_format](report) if report_format in RENDERERS else b""
    project.store.upsert("evidence", report.evidence)  # before the pages that refer to it
    write_atomically(paths["html"], page)
    write_atomically(paths["json"], document)  # after its page, whose digest it contains
    write_index(folder, report.language)
    if report_format == "pdf":
        print_page(paths["html"], paths["pdf"])
    elif report_format in RENDERERS:
        write_atomically(paths[report_format], rendered)
    return WrittenReport(paths, [printable_text(line) for line in report.headlines])


def find_evidence(snapshot: Snapshot, evidence_id: str) -> dict[str, Any]:
    """Return the row of the table `evidence` with this id, or with the only id that begins so.

    Raises NotFound if no id or several ids begin with `evidence_id`.
    """
    query = "SELECT * FROM evidence WHERE starts_with(id, $id) ORDER BY id LIMIT 6"
    candidates = snapshot.sql(query, {"id": evidence_id}).to_pylist()
    matches = [row for row in candidates if row["id"] == evidence_id] or candidates
    if len(matches) != 1:
        choices = ", ".join(row["id"] for row in candidates[:5])
        raise NotFound(
            "wanted the id of one number or sentence of a report, "
            f"got {evidence_id!r}; possible: "
            f"{choices or 'none with that beginning; the report prints them'}."
        )
    return dict(matches[0])


def evidence_text(project: Project, evidence_id: str) -> str:
    """Return what `folate evidence ID` prints: number, definition, query and posts.

    The posts are read in the table versions of the report. For a sentence, the evidence of each
    of its numbers is returned.
    """
    newest_snapshot = project.store.snapshot()
    evidence = find_evidence(newest_snapshot, evidence_id)
    report_snapshot = project.store.snapshot(json.loads(evidence["versions"]))
    rows = [evidence]
    if evidence["measure"] == SENTENCE_MEASURE:
        rows = newest_snapshot.sql(evidence["query"]).to_pylist()
    timezone = project.config.timezone
    return "\n\n".join(explain_evidence(row, report_snapshot, timezone) for row in rows)


def _read_table_versions(report_path: Path) -> Mapping[str, int]:
    """Return the table versions on which a report in JSON was built. Raises InputError."""
    try:
        versions = json.loads(report_path.read_text(encoding="utf-8"))["versions"]
        if all(
            type(version) is int and 0 <= version < _MAX_TABLE_VERSION
            for version in versions.values()
        ):
            return dict(versions)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass  # reported below, like versions that are no numbers
    raise InputError(f"wanted a report in JSON with its corpus versions, got {report_path}.")
