"""`folate adapt`: sentiment is adapted to labels where cross-validation shows a gain."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpora.store.adapted_sentiments import ALL_FOLDS, FOLD_COUNT, text_fold
from folate.cli import run_command
from folate.core.labels import UNREADABLE_PROBABILITIES
from folate.core.post import Post
from folate.core.weeks import Week
from folate.pipeline import adapt as steps
from folate.pipeline.project import Project
from folate.pipeline.report import build_report
from nlp.stats.adaptation import rescale_posteriors
from reports.build import Report
from reports.render.document import report_document
from reports.render.html import render_html
from tests.folate.project import TWO_BRANDS_TOML, create_project, forum_posts

LABELS = ("negative", "neutral", "positive")
MODEL = "abc-int8+names1"
POSTS = 400


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """400 posts about a brand, 120 of them labelled; the model predicts neutral far too often."""
    project = create_project(tmp_path)
    rng = np.random.default_rng(1)
    truth = rng.choice(3, POSTS, p=[0.6, 0.1, 0.3])
    evidence = np.exp(rng.normal(0, 1, (POSTS, 3)) + 2 * np.eye(3)[truth])
    posteriors = rescale_posteriors(evidence, np.array([0.05, 1.0, 0.05]))
    posts = forum_posts([f"晨谷 第{number}天" for number in range(POSTS)])
    project.store.upsert_posts(posts)
    store_sentiments(project, posts, posteriors, f"{MODEL}+tags+text")
    store_labels(project, posts[:120], [LABELS[label] for label in truth[:120]])
    return project


def store_sentiments(
    project: Project, posts: list[Post], posteriors: np.ndarray, version: str
) -> None:
    made_by = {"annotator": "folate-small", "version": version}
    keys: list[dict[str, Any]] = [
        made_by | {"id": post.id, "text_hash": post.text_hash} for post in posts
    ]
    project.store.upsert(
        "texts", [key | {"words": [], "hashtags": [], "language": "zh"} for key in keys]
    )
    keys = [key | {"brand": "ours"} for key in keys]
    project.store.upsert("mentions", [key | {"start": 0, "end": 2, "via": "text"} for key in keys])
    rows = [
        key | dict(zip(LABELS, row.tolist(), strict=True))
        for key, row in zip(keys, posteriors, strict=True)
    ]
    project.store.upsert(
        "sentiments", [row | {"label": max(LABELS, key=row.__getitem__)} for row in rows]
    )


def store_labels(project: Project, posts: list[Post], labels: list[str]) -> None:
    project.store.upsert(
        "audits",
        [
            {
                "draw": "d1",
                "brand": "ours",
                "text_hash": post.text_hash,
                "id": post.id,
                "place": place,
                "label": label,
                "since": datetime(2026, 3, 2, tzinfo=UTC),
                "until": datetime(2026, 3, 9, tzinfo=UTC),
                "population": POSTS,
                "probability": 0.3,
            }
            for place, (post, label) in enumerate(zip(posts, labels, strict=True))
        ],
    )


def stored_posts(project: Project) -> list[Post]:
    rows = project.store.snapshot().sql("SELECT * FROM posts ORDER BY id").to_pylist()
    columns = ("id", "source", "kind", "text", "published_at")
    return [Post(**{name: row[name] for name in columns}) for row in rows]


def load_sentiments(project: Project, table: str = "sentiments") -> list[dict[str, Any]]:
    return project.store.snapshot().sql(f"SELECT * FROM {table} ORDER BY id").to_pylist()


def run_adapt(project: Project, *arguments: str) -> int:
    return run_command(["adapt", *arguments, "--project", str(project.root)])


def test_judgements_follow_the_labels_and_the_model_s_own_stay_stored(
    project: Project, capsys
) -> None:
    before = load_sentiments(project)
    assert run_adapt(project, "--brand", "ours") == 0
    after = load_sentiments(project)
    assert load_sentiments(project, "all_sentiments") == before
    assert sum(row["label"] == "neutral" for row in before) > 0.5 * POSTS
    assert sum(row["label"] == "negative" for row in after) > 0.5 * POSTS
    assert all(
        row["negative"] + row["neutral"] + row["positive"] == pytest.approx(1, abs=1e-6)
        for row in after
    )
    assert {row["version"].rpartition("+")[0] for row in after} == {f"{MODEL}+tags+text"}
    assert "'ours' is adapted to 120 labels" in capsys.readouterr().err


def test_a_text_has_the_factors_that_were_fitted_without_the_labels_of_its_fold(
    project: Project,
) -> None:
    steps.adapt_brand(project, "ours")
    rows = project.store.snapshot().sql("SELECT * FROM adaptations").to_pylist()
    factors = {row["fold"]: np.array([row[label] for label in LABELS]) for row in rows}
    assert set(factors) == {ALL_FOLDS, *range(FOLD_COUNT)}
    for before, after in zip(
        load_sentiments(project, "all_sentiments"), load_sentiments(project), strict=True
    ):
        [expected] = rescale_posteriors(
            np.array([[before[label] for label in LABELS]]), factors[text_fold(before["text_hash"])]
        )
        assert [after[label] for label in LABELS] == pytest.approx(expected.tolist(), abs=1e-6)
        assert after["label"] == LABELS[int(expected.argmax())]


def test_a_label_changes_nothing_about_its_own_text(project: Project) -> None:
    steps.adapt_brand(project, "ours")
    before = {row["id"]: row["negative"] for row in load_sentiments(project)}
    snapshot = project.store.snapshot()
    [audit_row] = snapshot.sql("SELECT * FROM audits WHERE place = 7").to_pylist()
    project.store.upsert(
        "audits",
        [audit_row | {"label": "positive" if audit_row["label"] != "positive" else "negative"}],
    )
    steps.adapt_brand(project, "ours")
    after = {row["id"]: row["negative"] for row in load_sentiments(project)}
    same = [
        row["id"]
        for row in load_sentiments(project)
        if text_fold(row["text_hash"]) == text_fold(audit_row["text_hash"])
    ]
    assert all(after[id_] == before[id_] for id_ in same)
    assert any(after[id_] != before[id_] for id_ in before)


def test_one_command_takes_it_back(project: Project, capsys) -> None:
    before = load_sentiments(project)
    run_adapt(project)
    assert load_sentiments(project) != before
    assert run_adapt(project, "--undo") == 0
    assert load_sentiments(project) == before
    assert "the adaptation of ours is taken back" in capsys.readouterr().err
    assert run_adapt(project, "--undo") == 0
    assert "nothing was adapted" in capsys.readouterr().err


def test_it_is_refused_with_the_figures_where_labels_show_no_gain(project: Project, capsys) -> None:
    run_adapt(project)
    rows = load_sentiments(project, "all_sentiments")[:POSTS]
    rng = np.random.default_rng(0)
    posts = {row["id"]: row for row in rows}
    labelled = project.store.snapshot().sql("SELECT * FROM audits").to_pylist()
    audit_rows = [
        rng.choice(
            LABELS,
            p=(p := np.array([posts[row["id"]][label] for label in LABELS], float)) / p.sum(),
        )
        for row in labelled
    ]
    project.store.upsert(
        "audits",
        [row | {"label": str(label)} for row, label in zip(labelled, audit_rows, strict=True)],
    )
    capsys.readouterr()
    assert run_adapt(project, "--format", "json") == 0
    printed = capsys.readouterr()
    [row] = json.loads(printed.out)
    assert row["state"] == "not adapted"
    assert (
        row["loss_before"] - row["loss_after"] <= row["standard_error"]
        or row["share_error_after"] >= row["share_error_before"]
    )
    assert "is not adapted, since 120 labels show no gain beyond chance" in printed.err
    assert load_sentiments(project) == rows  # the adaptation from before is taken back


def test_too_few_labels_and_unknown_brands_are_refused(project: Project, capsys) -> None:
    assert run_adapt(project, "--brand", "theirs") == 5
    assert run_adapt(project, "--brand", "our") == 2
    assert run_adapt(project, "--brand", "our", "--undo") == 2
    labelled = project.store.snapshot().sql("SELECT * FROM audits WHERE place >= 49").to_pylist()
    project.store.upsert("audits", [row | {"label": None} for row in labelled])
    capsys.readouterr()
    assert run_adapt(project, "--brand", "ours") == 5
    assert "got 49" in capsys.readouterr().err
    assert run_adapt(project) == 5


def test_the_report_says_what_it_is_adapted_to_and_rests_on_it(project: Project) -> None:
    week = Week.parse("2026-W10")
    before = build_report(project, week, "en")
    assert before.brands[0].figures["adapted_labels"].value == 0
    assert "which cross-validation found to help" not in page_text(before)
    run_adapt(project)
    report = build_report(project, week, "en")
    assert report_document(report)["brands"][0]["measures"]["adapted_labels"]["value"] == 120
    assert "are adapted to 120 labels of people" in page_text(report)
    assert "模型概率已按 120 条人工标注适配" in page_text(replace(report, language="zh"))
    assert report.versions["adaptations"] == project.store.versions()["adaptations"]
    shares = {name: report.brands[0].figures[name].value for name in LABELS}
    assert shares == pytest.approx({"negative": 0.6, "neutral": 0.1, "positive": 0.3}, abs=0.08)


def page_text(report: Report) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", render_html(report)).split())


def test_an_older_version_of_the_store_is_not_adapted(project: Project) -> None:
    before, versions = load_sentiments(project), project.store.versions()
    run_adapt(project)
    assert (
        project.store.snapshot(versions).sql("SELECT * FROM sentiments ORDER BY id").to_pylist()
        == before
    )


def test_another_model_puts_it_out_of_use_with_a_sentence(project: Project, capsys) -> None:
    run_adapt(project)
    posts = stored_posts(project)
    capsys.readouterr()
    assert run_command(["status", "--project", str(project.root)]) == 0
    assert "judgements of 'ours' are adapted to 120 labels of people" in capsys.readouterr().err
    store_sentiments(project, posts, np.full((POSTS, 3), 1 / 3), "xyz-int8+names1+tags+text")
    assert load_sentiments(project) == load_sentiments(project, "all_sentiments")
    assert run_command(["status", "--project", str(project.root)]) == 0
    assert "the adaptation of 'ours' is out of use" in capsys.readouterr().err
    assert run_adapt(project, "status", "--format", "json") == 0
    assert [row["state"] for row in json.loads(capsys.readouterr().out)] == [
        "out of use",
        "not adapted",
    ]


def test_other_words_or_tags_leave_it_in_use(project: Project) -> None:
    run_adapt(project)
    adapted = load_sentiments(project)
    posts = stored_posts(project)
    raw = load_sentiments(project, "all_sentiments")
    store_sentiments(
        project,
        posts,
        np.array([[row[label] for label in LABELS] for row in raw]),
        f"{MODEL}+tags2+text2",
    )
    assert [row["label"] for row in load_sentiments(project)] == [row["label"] for row in adapted]


def test_an_adaptation_of_a_brand_that_the_project_has_no_more_can_be_removed(
    project: Project, capsys
) -> None:
    run_adapt(project)
    project.store.replace("sentiments", [], {"brand": "ours"})
    config = project.root / "folate.toml"
    config.write_text(TWO_BRANDS_TOML.replace('"ours"', '"renamed"'), encoding="utf-8")
    capsys.readouterr()
    assert run_command(["status", "--project", str(project.root)]) == 0
    stderr = capsys.readouterr().err
    assert "the project has no such brand: 'folate adapt --undo --brand ours' removes it." in stderr
    assert "folate adapt --brand ours" not in stderr
    assert run_adapt(project, "--undo", "--brand", "ours") == 0


def test_a_post_with_nothing_to_read_stays_as_it_is(project: Project) -> None:
    emoji = Post(
        id="f:emoji",
        source="f",
        kind="forum",
        text="晨谷 \U0001f600",
        published_at=datetime(2026, 3, 3, tzinfo=UTC),
    )
    project.store.upsert_posts([emoji])
    store_sentiments(project, [emoji], np.array([UNREADABLE_PROBABILITIES]), f"{MODEL}+tags+text")
    run_adapt(project)
    (row,) = [row for row in load_sentiments(project) if row["id"] == "f:emoji"]
    assert [row[label] for label in LABELS] == pytest.approx(UNREADABLE_PROBABILITIES)
    assert (
        "+adapted-" in row["version"]
    )  # one version for the whole brand, or the report would not compare its weeks


def test_labels_of_posts_with_nothing_to_read_are_not_fitted_to(project: Project) -> None:
    texts = [f"晨谷 {chr(0x1F600 + number)}" for number in range(60)]
    moment = datetime(2026, 3, 3, tzinfo=UTC)
    emoji = [
        Post(id=f"f:e{number}", source="f", kind="forum", text=text, published_at=moment)
        for number, text in enumerate(texts)
    ]
    project.store.upsert_posts(emoji)
    store_sentiments(
        project, emoji, np.array([UNREADABLE_PROBABILITIES] * 60), f"{MODEL}+tags+text"
    )
    project.store.replace("audits", [], {"brand": "ours"})
    store_labels(project, emoji, ["positive"] * 60)
    assert run_adapt(project, "--brand", "ours") == 5
    assert not [row for row in load_sentiments(project) if "+adapted-" in row["version"]]
