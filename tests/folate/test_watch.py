"""Alerts on a small corpus with a planted topic, a fall of sentiment and a surge of leaks."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpora.store.store import Store
from folate.cli import run_command
from folate.core.post import Post
from folate.core.weeks import Week
from folate.delivery.outbox import Outbox
from folate.pipeline.project import Project
from folate.pipeline.report import build_report
from folate.pipeline.watch import evaluate_project_rules
from reports.alerts.alert import ALERT_SCHEMA
from reports.alerts.rules import RuleEvaluation
from tests.folate.project import TWO_BRANDS_TOML

WEEK = Week.parse("2026-W10")
ZONE = "Asia/Shanghai"
RULES = """
[alerts]
file = "alerts.jsonl"
[[alerts.topic]]
id = "rising"
score = 6.0
[[alerts.sentiment]]
id = "mood"
brand = "ours"
drop = 5.0
[[alerts.volume]]
id = "leaks"
words = ["漏", "leaks"]
"""
HOSTILE = '漏了！=cmd|"/c calc"\u202e <script>alert(1)</script> <!channel>'


def create_corpus_rows() -> tuple[list[Post], dict[str, list[dict[str, Any]]]]:
    """Create nine weeks of 90 posts about two brands, each by another author.

    In the last week, our brand is liked less and its boxes leak. Returns the posts and the rows of
    the other tables by table name.
    """
    rng = np.random.default_rng(11)
    posts: list[Post] = []
    tables: dict[str, list[dict[str, Any]]] = {
        "texts": [],
        "mentions": [],
        "sentiments": [],
        "topics": [],
    }
    for week in [WEEK - weeks_back for weeks_back in range(8, -1, -1)]:
        for n in range(90):
            is_leak = n < (30 if week == WEEK else 3)
            post = create_post(week, n, is_leak)
            posts.append(post)
            key = {"id": post.id, "text_hash": post.text_hash, "annotator": "test", "version": "1"}
            tables["texts"].append(
                key
                | {
                    "language": "zh",
                    "words": post_words(n, is_leak),
                    "hashtags": [],
                    "exact": post.id,
                }
            )
            is_negative = rng.random() < (0.7 if week == WEEK else 0.1)
            probabilities = {
                "negative": 0.97 if is_negative else 0.01,
                "neutral": 0.02,
                "positive": 0.01 if is_negative else 0.97,
            }
            brand_key = key | {"brand": "ours" if n % 3 else "theirs"}
            tables["mentions"].append(brand_key | {"start": 0, "end": 2, "via": "text"})
            label = "negative" if is_negative else "positive"
            tables["sentiments"].append(brand_key | {"label": label} | probabilities)
    tables["topics"] = [
        topic_row(posts, "t-1", score=19.5, rank=0),
        topic_row(posts, "t-2", score=30.0, rank=1, flags=("copied text",)),
        topic_row(posts, "t-3", score=3.0, rank=2),
    ]
    return posts, tables


def create_post(week: Week, n: int, is_leak: bool) -> Post:
    text = f"晨谷 {n}"
    if is_leak:
        text = HOSTILE if n % 2 else "my box leaks again"
    return Post(
        id=f"f:{week}-{n}",
        source="f",
        kind="forum",
        text=text,
        published_at=week.bounds(ZONE)[0] + timedelta(minutes=100 * n + 1),
        author=f"{week}{n}",
        fetched_at=week.bounds(ZONE)[1],
    )


def post_words(n: int, is_leak: bool) -> list[str]:
    if not is_leak:
        return ["晨谷", str(n)]
    return ["漏", "了"] if n % 2 else ["my", "box", "leaks", "again"]


def topic_row(
    posts: list[Post], topic_id: str, *, score: float, rank: int, flags: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {
        "week": str(WEEK),
        "id": topic_id,
        "state": "new",
        "label_zh": "漏包",
        "label_en": "leak",
        "terms": ["漏"],
        "score": score,
        "q": 0.01,
        "posts": 20,
        "authors": 18,
        "first_seen": posts[-90].published_at,
        "sources": ["f"],
        "languages": ["zh"],
        "watched": False,
        "flags": list(flags),
        "segments": [],
        "brands": ["ours"],
        "evidence": [post.id for post in posts[-90:-70]],
        "detail": json.dumps({"gain": 9.0, "rank": rank, "artefact": bool(flags)}),
    }


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("watch") / "corpus"
    store = Store(root)
    posts, tables = create_corpus_rows()
    store.upsert_posts(posts)
    for table, rows in tables.items():
        store.upsert(table, rows)
    return root


@pytest.fixture
def project(tmp_path: Path, corpus: Path) -> Path:
    shutil.copytree(corpus, tmp_path / "corpus")
    write_config(tmp_path, RULES)
    return tmp_path


@pytest.fixture(scope="module")
def evaluation(corpus: Path) -> RuleEvaluation:
    """The result of the rules on the week, evaluated once for all tests."""
    write_config(corpus.parent, RULES)
    return evaluate_project_rules(Project.open(corpus.parent), WEEK)


@pytest.fixture
def stored_evaluation(evaluation: RuleEvaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the evaluation of the rules by its stored result."""
    monkeypatch.setattr("folate.pipeline.watch.evaluate_project_rules", lambda *_: evaluation)


