"""The documentation agrees with the code."""

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
    text = (DOCS / "measures.md").read_text(encoding="utf-8")
    _, *sections = re.split(r"^### ", text, flags=re.MULTILINE)
    assert {section.split()[0] for section in sections} == set(MEASURE_UNITS)
    for section in sections:
        assert re.findall(r"^- (\w+): \S", section, flags=re.MULTILINE) == [
            "formula",
            "unit",
            "source",
            "caveat",
        ]


# Fields whose keys are names from the data.
DATA_KEYED_FIELDS = {"versions", "labels", "measures", "changes", "trailing", "trend"}


def collect_field_names(value: Any) -> set[str]:
    """Return the keys of a document at any depth, without those that are names from the data."""
    if isinstance(value, list):
        return set().union(*map(collect_field_names, value))
    if not isinstance(value, dict):
        return set()
    names = set(value)
    for key, content in value.items():
        is_keyed_by_data = key in DATA_KEYED_FIELDS
        names |= collect_field_names(list(content.values()) if is_keyed_by_data else content)
    return names


def test_every_field_of_the_document_is_described(
    snapshot: Snapshot, config: Config, week: Week
) -> None:
    text = (DOCS / "report.md").read_text(encoding="utf-8")
    values = report_document(assemble_report(snapshot, config, week))
    rows = values.pop("evidence")
    described = set(re.findall(r"`([a-z_]+)`", text))
    assert collect_field_names(values) | {"evidence"} <= described
    assert {*MEASURE_UNITS.values(), *CHANGE_UNITS.values()} <= set(
        re.findall(r"`([a-z ]+)`", text)
    )
    assert REPORT_SCHEMA in text
    assert rows
