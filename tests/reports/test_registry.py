"""A measure is declared once: everything that a report does with it is derived from its row."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from folate.core import measures
from folate.core.config import CAMPAIGN_MEASURES
from reports.measures.formulas import BRAND_FORMULAS
from reports.sections.campaigns.measures import CAMPAIGN_FORMULAS

ROOT = Path(__file__).parents[2]
TOY_ROW = """
    BrandMeasure(
        name="posts_per_week", unit="rate", columns={"voice": 9}
    ),
)
\"\"\"The measures of a brand, in the order of the JSON.\"\"\"
"""
TOY_FORMULA = """
BRAND_FORMULAS["posts_per_week"] = BrandFormula(
    _count_mentions, "SELECT count(*) FROM ({rows}) WHERE brand = {brand}"
)
"""
TOY_MESSAGE = """
[measure.posts_per_week]
name = "Posts per week"
definition = "Posts of the week."
"""
REPORT_SCRIPT = """
import json, sys
from pathlib import Path
from corpora.store.store import Store
from folate.core.config import Brand, Config
from folate.core.weeks import Week
from reports.build import assemble_report
from reports.render import markdown
from reports.render.document import report_document
from reports.render.html import render_html

config = Config(name="toy", timezone="Asia/Shanghai", brands=(
    Brand(id="heye", names=("禾叶", "Heye"), own=True), Brand(id="kangben", names=("康本",)),
))
report = assemble_report(Store(Path(sys.argv[1])).snapshot(), config, Week(2026, 10))
brand = report_document(report)["brands"][0]
print(json.dumps({
    "measure": brand["measures"]["posts_per_week"],
    "change": brand["changes"]["posts_per_week"],
    "mentions": brand["measures"]["mentions"]["value"],
    "last": list(brand["measures"])[-1],
    "in_page": "Posts per week" in render_html(report),
    "in_markdown": "Posts per week" in markdown.render_markdown(report).decode(),
    "definition": [
        row["definition"] for row in report.evidence if row["measure"] == "posts_per_week"
    ][0],
}))
"""


def test_every_brand_measure_has_a_formula() -> None:
    assert list(BRAND_FORMULAS) == [measure.name for measure in measures.BRAND_MEASURES]


def test_every_campaign_measure_has_a_formula_and_may_be_a_goal() -> None:
    assert list(CAMPAIGN_FORMULAS) == [measure.name for measure in measures.CAMPAIGN_MEASURES]
    assert tuple(name.removeprefix("campaign_") for name in CAMPAIGN_FORMULAS) == CAMPAIGN_MEASURES


def test_no_two_columns_of_a_table_have_the_same_position() -> None:
    positions = [
        (table, position)
        for measure in measures.BRAND_MEASURES
        for table, position in measure.columns.items()
    ]
    assert len(positions) == len(set(positions))


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_a_new_measure_needs_a_row_a_formula_and_its_names(corpus: Any, tmp_path: Path) -> None:
    """Copies of folate and reports with a toy measure: nothing else is edited."""
    for package in ("folate", "reports"):
        shutil.copytree(ROOT / package, tmp_path / package)
    registry = tmp_path / "folate" / "core" / "measures.py"
    text = registry.read_text(encoding="utf-8")
    marker = '\n)\n"""The measures of a brand, in the order of the JSON."""\n'
    assert text.count(marker) == 1
    registry.write_text(text.replace(marker, TOY_ROW), encoding="utf-8")
    append(tmp_path / "reports" / "measures" / "formulas.py", TOY_FORMULA)
    for language in ("en", "zh"):
        append(tmp_path / "reports" / "messages" / f"{language}.toml", TOY_MESSAGE)
    corpus.snapshot(tmp_path / "store")
    done = subprocess.run(
        [sys.executable, "-c", REPORT_SCRIPT, str(tmp_path / "store")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["measure"]["value"] == shown["mentions"]
    assert shown["measure"]["low"] is not None
    assert shown["change"]["unit"] == "relative"
    assert shown["last"] == "posts_per_week"
    assert (shown["in_page"], shown["in_markdown"]) == (True, True)
    assert shown["definition"] == "Posts of the week."