def write_config(project: Path, rules: str) -> None:
    (project / "folate.toml").write_text(TWO_BRANDS_TOML + rules, encoding="utf-8")


def run_watch(project: Path, *arguments: str, week: str = str(WEEK)) -> int:
    return run_command(
        ["watch", "--week", week, "--project", str(project), "--format", "json", *arguments]
    )


def read_alert_lines(project: Path) -> list[dict[str, Any]]:
    path = project / "alerts.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_what_was_planted_fires_once_and_nothing_else(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert run_watch(project) == 0
        rows = json.loads(capsys.readouterr().out)
        assert {(row["rule"], row["status"]) for row in rows} == {
            ("rising", "sent"),
            ("mood", "sent"),
            ("leaks", "sent"),
        }
    lines = {line["rule"]: line for line in read_alert_lines(project)}
    assert {rule: line["subject"] for rule, line in lines.items()} == {
        "rising": "t-1",
        "mood": "ours",
        "leaks": "",
    }
    assert len(read_alert_lines(project)) == 3
    for line in lines.values():
        evidence_id = line["figures"][0]["evidence"]
        arguments = ["evidence", evidence_id, "--project", str(project), "--format", "json"]
        assert run_command(arguments) == 0


def test_a_message_says_what_with_n_interval_evidence_and_quotes_without_names(
    evaluation: RuleEvaluation,
) -> None:
    payloads = {alert.rule: alert.payload for alert in evaluation.alerts}
    for message in payloads.values():
        assert message["schema"] == ALERT_SCHEMA
        assert message["text"] in message["body"]
        assert message["rule"] in message["title"]
        assert all(
            figure["n"] and figure["evidence"] in message["body"] for figure in message["figures"]
        )
        assert all(
            set(quote) == {"id", "text", "source", "url", "published_at"}
            for quote in message["quotes"]
        )
        assert 1 <= len(message["quotes"]) <= 3
    figures = {
        rule: {figure["measure"]: figure for figure in message["figures"]}
        for rule, message in payloads.items()
    }
    assert figures["mood"]["net_sentiment_polar.change"]["high"] < 0
    assert figures["rising"]["topic_score"]["value"] == 19.5
    assert figures["leaks"]["query_authors"]["value"] == 30
    assert 2 < figures["leaks"]["query_expected"]["value"] < 4
    assert figures["leaks"]["query_expected"]["high"] < 30


def test_the_arrow_of_the_report_and_the_alert_are_one(
    evaluation: RuleEvaluation, corpus: Path
) -> None:
    change = (
        build_report(Project.open(corpus.parent), WEEK).brands[0].changes["net_sentiment_polar"]
    )
    (mood,) = (alert for alert in evaluation.alerts if alert.rule == "mood")
    assert change.direction == "down"
    assert mood.figures[0] == change.figure


def test_hostile_words_are_words(evaluation: RuleEvaluation) -> None:
    (leaks,) = (alert.payload for alert in evaluation.alerts if alert.rule == "leaks")
    assert any("<script>" in quote["text"] for quote in leaks["quotes"])
    assert "<" not in leaks["text"] + leaks["title"]
    assert "\u202e" not in json.dumps(leaks, ensure_ascii=False)
    assert "\n".join(leaks["body"].splitlines()) + "\n" == leaks["body"]


@pytest.mark.usefixtures("stored_evaluation")
def test_a_dry_run_tells_nobody_and_notes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_watch(project, "--dry-run") == 0
    assert [row["status"] for row in json.loads(capsys.readouterr().out)] == ["not sent"] * 3
    assert {path.name for path in project.iterdir()} == {"corpus", "folate.toml"}


