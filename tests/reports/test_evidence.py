"""What `folate evidence ID` prints."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from corpora.store.snapshot import Snapshot
from folate.core.config import Config
from folate.core.text import printable_text
from folate.core.weeks import Week
from reports.build import Report, assemble_report
from reports.evidence import explain_evidence


@pytest.fixture(scope="module")
def report(snapshot: Snapshot, config: Config, week: Week) -> Report:
    return assemble_report(snapshot, config, week, "zh")


def test_everything_behind_a_number_is_printed(
    report: Report, snapshot: Snapshot, corpus: Any
) -> None:
    figure = report.brands[0].figures["share_of_voice"]
    row = next(row for row in report.evidence if row["id"] == figure.id)
    text = explain_evidence(row, snapshot)
    assert text.startswith("Share of voice of heye, 2026-W10\nvalue       5")
    for part in (
        "interval    4",
        "n           ",
        "definition  Distinct authors",
        "versions    aspects 1, comparisons 1, crawls 1, duplicates 1",
        "FILTER (brand",
    ):
        assert part in text
    first = next(post for post in corpus.posts if post.id == figure.posts[0])
    assert f"  {first.id}  " in text
    assert first.author[:8] in text
    assert first.author not in text
    assert text.count("\n  weiba:") + text.count("\n  mombaby:") + text.count("\n  shop:") == 100


def test_a_number_without_value_or_posts(report: Report, snapshot: Snapshot) -> None:
    row = {
        "id": "0",
        "week": "2026-W10",
        "measure": "rating",
        "brand": None,
        "subject": None,
        "value": None,
        "n": 0,
        "low": None,
        "high": None,
        "definition": "Mean.",
        "query": "SELECT 1",
        "versions": "{}",
        "posts": None,
    }
    text = explain_evidence(row, snapshot)
    assert "value       not measured" in text
    assert "versions    an empty corpus" in text
    assert text.endswith("posts       none")


def test_posts_cannot_command_a_terminal(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    blank.add("禾叶\x1b[2J\u202e反 👩‍👩‍👧", monday + timedelta(hours=1))
    snapshot = blank.snapshot(tmp_path)
    row = next(
        row
        for row in assemble_report(snapshot, config, week).evidence
        if row["measure"] == "mentions" and row["n"]
    )
    text = explain_evidence(row, snapshot)
    assert "禾叶\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}反 👩‍👩‍👧" in text


def test_days_are_those_of_the_project_and_ids_are_printable(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    post = blank.add("禾叶", monday)  # still Sunday in UTC
    blank.posts[0] = replace(post, id="weiba:\x1b[2J")
    blank.tables["mentions"][0]["id"] = "weiba:\x1b[2J"
    snapshot = blank.snapshot(tmp_path)
    row = next(
        row
        for row in assemble_report(snapshot, config, week).evidence
        if row["measure"] == "mentions" and row["n"]
    )
    shown = "  weiba:\N{REPLACEMENT CHARACTER}[2J  2026-03-0{}  no author  禾叶"
    assert explain_evidence(row, snapshot, config.timezone).endswith(shown.format(2))
    assert explain_evidence(row, snapshot).endswith(shown.format(1))


def test_printable_keeps_both_languages_and_emoji() -> None:
    assert printable_text("叶酸 folic 👍🏽 é") == "叶酸 folic 👍🏽 é"
