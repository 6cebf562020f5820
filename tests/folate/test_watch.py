"""Rules on a small corpus with a planted topic, a planted fall of sentiment and a planted rush of leaks; told once."""

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
from reports.alerts.alert import ALERT_SCHEMA, Alert
from reports.alerts.rules import evaluate_rules

WEEK = Week.parse("2026-W10")
ZONE = "Asia/Shanghai"
BRANDS = """
name = "Test"
[[brands]]
id = "ours"
names = ["晨谷", "Morngrain"]
own = true
[[brands]]
id = "theirs"
names = ["暖禾"]
"""
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


def planted() -> tuple[list[Post], dict[str, list[dict[str, Any]]]]:
    """Nine weeks of 90 posts about two brands by as many people. In the last one ours is liked less and leaks."""
    rng = np.random.default_rng(11)
    posts: list[Post] = []
    tables: dict[str, list[dict[str, Any]]] = {
        "texts": [],
        "mentions": [],
        "sentiments": [],
        "topics": [],
    }
    for week in [WEEK - back for back in range(8, -1, -1)]:
        for n in range(90):
            leak = n < (30 if week == WEEK else 3)
            text = (HOSTILE if n % 2 else "my box leaks again") if leak else f"晨谷 {n}"
            at = week.bounds(ZONE)[0] + timedelta(minutes=100 * n + 1)
            post = Post(
                id=f"f:{week}-{n}",
                source="f",
                kind="forum",
                text=text,
                published_at=at,
                author=f"{week}{n}",
                fetched_at=week.bounds(ZONE)[1],
            )
            posts.append(post)
            made = {"id": post.id, "text_hash": post.text_hash, "annotator": "test", "version": "1"}
            words = (
                (["漏", "了"] if n % 2 else ["my", "box", "leaks", "again"])
                if leak
                else ["晨谷", str(n)]
            )
            tables["texts"].append(
                made | {"language": "zh", "words": words, "hashtags": [], "exact": post.id}
            )
            bad = (rng.random() < 0.7) if week == WEEK else (rng.random() < 0.1)
            shares = {
                "negative": 0.97 if bad else 0.01,
                "neutral": 0.02,
                "positive": 0.01 if bad else 0.97,
            }
            brand = made | {"brand": "ours" if n % 3 else "theirs"}
            tables["mentions"].append(brand | {"start": 0, "end": 2, "via": "text"})
            tables["sentiments"].append(
                brand | {"label": "negative" if bad else "positive"} | shares
            )
    tables["topics"] = [
        _topic(posts, "t-1", 19.5, [], 0),
        _topic(posts, "t-2", 30.0, ["copied text"], 1),
        _topic(posts, "t-3", 3.0, [], 2),
    ]
    return posts, tables


def _topic(
    posts: list[Post], identifier: str, score: float, flags: list[str], rank: int
) -> dict[str, Any]:
    evidence = [post.id for post in posts[-90:-70]]
    return {
        "week": str(WEEK), "id": identifier, "state": "new", "label_zh": "漏包", "label_en": "leak", "terms": ["漏"], "score": score,
        "q": 0.01, "posts": 20, "authors": 18, "first_seen": posts[-90].published_at, "sources": ["f"], "languages": ["zh"],
        "watched": False,        "flags": flags, "segments": [], "brands": ["ours"], "evidence": evidence,
        "detail": json.dumps({"gain": 9.0, "rank": rank, "artefact": bool(flags)}),
    }  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("watch") / "corpus"
    store, (posts, tables) = Store(root), planted()
    store.upsert_posts(posts)
    for table, rows in tables.items():
        store.upsert(table, rows)
    return root


@pytest.fixture
def project(tmp_path: Path, corpus: Path) -> Path:
    shutil.copytree(corpus, tmp_path / "corpus")
    _write(tmp_path, RULES)
    return tmp_path


@pytest.fixture(scope="module")
def judged(corpus: Path) -> tuple[list[Alert], list[str]]:
    """What the rules find in the week; judged once for all tests."""
    _write(corpus.parent, RULES)
    return evaluate_rules(Project.open(corpus.parent), WEEK)


