"""What a report says where something was not sought, not read or not there: so, in every form, and never that there is none."""

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
from tests.folate.test_pipeline import LexiconReader

WEEK = "2026-W10"
PROJECT = """
name = "Test"
[[brands]]
id = "ours"
names = ["晨谷", "Morngrain"]
own = true
[[brands]]
id = "theirs"
names = ["暖禾"]
"""
NONE_ROSE = {"en": "rose above the threshold", "zh": "超过阈值"}
"""What may only be said of a week whose topics were sought in all its posts."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in ("annotate.run", "topics.find"):
        monkeypatch.setattr(
            f"folate.pipeline.{module}.load_reader", lambda *_, **__: LexiconReader()
        )
    (tmp_path / "folate.toml").write_text(PROJECT, encoding="utf-8")
    return tmp_path


def ask(project: Path, *arguments: str) -> None:
    assert run_command([*arguments, "--project", str(project)]) == 0


def bring(
    project: Path,
    weeks: range,
    name: str = "a",
    text: str = "早餐吃晨谷，味道不错，第 {} 碗",
    count: int = 9,
) -> None:
    """Import posts of these weeks, 0 being 2026-W10, a different author each."""
    monday = date.fromisocalendar(2026, 10, 1)
    lines = [
        json.dumps({
            "id": f"{name}{week}-{n}", "author": f"u{name}{week}{n}", "text": text.format(f"{name}{week}{n}"),
            "published_at": f"{monday + timedelta(weeks=week, days=n % 7)}T12:00:00+08:00",
        }, ensure_ascii=False)
        for week in weeks
        for n in range(count)
    ]  # fmt: skip
    path = project / f"{name}.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    ask(project, "import", str(path), "--source", "f", "--kind", "forum")


def report(project: Path, language: str = "en", week: str = WEEK) -> tuple[dict[str, Any], str]:
    """The JSON of a report, and the text of its page, Markdown, workbook and letter one after the other."""
    built = build_report(Project.open(project), Week.parse(week), language)
    told = json.loads(to_json(built))
    book = load_workbook(BytesIO(xlsx.render_workbook(built)))
    cells = [
        str(cell)
        for sheet in book
        for row in sheet.iter_rows(values_only=True)
        for cell in row
        if cell is not None
    ]
    return told, "\n".join(
        [
            unescape(render_html(built)),
            markdown.render_markdown(built).decode(),
            *cells,
            compose_report_email(told).text,
        ]
    )


def sentences(told: dict[str, Any]) -> dict[str, str]:
    return {sentence["key"]: sentence["text"] for sentence in told["summary"]}


def plain(text: str) -> str:
    """`text` without tags, since numbers lead to their evidence."""
    return re.sub(r"<[^>]*>", "", text)


def never(project: Path) -> None:
    bring(project, range(-4, 1))
    ask(project, "annotate", "--without-sentiment")


def before_the_last_import(project: Path) -> None:
    never(project)
    ask(project, "topics", "--week", WEEK)
    bring(project, range(1), "late", count=4)
    ask(project, "annotate", "--without-sentiment")


def before_more_of_the_baseline(project: Path) -> None:
    never(project)
    ask(project, "topics", "--week", WEEK)
    bring(project, range(-6, -4), "older")
    ask(project, "annotate", "--without-sentiment")


def with_one_week_before(project: Path) -> None:
    bring(project, range(-1, 1))
    ask(project, "annotate", "--without-sentiment")
    ask(project, "topics", "--week", WEEK)


def before_a_text_changed(project: Path) -> None:
    never(project)
    ask(project, "topics", "--week", WEEK)
    bring(project, range(1), text="今天换成暖禾了，第 {} 碗")
    ask(project, "annotate", "--without-sentiment")


def before_the_watch_list_changed(project: Path) -> None:
    never(project)
    ask(project, "topics", "--week", WEEK)
    (project / "folate.toml").write_text('watch = ["叶酸"]\n' + PROJECT, encoding="utf-8")


@pytest.mark.parametrize(
    ("prepare", "status", "key", "said"),
    [
        (never, "never", "topic_never", {"en": "Topics were not sought in this week", "zh": "本周的话题尚未查找"}),
        (before_the_last_import, "outdated", "topic_outdated", {"en": "before 4 of the 13 posts", "zh": "又新到或新读了 4 条"}),
        (before_more_of_the_baseline, "outdated", "topic_outdated_baseline", {"en": "before 18 posts of the weeks before", "zh": "18 条"}),
        (with_one_week_before, "short", "topic_short", {"en": "fewer than 3 baseline weeks: 1 of the 8", "zh": "基线不足 3 周"}),
        (before_a_text_changed, "outdated", "topic_changed", {"en": "before posts or settings changed", "zh": "帖子或设置有改动"}),
        (before_the_watch_list_changed, "outdated", "topic_changed", {"en": "before posts or settings changed", "zh": "有改动"}),
    ],
)  # fmt: skip
def test_where_topics_were_not_sought_in_all_posts_no_form_says_that_none_rose(
    project: Path, prepare: Callable[[Path], None], status: str, key: str, said: dict[str, str]
) -> None:
    prepare(project)
    for language, phrase in said.items():
        told, text = report(project, language)
        assert told["topics_sought"]["status"] == status
        assert phrase in sentences(told)[key]
        assert plain(text).count(phrase) >= 4  # page, Markdown, workbook, letter
        assert NONE_ROSE[language] not in text


def test_where_topics_were_sought_in_all_posts_none_is_said_to_have_risen(project: Path) -> None:
    never(project)
    ask(project, "topics", "--week", WEEK)
    told, text = report(project)
    assert told["topics_sought"]["status"] == "current"
    assert "rose above the threshold" in text
    assert told["topics_sought"]["baseline_weeks"]["value"] == 4
    assert "rose above the threshold" in sentences(told)["topic_none"]
    assert report(project) == (told, text)


def test_before_annotate_nothing_is_counted_as_zero(project: Path) -> None:
    bring(project, range(-4, 1))
    for language, said in (
        ("en", "None of the 9 posts of the week has been read"),
        ("zh", "9 条帖子都还没有判读"),
    ):
        told, text = report(project, language)
        assert said in sentences(told)["unread_all"]
        assert "empty" not in sentences(told)
        assert plain(text).count(said) >= 4
    assert told["sources"][0]["copies"]["value"] is None
    measures = told["brands"][0]["measures"]
    assert (measures["mentions"]["value"], measures["authors"]["value"]) == (None, None)
    assert (
        told["reading"]["week"]["unread"]["value"],
        told["reading"]["week"]["posts"]["value"],
    ) == (9, 9)
    assert told["people"]["questions"]["asked"]["value"] is None


def test_amid_an_interrupted_annotate_the_unread_posts_are_told(project: Path) -> None:
    bring(project, range(-4, 1))
    ask(project, "annotate", "--without-sentiment")
    bring(project, range(1), "late", count=4)
    told, text = report(project)
    assert sentences(told)["unread"].startswith("4 of the 13 posts of the week have not been read")
    assert "unread" in told["brands"][0]["measures"]["mentions"]["flags"]
    assert "mentions" not in told["brands"][0]["changes"]
    assert "some posts have not been read: a lower bound" in text


def test_posts_read_with_another_brand_list_are_unread(project: Path) -> None:
    never(project)
    (project / "folate.toml").write_text(
        PROJECT.replace('"暖禾"', '"暖禾", "碗"'), encoding="utf-8"
    )
    told, _ = report(project)
    assert told["reading"]["week"]["unread"]["value"] == 9
    assert "unread" in told["brands"][1]["measures"]["mentions"]["flags"]


def test_without_sentiment_nothing_that_a_model_reads_is_said_to_be_none(project: Path) -> None:
    never(project)
    told, text = report(project)
    assert "its sentiment was not measured" in sentences(told)["sentiment_missing"]
    assert told["brands"][0]["measures"]["net_sentiment_polar"]["value"] is None
    assert told["people"]["questions"]["asked"]["value"] is None
    for claim in (
        "No post of this week asks",
        "speaks of an aspect of a brand that the model knows.\n",
        "beyond chance.",
    ):
        assert claim not in text
    assert "Not measured: no model has read a post of this week about us for questions" in text
    assert plain(text).count("posts of these weeks has been read for it") >= 2


def test_a_week_in_which_nobody_asks_has_no_questions_and_that_was_measured(project: Path) -> None:
    bring(project, range(-1, 1))
    ask(project, "annotate")
    store = Project.open(project).store
    rows = store.snapshot().sql("FROM judgements").to_pylist()
    store.upsert("judgements", [row | {"ask": 0.0} for row in rows])
    told, text = report(project)
    assert told["people"]["questions"]["asked"]["value"] == 0
    assert "No post of this week asks something about us." in text


def test_a_week_without_posts_measures_nothing(project: Path) -> None:
    never(project)
    for week, language in (("2027-W10", "en"), ("2020-W01", "zh"), ("2026-W53", "en")):
        told, text = report(project, language, week)
        assert list(sentences(told)) == ["no_posts"]
        assert told["topics_sought"]["status"] == "empty"
        assert told["brands"][0]["measures"]["mentions"]["value"] is None
        assert NONE_ROSE[language] not in text


def test_an_empty_watch_list_and_no_segments_are_told(project: Path) -> None:
    (project / "folate.toml").write_text('watch = ["碗"]\n' + PROJECT, encoding="utf-8")
    never(project)
    told, text = report(project)
    assert told["configured"] == {"brands": 2, "watch": 1, "segments": 0, "sources": 0}
    assert "folate.toml has no segments" in text
    assert "Topics were not sought" in text.partition("Nobody tracked")[2]


@pytest.mark.parametrize(
    "text", ["今日は朝ごはんを食べました {}", "Сегодня утром я ел кашу {}", "晨谷", "晨谷好吃 {}"]
)
def test_one_post_copies_and_other_languages_make_a_report(project: Path, text: str) -> None:
    bring(project, range(1), text=text, count=1)
    bring(project, range(1), "copy", text=text.format(""), count=3)
    ask(project, "annotate", "--without-sentiment")
    ask(project, "topics", "--week", WEEK)
    told, page = report(project)
    assert told["topics_sought"]["status"] == "short"
    assert "rose above the threshold" not in page


def test_status_says_what_waits_and_where_topics_were_sought(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bring(project, range(-4, 1))
    capsys.readouterr()
    ask(project, "status")
    told = capsys.readouterr().err
    assert "45 posts have not been read: 'folate annotate' does that." in told
    assert "topics were never sought" in told
    ask(project, "annotate", "--without-sentiment")
    ask(project, "topics", "--week", WEEK)
    ask(project, "topics", "--week", "2026-W07")
    capsys.readouterr()
    ask(project, "status")
    assert (
        "topics were sought in 2026-W10 (0), 2026-W07 (too few weeks before)."
        in capsys.readouterr().err
    )
    assert run_command(["topics", "history", "nope", "--project", str(project)]) == 5
    assert "topics were sought in 2026-W07, 2026-W10" in capsys.readouterr().err


def test_topics_of_a_project_older_than_the_record_of_searches_were_sought(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bring(project, range(-4, 0))
    bring(project, range(1), "b", "塑化剂 {} 塑化剂 检出", 40)
    ask(project, "annotate", "--without-sentiment")
    ask(project, "topics", "--week", WEEK)
    shutil.rmtree(project / "corpus" / "searches")
    commits = project / "corpus" / "commits.jsonl"
    commits.write_text(
        "".join(line for line in commits.read_text().splitlines(True) if "searches" not in line)
    )
    capsys.readouterr()
    ask(project, "status")
    assert "topics were sought in 2026-W10 (" in capsys.readouterr().err
    assert report(project)[0]["topics_sought"]["status"] == "unrecorded"


def test_topics_are_not_sought_in_a_week_that_nobody_has_read(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bring(project, range(-4, 0))
    ask(project, "annotate", "--without-sentiment")
    bring(project, range(1), "late")
    assert run_command(["topics", "--week", WEEK, "--project", str(project)]) == 5
    assert (
        "wanted annotated posts of 2026-W10, got 9 that nobody has read yet"
        in capsys.readouterr().err
    )
    ask(project, "annotate", "--without-sentiment")
    bring(project, range(1), "later", count=2)
    ask(project, "topics", "--week", WEEK)
    assert (
        "2 of 11 posts of 2026-W10 have not been read, and topics were not sought in them"
        in capsys.readouterr().err
    )


def test_watch_does_not_say_that_nothing_fired_where_nothing_was_sought(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = '[[alerts.topic]]\nid = "rising"\nscore = 6.0\n[[alerts.volume]]\nid = "bowls"\nwords = ["碗"]\n'
    (project / "folate.toml").write_text(PROJECT + rules, encoding="utf-8")
    bring(project, range(-4, 1))
    ask(project, "watch", "--week", WEEK)
    told = capsys.readouterr().err
    assert "alert 'rising' was not judged: topics were not sought in this week" in told
    assert "alert 'bowls' was not judged: none of the 9 posts of 2026-W10 has been read" in told
    assert "nothing fired in 2026-W10 as far as the rules could be judged." in told
