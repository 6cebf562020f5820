"""Mailing a report: once for each recipient, and one sentence for each way to fail."""

import email
import json
from email.policy import default
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from folate.cli import run_command
from reports.render.document import serialize_document

WEEK = "2026-W10"
REPORT = {
    "schema": "folate-report/1",
    "project": "晨谷",
    "week": WEEK,
    "language": "zh",
    "partial_until": None,
    "summary": [{"text": "晨谷占声量的 52.0%。"}, {"text": "<b>没有人</b>跟踪叶酸。"}],
}


@pytest.fixture
def project(tmp_path: Path, mail_server: Any) -> Path:
    """A project with a written report that mails through the test server."""
    write_config(
        tmp_path,
        f'host = "127.0.0.1"\nport = {mail_server.port}\nsecurity = "none"\n'
        'sender = "f@example.org"\nto = ["a@example.org"]',
    )
    (tmp_path / "reports").mkdir()
    write_pair(tmp_path, REPORT, "<!doctype html><p>页面".encode())
    return tmp_path


def write_pair(project: Path, report: dict[str, Any], page: bytes) -> None:
    """Write a report and its page to the project's folder, with matching digests."""
    digests = {
        "page": sha256(page).hexdigest(),
        "document": sha256(serialize_document(report).encode()).hexdigest(),
    }
    (project / "reports" / f"{WEEK}.json").write_text(
        json.dumps(report | {"digests": digests}), encoding="utf-8"
    )
    (project / "reports" / f"{WEEK}.html").write_bytes(page)


def write_config(project: Path, smtp: str) -> None:
    (project / "folate.toml").write_text(f'name = "Test"\n[smtp]\n{smtp}\n', encoding="utf-8")


def run_send(project: Path, *arguments: str) -> int:
    return run_command(
        ["send", "--week", WEEK, "--project", str(project), "--format", "json", *arguments]
    )


def printed_statuses(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    return {row["to"]: row["status"] for row in json.loads(capsys.readouterr().out)}


def test_the_mail_has_the_summary_in_both_forms_and_the_page_attached(
    project: Path, mail_server: Any
) -> None:
    assert run_send(project) == 0
    (raw,) = mail_server.mails
    mail = email.message_from_bytes(raw, policy=default)
    assert mail["Subject"] == f"晨谷：{WEEK} 周人们在说什么"
    assert mail["To"] == "a@example.org"
    plain = mail.get_body(("plain",))
    html = mail.get_body(("html",))
    assert "- 晨谷占声量的 52.0%。" in plain.get_content()
    assert "&lt;b&gt;没有人&lt;/b&gt;" in html.get_content()
    (page,) = mail.iter_attachments()
    assert page.get_filename() == f"folate-{WEEK}.html"
    assert page.get_payload(decode=True) == (project / "reports" / f"{WEEK}.html").read_bytes()


def test_once_a_recipient_unless_again(
    project: Path, mail_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run_send(project)
    assert printed_statuses(capsys) == {"a@example.org": "sent"}
    assert run_send(project, "--to", "a@example.org", "--to", "b@example.org") == 0
    assert printed_statuses(capsys) == {"a@example.org": "sent", "b@example.org": "sent"}
    assert len(mail_server.mails) == 2
    assert run_send(project, "--again") == 0
    assert len(mail_server.mails) == 3


def test_a_dry_run_sends_nothing(
    project: Path, mail_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_send(project, "--dry-run") == 0
    assert printed_statuses(capsys) == {"a@example.org": "would be sent"}
    assert mail_server.commands == []
    assert run_send(project) == 0
    capsys.readouterr()
    assert run_send(project, "--dry-run") == 0
    assert printed_statuses(capsys) == {"a@example.org": "sent"}


def test_a_refusal_is_told_and_tried_again_the_next_time(
    project: Path, mail_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    mail_server.replies["RCPT"] = b"550 no such user"
    assert run_send(project) == 8
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["status"], row["detail"]) == (
        "failed",
        "127.0.0.1 refused the mail: 550 no such user.",
    )
    mail_server.replies.clear()
    assert run_send(project) == 0
    assert len(mail_server.mails) == 1


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
    write_config(project, smtp)
    assert run_send(project) == 2
    assert problem in capsys.readouterr().err
    assert not (project / "deliveries.sqlite").exists()


def test_a_report_of_another_schema_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "reports" / f"{WEEK}.json").write_text("{}")
    assert run_send(project) == 3
    assert "write it anew" in capsys.readouterr().err


def test_a_report_that_is_not_there_is_written_first(
    project: Path, mail_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "reports" / f"{WEEK}.json").unlink()
    assert run_send(project) == 0
    assert printed_statuses(capsys) == {"a@example.org": "sent"}
    assert (project / "reports" / "index.html").exists()


@pytest.mark.parametrize("suffix", ["html", "json"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace("叶酸", "白果").replace("页面", "别的"),
    ],
)
def test_a_page_and_figures_that_are_no_pair_are_not_sent(
    project: Path, mail_server: Any, suffix: str, damage: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "reports" / f"{WEEK}.{suffix}"
    text = (
        json.dumps(json.loads(path.read_text("utf-8")), ensure_ascii=False)
        if suffix == "json"
        else path.read_text("utf-8")
    )
    path.write_text(damage(text), encoding="utf-8")
    assert run_send(project) in (3, 8)
    assert "write" in capsys.readouterr().err
    assert mail_server.commands == []
    assert not (project / "deliveries.sqlite").exists()


def test_a_page_of_an_earlier_report_is_not_sent_with_later_figures(
    project: Path, mail_server: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pair(project, REPORT | {"summary": []}, b"<!doctype html>")
    (project / "reports" / f"{WEEK}.html").write_bytes(b"<!doctype html><p>earlier")
    assert run_send(project) == 8
    assert (
        "which were not written together or were changed since: nothing was sent"
        in capsys.readouterr().err
    )
    assert mail_server.commands == []
