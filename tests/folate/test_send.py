"""The report by mail: once a recipient, whole, and every way in which it can't go is one sentence."""

import email
import json
from email.policy import default
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from folate.cli import run_command
from reports.render.document import _dumped

WEEK = "2026-W10"
REPORT = {
    "schema": "folate-report/1", "project": "晨谷", "week": WEEK, "language": "zh", "partial_until": None,
    "summary": [{"text": "晨谷占声量的 52.0%。"}, {"text": "<b>没有人</b>跟踪叶酸。"}],
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, mailbox: Any) -> Path:
    """A project whose report is written, and whose server is the mailbox."""
    _configure(
        tmp_path,
        f'host = "127.0.0.1"\nport = {mailbox.port}\nsecurity = "none"\nsender = "f@example.org"\nto = ["a@example.org"]',
    )
    (tmp_path / "reports").mkdir()
    lay(tmp_path, REPORT, "<!doctype html><p>页面".encode())
    return tmp_path


def lay(project: Path, report: dict[str, Any], page: bytes) -> None:
    """Lay a report and its page into the project's folder, as a pair."""
    digests = {
        "page": sha256(page).hexdigest(),
        "document": sha256(_dumped(report).encode()).hexdigest(),
    }
    (project / "reports" / f"{WEEK}.json").write_text(
        json.dumps(report | {"digests": digests}), encoding="utf-8"
    )
    (project / "reports" / f"{WEEK}.html").write_bytes(page)


def _configure(project: Path, smtp: str) -> None:
    (project / "folate.toml").write_text(f'name = "Test"\n[smtp]\n{smtp}\n', encoding="utf-8")


def ask(project: Path, *arguments: str) -> int:
    return run_command(
        ["send", "--week", WEEK, "--project", str(project), "--format", "json", *arguments]
    )


def statuses(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    return {row["to"]: row["status"] for row in json.loads(capsys.readouterr().out)}


def test_the_mail_has_the_summary_in_both_forms_and_the_page_attached(
    project: Path, mailbox: Any
) -> None:
    assert ask(project) == 0
    (raw,) = mailbox.mails
    mail = email.message_from_bytes(raw, policy=default)
    assert mail["Subject"] == f"晨谷：{WEEK} 周人们在说什么"
    assert mail["To"] == "a@example.org"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert "- 晨谷占声量的 52.0%。" in plain.get_content()
    assert "&lt;b&gt;没有人&lt;/b&gt;" in html.get_content()
    (page,) = mail.iter_attachments()
    assert page.get_filename() == f"folate-{WEEK}.html"
    assert page.get_payload(decode=True) == (project / "reports" / f"{WEEK}.html").read_bytes()


def test_once_a_recipient_unless_again(
    project: Path, mailbox: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(project)
    assert statuses(capsys) == {"a@example.org": "sent"}
    assert ask(project, "--to", "a@example.org", "--to", "b@example.org") == 0
    assert statuses(capsys) == {"a@example.org": "sent", "b@example.org": "sent"}
    assert len(mailbox.mails) == 2
    assert ask(project, "--again") == 0
    assert len(mailbox.mails) == 3


def test_a_dry_run_sends_nothing(
    project: Path, mailbox: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(project, "--dry-run") == 0
    assert statuses(capsys) == {"a@example.org": "would be sent"}
    assert mailbox.commands == []
    assert ask(project) == 0
    capsys.readouterr()
    assert ask(project, "--dry-run") == 0
    assert statuses(capsys) == {"a@example.org": "sent"}


def test_a_refusal_is_told_and_tried_again_the_next_time(
    project: Path, mailbox: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    mailbox.replies["RCPT"] = b"550 no such user"
    assert ask(project) == 8
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["status"], row["detail"]) == (
        "failed",
        "127.0.0.1 refused the mail: 550 no such user.",
    )
    mailbox.replies.clear()
    assert ask(project) == 0
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize(
    ("smtp", "problem"),
    [
        ('to = ["a@b.c"]', "wanted a host in [smtp]"),
        ('host = "h"', "wanted recipients, got none"),
        ('host = "h"\nto = ["a@b.c"]', "as the sender of [smtp], got ''"),
        ('host = "h"\nsender = "a@b.c"\nto = ["nobody"]', "as the recipient, got 'nobody'"),
        (
            'host = "h"\nuser = "u"\nto = ["a@b.c"]',
            "wanted the password of u at h in the environment variable FOLATE_SMTP_PASSWORD",
        ),
        ('host = "h"\nsecurity = "tls"', "wanted security of [smtp] among starttls, ssl, none"),
    ],
)
def test_what_is_missing_is_one_sentence(
    project: Path,
    smtp: str,
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("FOLATE_SMTP_PASSWORD", raising=False)
    _configure(project, smtp)
    assert ask(project) == 2
    assert problem in capsys.readouterr().err
    assert not (project / "deliveries.sqlite").exists()


def test_a_report_of_another_schema_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "reports" / f"{WEEK}.json").write_text("{}")
    assert ask(project) == 3
    assert "write it anew" in capsys.readouterr().err


def test_a_report_that_is_not_there_is_written_first(
    project: Path, mailbox: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "reports" / f"{WEEK}.json").unlink()
    assert ask(project) == 0
    assert statuses(capsys) == {"a@example.org": "sent"}
    assert (project / "reports" / "index.html").exists()


@pytest.mark.parametrize("part", ["html", "json"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("叶酸", "白果").replace("页面", "别的"),
    ],
)
def test_a_page_and_figures_that_are_no_pair_are_not_sent(
    project: Path, mailbox: Any, part: str, damage: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "reports" / f"{WEEK}.{part}"
    text = (
        json.dumps(json.loads(path.read_text("utf-8")), ensure_ascii=False)
        if part == "json"
        else path.read_text("utf-8")
    )
    path.write_text(damage(text), encoding="utf-8")
    assert ask(project) in (3, 8)
    assert "write" in capsys.readouterr().err
    assert mailbox.commands == []
    assert not (project / "deliveries.sqlite").exists()


def test_a_page_of_an_earlier_report_is_not_sent_with_later_figures(
    project: Path, mailbox: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    lay(project, REPORT | {"summary": []}, b"<!doctype html>")
    (project / "reports" / f"{WEEK}.html").write_bytes(b"<!doctype html><p>earlier")
    assert ask(project) == 8
    assert (
        "which were not written together or were changed since: nothing was sent"
        in capsys.readouterr().err
    )
    assert mailbox.commands == []