@pytest.fixture
def known(judged: tuple[list[Alert], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every run finds the same at once, for tests of what comes after."""
    monkeypatch.setattr("folate.pipeline.watch.evaluate_rules", lambda *_: judged)


def _write(project: Path, rules: str) -> None:
    (project / "folate.toml").write_text(BRANDS + rules, encoding="utf-8")


def ask(project: Path, *arguments: str, week: str = str(WEEK)) -> int:
    return run_command(
        ["watch", "--week", week, "--project", str(project), "--format", "json", *arguments]
    )


def lines(project: Path) -> list[dict[str, Any]]:
    path = project / "alerts.jsonl"
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if path.exists()
        else []
    )


def test_what_was_planted_fires_once_and_nothing_else(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert ask(project) == 0
        rows = json.loads(capsys.readouterr().out)
        assert {(row["rule"], row["status"]) for row in rows} == {
            ("rising", "sent"),
            ("mood", "sent"),
            ("leaks", "sent"),
        }
    told = {line["rule"]: line for line in lines(project)}
    assert {rule: line["subject"] for rule, line in told.items()} == {
        "rising": "t-1",
        "mood": "ours",
        "leaks": "",
    }
    assert len(lines(project)) == 3
    for line in told.values():
        assert (
            run_command(
                [
                    "evidence",
                    line["figures"][0]["evidence"],
                    "--project",
                    str(project),
                    "--format",
                    "json",
                ]
            )
            == 0
        )


def test_a_message_says_what_with_n_interval_evidence_and_quotes_without_names(
    judged: tuple[list[Alert], list[str]],
) -> None:
    found = {alert.rule: alert.payload for alert in judged[0]}
    for message in found.values():
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
        for rule, message in found.items()
    }
    assert figures["mood"]["net_sentiment_polar.change"]["high"] < 0
    assert figures["rising"]["topic_score"]["value"] == 19.5
    assert figures["leaks"]["query_authors"]["value"] == 30
    assert 2 < figures["leaks"]["query_expected"]["value"] < 4
    assert figures["leaks"]["query_expected"]["high"] < 30


def test_the_arrow_of_the_report_and_the_alert_are_one(
    judged: tuple[list[Alert], list[str]], corpus: Path
) -> None:
    change = (
        build_report(Project.open(corpus.parent), WEEK).brands[0].changes["net_sentiment_polar"]
    )
    (told,) = (alert for alert in judged[0] if alert.rule == "mood")
    assert change.direction == "down"
    assert told.figures[0] == change.figure


def test_hostile_words_are_words(judged: tuple[list[Alert], list[str]]) -> None:
    (leaks,) = (alert.payload for alert in judged[0] if alert.rule == "leaks")
    assert any("<script>" in quote["text"] for quote in leaks["quotes"])
    assert "<" not in leaks["text"] + leaks["title"]
    assert "\u202e" not in json.dumps(leaks, ensure_ascii=False)
    assert "\n".join(leaks["body"].splitlines()) + "\n" == leaks["body"]


@pytest.mark.usefixtures("known")
def test_a_dry_run_tells_nobody_and_notes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(project, "--dry-run") == 0
    assert [row["status"] for row in json.loads(capsys.readouterr().out)] == ["not sent"] * 3
    assert {path.name for path in project.iterdir()} == {"corpus", "folate.toml"}


def test_a_quiet_week_says_that_nothing_fired_and_what_could_not_be_judged(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(project, week=str(WEEK - 7)) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == []
    assert f"nothing fired in {WEEK - 7} as far as the rules could be judged." in shown.err
    assert "alert 'rising' was not judged: topics were not sought in this week" in shown.err
    assert "alert 'leaks' was not judged: fewer than 3 of the eight weeks before" in shown.err


@pytest.mark.usefixtures("known")
def test_a_webhook_that_fails_is_tried_at_the_next_run(
    project: Path, hook: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("folate.delivery.webhook.MAX_ATTEMPTS", 1)
    _write(project, RULES.replace('file = "alerts.jsonl"', f'webhook = "{hook.address}"'))
    hook.answers = [500]
    assert ask(project) == 8
    rows = json.loads(capsys.readouterr().out)
    assert {(row["status"], row["channel"]) for row in rows} == {("failed", "webhook")}
    assert all("answered 500" in row["detail"] for row in rows)
    hook.answers, hook.requests = [200], []
    monkeypatch.setattr(
        "folate.pipeline.watch.evaluate_rules", lambda *_: ([], [])
    )  # another week, in which nothing holds
    assert ask(project) == 0
    assert {row["rule"] for row in json.loads(capsys.readouterr().out)} == {
        "rising",
        "mood",
        "leaks",
    }
    assert [json.loads(body)["id"] for _, body in hook.requests] == [
        headers["Idempotency-Key"] for headers, _ in hook.requests
    ]
    assert ask(project) == 0
    assert len(hook.requests) == 3


@pytest.mark.usefixtures("known")
def test_a_delivery_that_was_cut_off_is_told_until_a_person_repeats_it(
    project: Path, hook: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(project, RULES.replace('file = "alerts.jsonl"', f'webhook = "{hook.address}"'))
    hook.answers = [0]
    assert ask(project) == 8
    assert {row["status"] for row in json.loads(capsys.readouterr().out)} == {"unknown"}
    hook.answers, hook.requests = [200], []
    assert ask(project) == 8
    assert hook.requests == []
    assert ask(project, "--again") == 0
    assert len(hook.requests) == 3


@pytest.mark.usefixtures("known")
def test_mail_goes_once_to_each_recipient_and_a_rule_chooses_its_channels(
    project: Path, mailbox: Any
) -> None:
    rules = RULES.replace(
        "[alerts]", '[alerts]\nmail = ["a@example.org", "b@example.org"]'
    ).replace("drop = 5.0", 'to = ["mail"]')
    _write(
        project,
        f'{rules}\n[smtp]\nhost = "127.0.0.1"\nport = {mailbox.port}\nsecurity = "none"\nsender = "f@example.org"\n',
    )
    ask(project)
    ask(project)
    assert len(mailbox.mails) == 6
    assert {line["rule"] for line in lines(project)} == {"rising", "leaks"}
    assert all(
        delivery.status == "sent"
        for delivery in Outbox(project / "deliveries.sqlite").list_deliveries()
    )


def test_a_day_has_events_of_its_iso_week_and_its_words_are_the_projects(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "folate.toml").write_text('language = "zh"\n' + BRANDS + RULES, encoding="utf-8")
    assert (
        run_command(
            [
                "watch",
                "--project",
                str(project),
                "--format",
                "json",
                "--day",
                str(WEEK.monday + timedelta(days=5)),
            ]
        )
        == 0
    )
    rows = json.loads(capsys.readouterr().out)
    assert {row["week"] for row in rows} == {str(WEEK)}
    assert "leaks" in {row["rule"] for row in rows}
    assert all(
        "规则：" in line["body"] and "预期" in line["text"]
        for line in lines(project)
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
    _write(project, rules)
    assert ask(project) == 2
    assert problem in capsys.readouterr().err
