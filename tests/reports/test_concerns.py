"""Three concerns that are tracked beside three that nobody tracked, each with its evidence."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from folate.core.config import Config
from folate.core.weeks import Week
from reports.build import Report, assemble_report
from reports.render.document import report_document
from reports.render.html import render_html

TOPIC = {
    "state": "new",
    "label_zh": "叶酸",
    "label_en": "folic acid",
    "terms": ["叶酸"],
    "score": 9.0,
    "q": 0.01,
    "posts": 12,
    "authors": 12,
    "watched": False,
    "sources": ["weiba"],
    "languages": ["zh"],
    "flags": [],
    "segments": [],
    "brands": ["heye"],
    "evidence": [],
}
NET = {
    "inside": -0.4,
    "outside": 0.2,
    "difference": -0.6,
    "low": -0.8,
    "high": -0.4,
    "authors": 12,
    "others": 80,
}


def assemble_concerns_report(
    blank: Any, folder: Path, config: Config, week: Week, monday: datetime
) -> Report:
    for i, text in enumerate(
        (
            "禾叶的包装漏了",
            "禾叶包装难撕",
            "禾叶 packaging is awful",
            "禾叶 repackaging?",
            "康本的包装",
        )
    ):
        blank.add(
            text,
            monday + timedelta(hours=i),
            brand="kangben" if i == 4 else "heye",
            author=f"{i:016x}",
        )
    for name, changed, authors in (
        ("a", {}, 7),
        ("b", {"watched": True}, 9),
        ("c", {"state": "fading"}, 9),
        ("d", {"label_zh": "转基因", "label_en": ""}, 8),
    ):
        detail = {"goes_with": {"heye": {"authors": authors}}, "sentiment": NET, "rank": ord(name)}
        blank.tables["topics"].append(
            TOPIC | {"week": str(week), "id": name, "detail": json.dumps(detail)} | changed
        )
    return assemble_report(
        blank.snapshot(folder),
        replace(config, watch=("包装", "packaging", "价格", "口味", " ")),
        week,
    )


def test_tracked_and_untracked_concerns_stand_side_by_side(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    report = assemble_concerns_report(blank, tmp_path, config, week, monday)
    tracked, untracked = report.concerns.tracked, report.concerns.untracked
    assert [(c.label("zh"), c.authors.value) for c in tracked] == [
        ("包装", 2),
        ("packaging", 1),
        ("价格", 0),
    ]
    assert [(c.label("zh"), c.authors.value) for c in untracked] == [
        ("转基因", 8),
        ("叶酸 / folic acid", 7),
    ]
    assert {c.authors.id for c in (*tracked, *untracked)} <= {row["id"] for row in report.evidence}
    assert [c["labels"]["en"] for c in report_document(report)["concerns"]["untracked"]] == [
        "转基因",
        "folic acid / 叶酸",
    ]
    for query, value in [(c.authors.query, c.authors.value) for c in untracked]:
        assert blank.snapshot(tmp_path).sql(query).column(0)[0].as_py() == value


def test_the_sentiment_of_a_topic_is_shown_with_its_interval(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    report = assemble_concerns_report(blank, tmp_path, config, week, monday)
    net = report.topics[0].net
    assert net is not None
    assert (net.value, net.low, net.high, net.n) == (-0.6, -0.8, -0.4, 12)
    page = render_html(report)
    assert "Net sentiment of these people less that of the others" in page
    assert "The concerns that you track" in page


def test_without_a_brand_of_our_own_there_is_no_such_section(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    others = tuple(replace(brand, own=False) for brand in config.brands)
    report = assemble_concerns_report(blank, tmp_path, replace(config, brands=others), week, monday)
    assert report.concerns.tracked == report.concerns.untracked == ()
    assert "The concerns that you track" not in render_html(report)
