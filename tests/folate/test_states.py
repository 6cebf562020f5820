"""Missing results: every form of a report says why something is unknown, not that it is none."""

import json
import re
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from folate.cli import run_command
from folate.core.weeks import Week
from folate.pipeline.project import Project
from folate.pipeline.report import build_report
from reports.render import markdown, xlsx
from reports.render.document import to_json
from reports.render.email import compose_report_email
from reports.render.html import render_html
from tests.folate.project import TWO_BRANDS_TOML, create_project, use_lexicon_reader

WEEK = "2026-W10"
# Phrases that are true only for a week in which all posts were searched for topics.
NONE_ROSE = {"en": "rose above the threshold", "zh": "超过阈值"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    use_lexicon_reader(monkeypatch)
    create_project(tmp_path)
    return tmp_path


def run_folate(project: Path, *arguments: str) -> None:
    assert run_command([*arguments, "--project", str(project)]) == 0


def import_posts(
    project: Path,
    weeks: range,
    name: str = "a",
    text: str = "早餐吃晨谷，味道不错，第 {} 碗",
    count: int = 9,
) -> None:
    """Import posts of these weeks, of which 0 is 2026-W10, each by another author."""
    monday = date.fromisocalendar(2026, 10, 1)
    lines = []
    for week in weeks:
        for n in range(count):
            post = {
                "id": f"{name}{week}-{n}",
                "author": f"u{name}{week}{n}",
                "text": text.format(f"{name}{week}{n}"),
                "published_at": f"{monday + timedelta(weeks=week, days=n % 7)}T12:00:00+08:00",
            }
            lines.append(json.dumps(post, ensure_ascii=False))
    path = project / f"{name}.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    run_folate(project, "import", str(path), "--source", "f", "--kind", "forum")


def build_forms(
    project: Path, language: str = "en", week: str = WEEK
) -> tuple[dict[str, Any], str]:
    """Build a report; returns its JSON, and the texts of page, Markdown, workbook and mail."""
    report = build_report(Project.open(project), Week.parse(week), language)
    document = json.loads(to_json(report))
    texts = [unescape(render_html(report)), markdown.render_markdown(report).decode()]
    for sheet in load_workbook(BytesIO(xlsx.render_workbook(report))):
        for row in sheet.iter_rows(values_only=True):
            texts += [str(value) for value in row if value is not None]
    texts.append(compose_report_email(document).text)
    return document, "\n".join(texts)


def summary_by_key(document: dict[str, Any]) -> dict[str, str]:
    return {sentence["key"]: sentence["text"] for sentence in document["summary"]}


def remove_tags(text: str) -> str:
    """Remove tags, as numbers in the page are links."""
    return re.sub(r"<[^>]*>", "", text)


def prepare_never(project: Path) -> None:
    import_posts(project, range(-4, 1))
    run_folate(project, "annotate", "--without-sentiment")


def prepare_before_the_last_import(project: Path) -> None:
    prepare_never(project)
    run_folate(project, "topics", "--week", WEEK)
    import_posts(project, range(1), "late", count=4)
    run_folate(project, "annotate", "--without-sentiment")


def prepare_before_more_of_the_baseline(project: Path) -> None:
    prepare_never(project)
    run_folate(project, "topics", "--week", WEEK)
    import_posts(project, range(-6, -4), "older")
    run_folate(project, "annotate", "--without-sentiment")


def prepare_with_one_week_before(project: Path) -> None:
    import_posts(project, range(-1, 1))
    run_folate(project, "annotate", "--without-sentiment")
    run_folate(project, "topics", "--week", WEEK)


def prepare_before_a_text_changed(project: Path) -> None:
    prepare_never(project)
    run_folate(project, "topics", "--week", WEEK)
    import_posts(project, range(1), text="今天换成暖禾了，第 {} 碗")
    run_folate(project, "annotate", "--without-sentiment")


def prepare_before_the_watch_list_changed(project: Path) -> None:
    prepare_never(project)
    run_folate(project, "topics", "--week", WEEK)
    (project / "folate.toml").write_text('watch = ["叶酸"]\n' + PROJECT, encoding="utf-8")


@pytest.mark.parametrize(
    ("prepare", "status", "key", "phrases"),
    [
        (
            prepare_never,
            "never",
            "topic_never",
            {"en": "Topics were not sought in this week", "zh": "本周的话题尚未查找"},
        ),
        (
            prepare_before_the_last_import,
            "outdated",
            "topic_outdated",
            {"en": "before 4 of the 13 posts", "zh": "又新到或新读了 4 条"},
        ),
        (
            prepare_before_more_of_the_baseline,
            "outdated",
            "topic_outdated_baseline",
            {"en": "before 18 posts of the weeks before", "zh": "18 条"},
        ),
        (
            prepare_with_one_week_before,
            "short",
            "topic_short",
            {"en": "fewer than 3 baseline weeks: 1 of the 8", "zh": "基线不足 3 周"},
        ),
        (
            prepare_before_a_text_changed,
            "outdated",
            "topic_changed",
            {"en": "before posts or settings changed", "zh": "帖子或设置有改动"},
        ),
        (
            prepare_before_the_watch_list_changed,
            "outdated",
            "topic_changed",
            {"en": "before posts or settings changed", "zh": "有改动"},
        ),
    ],
)
def test_where_topics_were_not_sought_in_all_posts_no_form_says_that_none_rose(
    project: Path, prepare: Callable[[Path], None], status: str, key: str, phrases: dict[str, str]
) -> None:
    prepare(project)
    for language, phrase in phrases.items():
        document, text = build_forms(project, language)
        assert document["topics_sought"]["status"] == status
        assert phrase in summary_by_key(document)[key]
        assert remove_tags(text).count(phrase) >= 4  # page, Markdown, workbook, mail
        assert NONE_ROSE[language] not in text


def test_where_topics_were_sought_in_all_posts_none_is_said_to_have_risen(project: Path) -> None:
    prepare_never(project)
    run_folate(project, "topics", "--week", WEEK)
    document, text = build_forms(project)
    assert document["topics_sought"]["status"] == "current"
    assert "rose above the threshold" in text
    assert document["topics_sought"]["baseline_weeks"]["value"] == 4
    assert "rose above the threshold" in summary_by_key(document)["topic_none"]
    assert build_forms(project) == (document, text)


def test_before_annotate_nothing_is_counted_as_zero(project: Path) -> None:
    import_posts(project, range(-4, 1))
    for language, phrase in (
        ("en", "None of the 9 posts of the week has been read"),
        ("zh", "9 条帖子都还没有判读"),
    ):
        document, text = build_forms(project, language)
        assert phrase in summary_by_key(document)["unread_all"]
        assert "empty" not in summary_by_key(document)
        assert remove_tags(text).count(phrase) >= 4
    assert document["sources"][0]["copies"]["value"] is None
    measures = document["brands"][0]["measures"]
    assert (measures["mentions"]["value"], measures["authors"]["value"]) == (None, None)
    assert (
        document["reading"]["week"]["unread"]["value"],
        document["reading"]["week"]["posts"]["value"],
    ) == (9, 9)
    assert document["people"]["questions"]["asked"]["value"] is None


def test_amid_an_interrupted_annotate_the_unread_posts_are_told(project: Path) -> None:
    import_posts(project, range(-4, 1))
    run_folate(project, "annotate", "--without-sentiment")
    import_posts(project, range(1), "late", count=4)
    document, text = build_forms(project)
    assert summary_by_key(document)["unread"].startswith(
        "4 of the 13 posts of the week have not been read"
    )
    assert "unread" in document["brands"][0]["measures"]["mentions"]["flags"]
    assert "mentions" not in document["brands"][0]["changes"]
    assert "some posts have not been read: a lower bound" in text


def test_posts_read_with_another_brand_list_are_unread(project: Path) -> None:
    prepare_never(project)
    (project / "folate.toml").write_text(
        TWO_BRANDS_TOML.replace('"暖禾"', '"暖禾", "碗"'), encoding="utf-8"
    )
    document, _ = build_forms(project)
    assert document["reading"]["week"]["unread"]["value"] == 9
    assert "unread" in document["brands"][1]["measures"]["mentions"]["flags"]


def test_without_sentiment_nothing_that_a_model_reads_is_said_to_be_none(project: Path) -> None:
    prepare_never(project)
    document, text = build_forms(project)
    assert "its sentiment was not measured" in summary_by_key(document)["sentiment_missing"]
    assert document["brands"][0]["measures"]["net_sentiment_polar"]["value"] is None
    assert document["people"]["questions"]["asked"]["value"] is None
    for claim in (
        "No post of this week asks",
        "speaks of an aspect of a brand that the model knows.\n",
        "beyond chance.",
    ):
        assert claim not in text
    assert "Not measured: no model has read a post of this week about us for questions" in text
    assert remove_tags(text).count("posts of these weeks has been read for it") >= 2


def test_a_week_in_which_nobody_asks_has_no_questions_and_that_was_measured(project: Path) -> None:
    import_posts(project, range(-1, 1))
    run_folate(project, "annotate")
    workspace = Project.open(project)
    rows = workspace.store.snapshot().sql("FROM judgements").to_pylist()
    workspace.store.upsert("judgements", [row | {"ask": 0.0} for row in rows])
    document, text = build_forms(project)
    assert document["people"]["questions"]["asked"]["value"] == 0
    assert "No post of this week asks something about us." in text


def test_a_week_without_posts_measures_nothing(project: Path) -> None:
    prepare_never(project)
    for week, language in (("2027-W10", "en"), ("2020-W01", "zh"), ("2026-W53", "en")):
        document, text = build_forms(project, language, week)
        assert list(summary_by_key(document)) == ["no_posts"]
        assert document["topics_sought"]["status"] == "empty"
        assert document["brands"][0]["measures"]["mentions"]["value"] is None
        assert NONE_ROSE[language] not in text


def test_an_empty_watch_list_and_no_segments_are_told(project: Path) -> None:
    (project / "folate.toml").write_text('watch = ["碗"]\n' + PROJECT, encoding="utf-8")
    prepare_never(project)
    document, text = build_forms(project)
    assert document["configured"] == {"brands": 2, "watch": 1, "segments": 0, "sources": 0}
    assert "folate.toml has no segments" in text
    assert "Topics were not sought" in text.partition("Nobody tracked")[2]


@pytest.mark.parametrize(
    "text", ["今日は朝ごはんを食べました {}", "Сегодня утром я ел кашу {}", "晨谷", "晨谷好吃 {}"]
)
def test_one_post_copies_and_other_languages_make_a_report(project: Path, text: str) -> None:
    import_posts(project, range(1), text=text, count=1)
    import_posts(project, range(1), "copy", text=text.format(""), count=3)
    run_folate(project, "annotate", "--without-sentiment")
    run_folate(project, "topics", "--week", WEEK)
    document, page = build_forms(project)
    assert document["topics_sought"]["status"] == "short"
    assert "rose above the threshold" not in page


def test_status_says_what_waits_and_where_topics_were_sought(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import_posts(project, range(-4, 1))
    capsys.readouterr()
    run_folate(project, "status")
    document = capsys.readouterr().err
    assert "45 posts have not been read: 'folate annotate' does that." in document
    assert "topics were never sought" in document
    run_folate(project, "annotate", "--without-sentiment")
    run_folate(project, "topics", "--week", WEEK)
    run_folate(project, "topics", "--week", "2026-W07")
    capsys.readouterr()
    run_folate(project, "status")
    assert (
        "topics were sought in 2026-W10 (0), 2026-W07 (too few weeks before)."
        in capsys.readouterr().err
    )
    assert run_command(["topics", "history", "nope", "--project", str(project)]) == 5
    assert "topics were sought in 2026-W07, 2026-W10" in capsys.readouterr().err


def test_topics_of_a_project_older_than_the_record_of_searches_were_sought(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import_posts(project, range(-4, 0))
    import_posts(project, range(1), "b", "塑化剂 {} 塑化剂 检出", 40)
    run_folate(project, "annotate", "--without-sentiment")
    run_folate(project, "topics", "--week", WEEK)
    shutil.rmtree(project / "corpus" / "searches")
    commits = project / "corpus" / "commits.jsonl"
    commits.write_text(
        "".join(line for line in commits.read_text().splitlines(True) if "searches" not in line)
    )
    capsys.readouterr()
    run_folate(project, "status")
    assert "topics were sought in 2026-W10 (" in capsys.readouterr().err
    assert build_forms(project)[0]["topics_sought"]["status"] == "unrecorded"


def test_topics_are_not_sought_in_a_week_that_nobody_has_read(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import_posts(project, range(-4, 0))
    run_folate(project, "annotate", "--without-sentiment")
    import_posts(project, range(1), "late")
    assert run_command(["topics", "--week", WEEK, "--project", str(project)]) == 5
    assert (
        "wanted annotated posts of 2026-W10, got 9 that nobody has read yet"
        in capsys.readouterr().err
    )
    run_folate(project, "annotate", "--without-sentiment")
    import_posts(project, range(1), "later", count=2)
    run_folate(project, "topics", "--week", WEEK)
    assert (
        "2 of 11 posts of 2026-W10 have not been read, and topics were not sought in them"
        in capsys.readouterr().err
    )


def test_watch_does_not_say_that_nothing_fired_where_nothing_was_sought(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = (
        '[[alerts.topic]]\nid = "rising"\nscore = 6.0\n'
        '[[alerts.volume]]\nid = "bowls"\nwords = ["碗"]\n'
    )
    (project / "folate.toml").write_text(PROJECT + rules, encoding="utf-8")
    import_posts(project, range(-4, 1))
    run_folate(project, "watch", "--week", WEEK)
    document = capsys.readouterr().err
    assert "alert 'rising' was not judged: topics were not sought in this week" in document
    assert "alert 'bowls' was not judged: none of the 9 posts of 2026-W10 has been read" in document
    assert "nothing fired in 2026-W10 as far as the rules could be judged." in document
