"""`[[alerts.query]]`: alerts on queries of the corpus, on the corpus of the other alerts."""

import json
from pathlib import Path

import pytest

from corpora.corpus import Corpus
from corpora.store.store import Store
from folate.cli import run_command
from folate.pipeline.project import Project
from folate.pipeline.report import evidence_text, write_report
from folate.pipeline.watch import evaluate_project_rules
from reports.alerts.rules import RuleEvaluation
from tests.folate.test_watch import WEEK, create_corpus_rows, write_config

RULES = """
[queries]
leak = '漏 OR leaks'
[alerts]
file = "alerts.jsonl"
[[alerts.volume]]
id = "words"
words = ["漏", "leaks"]
[[alerts.query]]
id = "saved"
query = "@leak"
[[alerts.query]]
id = "with brand"
query = "@leak brand:ours -is:duplicate"
[[alerts.query]]
id = "usual"
query = "晨谷"
[[alerts.query]]
id = "gone"
query = "brand:gone"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watch")
    store = Store(folder / "corpus")
    posts, tables = create_corpus_rows()
    store.upsert_posts(posts)
    for table, rows in tables.items():
        store.upsert(table, rows)
    write_config(folder, RULES)
    return folder


@pytest.fixture(scope="module")
def evaluation(project: Path) -> RuleEvaluation:
    return evaluate_project_rules(Project.open(project), WEEK)


def test_what_was_planted_fires_as_the_rule_of_words_does(evaluation: RuleEvaluation) -> None:
    alerts = {alert.rule: alert for alert in evaluation.alerts}
    assert alerts.keys() == {"words", "saved", "with brand"}
    words, saved = (
        [(figure.value, figure.low, figure.high, figure.n) for figure in alerts[rule].figures]
        for rule in ("words", "saved")
    )
    assert saved == words
    assert alerts["saved"].kind == "query"
    assert alerts["saved"].figures[0].query == "(漏 OR leaks) week:2026-W10 -is:duplicate"
    assert len(alerts["saved"].quotes) >= 1


def test_a_figure_of_an_alert_counts_the_posts_of_its_query(
    evaluation: RuleEvaluation, project: Path
) -> None:
    corpus = Corpus.open(project)
    for alert in evaluation.alerts:
        if alert.kind == "query":
            authors = alert.figures[0]
            [row] = corpus.count(authors.query)
            assert (row["authors"], row["posts"]) == (authors.value, authors.n)


def test_a_query_that_fails_is_a_note_and_the_others_are_judged(
    evaluation: RuleEvaluation,
) -> None:
    [note] = [note for note in evaluation.notes if "'gone'" in note]
    assert note.startswith("alert 'gone' was not judged: ")
    assert "no brand 'gone'" in note


def test_a_rule_without_a_query_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path, '[[alerts.query]]\nid = "q"\nquery = " "\n')
    assert run_command(["watch", "--week", str(WEEK), "--project", str(tmp_path)]) == 2
    assert "wanted a query" in capsys.readouterr().err


def test_a_report_written_again_at_its_versions_has_the_same_bytes(
    project: Path, tmp_path: Path
) -> None:
    first = write_report(Project.open(project), WEEK, "zh", tmp_path / "first")
    store = Project.open(project).store
    label = {"name": "leak", "rater": "ann", "id": "f:2026-W10-0", "start": 0, "end": 1}
    store.upsert("labels", [label | {"text_hash": "a", "belongs": True, "query": "漏"}])
    again = write_report(
        Project.open(project), WEEK, "zh", tmp_path / "again", pinned_report=first.paths["json"]
    )
    for form in ("html", "json"):
        assert again.paths[form].read_bytes() == first.paths[form].read_bytes()
    document = json.loads(first.paths["json"].read_text(encoding="utf-8"))
    [saved] = document["saved_queries"]
    text = evidence_text(Project.open(project), saved["measures"]["saved_authors"]["evidence"])
    assert "(漏 OR leaks) week:2026-W10" in text