def test_a_quiet_week_says_that_nothing_fired_and_what_could_not_be_judged(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_watch(project, week=str(WEEK - 7)) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == []
    assert f"nothing fired in {WEEK - 7} as far as the rules could be judged." in captured.err
    assert "alert 'rising' was not judged: topics were not sought in this week" in captured.err
    assert "alert 'leaks' was not judged: fewer than 3 of the eight weeks before" in captured.err


@pytest.mark.usefixtures("stored_evaluation")
def test_a_webhook_that_fails_is_tried_at_the_next_run(
    project: Path,
    webhook_server: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("folate.delivery.webhook.MAX_ATTEMPTS", 1)
    write_config(
        project, RULES.replace('file = "alerts.jsonl"', f'webhook = "{webhook_server.address}"')
    )
    webhook_server.answers = [500]
    assert run_watch(project) == 8
    rows = json.loads(capsys.readouterr().out)
    assert {(row["status"], row["channel"]) for row in rows} == {("failed", "webhook")}
    assert all("answered 500" in row["detail"] for row in rows)
    webhook_server.answers = [200]
    webhook_server.requests.clear()
    # As in another week, in which no rule fires.
    monkeypatch.setattr(
        "folate.pipeline.watch.evaluate_project_rules", lambda *_: RuleEvaluation([], [])
    )
    assert run_watch(project) == 0
    assert {row["rule"] for row in json.loads(capsys.readouterr().out)} == {
        "rising",
        "mood",
        "leaks",
    }
    assert [json.loads(body)["id"] for _, body in webhook_server.requests] == [
        headers["Idempotency-Key"] for headers, _ in webhook_server.requests
    ]
    assert run_watch(project) == 0
    assert len(webhook_server.requests) == 3


@pytest.mark.usefixtures("stored_evaluation")
def test_a_delivery_that_was_cut_off_is_told_until_a_person_repeats_it(
    project: Path, webhook_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(
        project, RULES.replace('file = "alerts.jsonl"', f'webhook = "{webhook_server.address}"')
    )
    webhook_server.answers = [0]
    assert run_watch(project) == 8
    assert {row["status"] for row in json.loads(capsys.readouterr().out)} == {"unknown"}
    webhook_server.answers = [200]
    webhook_server.requests.clear()
    assert run_watch(project) == 8
    assert webhook_server.requests == []
    assert run_watch(project, "--again") == 0
    assert len(webhook_server.requests) == 3


@pytest.mark.usefixtures("stored_evaluation")
def test_mail_goes_once_to_each_recipient_and_a_rule_chooses_its_channels(
    project: Path, mail_server: Any
) -> None:
    rules = RULES.replace(
        "[alerts]", '[alerts]\nmail = ["a@example.org", "b@example.org"]'
    ).replace("drop = 5.0", 'to = ["mail"]')
    write_config(
        project,
        f'{rules}\n[smtp]\nhost = "127.0.0.1"\nport = {mail_server.port}\n'
        'security = "none"\nsender = "f@example.org"\n',
    )
    run_watch(project)
    run_watch(project)
    assert len(mail_server.mails) == 6
    assert {line["rule"] for line in read_alert_lines(project)} == {"rising", "leaks"}
    assert all(
        delivery.status == "sent"
        for delivery in Outbox(project / "deliveries.sqlite").list_deliveries()
    )


def test_a_day_has_events_of_its_iso_week_and_its_words_are_the_projects(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "folate.toml").write_text(
        'language = "zh"\n' + TWO_BRANDS_TOML + RULES, encoding="utf-8"
    )
    day = str(WEEK.monday + timedelta(days=5))
    arguments = ["watch", "--project", str(project), "--format", "json", "--day", day]
    assert run_command(arguments) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["week"] for row in rows} == {str(WEEK)}
    assert "leaks" in {row["rule"] for row in rows}
    assert all(
        "规则：" in line["body"] and "预期" in line["text"]
        for line in read_alert_lines(project)
        if line["rule"] == "leaks"
    )
    assert run_command(["watch", "--project", str(project)]) == 2


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ("", "wanted a rule such as"),
        (
            "[alerts]\nwebhook = 'ftp://x'\n[[alerts.topic]]\nid = 'a'\nscore = 1.0",
            "wanted an http or https address",
        ),
        ("[[alerts.sentiment]]\nid = 'a'\nbrand = 'our'", "no brand 'our'; did you mean 'ours'?"),
        ("[[alerts.topic]]\nid = 'a'\nscore = 1.0\n[[alerts.volume]]\nid = 'a'", "stands twice"),
        ("[[alerts.topic]]\nid = 'a'\nscore = 1.0\nto = ['mail']", "no channel 'mail' in [alerts]"),
        (
            "[alerts]\nmail = ['a@b.c']\n[[alerts.topic]]\nid = 'a'\nscore = 1.0",
            "wanted a host in [smtp]",
        ),
    ],
)
def test_a_wrong_rule_is_one_sentence(
    project: Path, rules: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(project, rules)
    assert run_watch(project) == 2
    assert problem in capsys.readouterr().err
