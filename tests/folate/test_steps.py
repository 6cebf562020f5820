"""The steps of a weekly run: each reads and writes the tables that it declares."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora.store.schema import TABLES
from corpora.store.snapshot import Snapshot
from folate.cli import COMMANDS
from folate.core.weeks import Week
from folate.pipeline.ingest import import_file
from folate.pipeline.project import Project
from folate.pipeline.steps import STEPS
from tests.folate.project import TWO_BRANDS_TOML, create_project, forum_posts, use_lexicon_reader

TOML = f"""
{TWO_BRANDS_TOML}
[[sources]]
name = "forum"
spider = "feed"
kind = "forum"
start = ["http://127.0.0.1:9/"]
[alerts]
file = "alerts.jsonl"
[[alerts.topic]]
id = "any"
score = 0.1
[smtp]
host = "127.0.0.1"
port = 9
sender = "folate@example.org"
to = ["reader@example.org"]
"""
WEEK = Week.parse("2026-W10")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with nine posts a day for four weeks, and a crawl that asks nobody."""
    use_lexicon_reader(monkeypatch)
    project = create_project(tmp_path, TOML)
    lines = ["id,author,published_at,text"]
    for number in range(250):
        month, day = (2, 9 + number // 9) if number < 180 else (3, 1 + (number - 180) // 9)
        author, date = f"author{number % 50}", f"2026-{month:02d}-{day:02d}"
        topic = "叶酸" if number >= 220 else "味道"
        lines.append(f"{number},{author},{date},晨谷的{topic}不错，比暖禾好 {number % 200}")
    csv_file = tmp_path / "posts.csv"
    csv_file.write_text("\n".join(lines), encoding="utf-8")
    import_file(project, csv_file, source="forum", kind="forum")
    return project


@pytest.fixture
def read_tables(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The tables that queries to a snapshot have named so far."""
    names: set[str] = set()

    def record_tables(method: Callable[..., Any]) -> Callable[..., Any]:
        def record_and_query(self: Snapshot, query: str, *arguments: Any, **options: Any) -> Any:
            names.update(re.findall(r"\b(?:FROM|JOIN)\s+(?:all_)?(\w+)", query))
            names.intersection_update(TABLES)
            return method(self, query, *arguments, **options)

        return record_and_query

    monkeypatch.setattr(Snapshot, "sql", record_tables(Snapshot.sql))
    monkeypatch.setattr(Snapshot, "stream", record_tables(Snapshot.stream))
    return names


def simulate_crawl(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next crawl find one post, without a spider."""
    ledger_row = {
        "crawl": "1",
        "source": "forum",
        "query": "http://127.0.0.1:9/",
        "status": "complete",
        "requests": 1,
        "posts": 1,
    }
    monkeypatch.setattr(
        "crawlers.process.run_crawl", lambda sources, settings, folder, **_: folder.mkdir()
    )
    monkeypatch.setattr("crawlers.process.finalize_ledger", lambda folder: [ledger_row])
    monkeypatch.setattr("crawlers.process.read_posts", lambda *_: forum_posts(["晨谷不错"]))


def test_each_step_reads_and_writes_the_tables_that_it_declares(
    project: Project, read_tables: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    simulate_crawl(monkeypatch)
    project.crawls_folder.mkdir()
    monkeypatch.setenv("FOLATE_SMTP_PASSWORD", "secret")
    monkeypatch.setattr("folate.delivery.mail.send_mail", lambda *_: None)
    for step in STEPS:
        read_tables.clear()
        earlier_versions = project.store.versions()
        step.run(project, WEEK)
        versions = project.store.versions()
        written = {name for name in versions if versions[name] != earlier_versions.get(name)}
        assert (step.name, read_tables) == (step.name, step.reads)
        # evidence that an earlier step wrote is not written again
        assert (step.name, written - step.writes) == (step.name, set())


def test_the_steps_are_commands_with_known_tables_in_an_order_that_works() -> None:
    assert {step.name for step in STEPS} <= COMMANDS.keys()
    written: set[str] = {"audits", "adaptations"}  # by people, between the steps
    for step in STEPS:
        assert step.reads | step.writes <= TABLES.keys()
        assert step.reads <= written | step.writes
        written |= step.writes
