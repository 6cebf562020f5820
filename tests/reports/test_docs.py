"""What is promised in docs/ is what the code does."""

import re
from pathlib import Path
from typing import Any

from corpora.store.snapshot import Snapshot
from folate.core.config import Config
from folate.core.weeks import Week
from reports.build import assemble_report
from reports.figures import CHANGE_UNITS, MEASURE_UNITS
from reports.render.document import REPORT_SCHEMA, report_document

DOCS = Path(__file__).parents[2] / "docs"


def test_every_measure_has_formula_unit_source_and_caveat() -> None:
    sections = re.split(
        r"^### ", (DOCS / "measures.md").read_text(encoding="utf-8"), flags=re.MULTILINE
    )[1:]
    assert {section.split()[0] for section in sections} == set(MEASURE_UNITS)
    for section in sections:
        assert re.findall(r"^- (\w+): \S", section, flags=re.MULTILINE) == [
            "formula",
            "unit",
            "source",
            "caveat",
        ]


def names(value: Any) -> set[str]:
    """Keys of the document at any depth, but not those that data names."""
    if isinstance(value, list):
        return set().union(*map(names, value))
    if not isinstance(value, dict):
        return set()
    by_data = {"versions", "labels", "measures", "changes", "trailing", "trend"}
    return set(value) | set().union(
        *(names(list(v.values()) if key in by_data else v) for key, v in value.items())
    )


def test_every_field_of_the_document_is_described(
    snapshot: Snapshot, config: Config, week: Week
) -> None:
    text = (DOCS / "report.md").read_text(encoding="utf-8")
    values = report_document(assemble_report(snapshot, config, week))
    rows = values.pop("evidence")
    described = set(re.findall(r"`([a-z_]+)`", text))
    assert names(values) | {"evidence"} <= described
    assert {*MEASURE_UNITS.values(), *CHANGE_UNITS.values()} <= set(
        re.findall(r"`([a-z ]+)`", text)
    )
    assert REPORT_SCHEMA in text
    assert rows
