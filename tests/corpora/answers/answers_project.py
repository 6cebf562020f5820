"""A small invented corpus in two languages, and checks of what answers say of it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from corpora.corpus import Corpus
from folate.core.config import CONFIG_FILE
from folate.core.post import Post
from folate.pipeline.annotate.run import annotate_corpus
from folate.pipeline.project import Project

PROJECT_TOML = """
name = "Test"
timezone = "Asia/Shanghai"
[[brands]]
id = "ours"
names = ["晨谷", "Morngrain"]
own = true
[[brands]]
id = "theirs"
names = ["暖禾"]
"""

# Monday of the week 2026-W02 in Shanghai.
FIRST_MOMENT = datetime(2026, 1, 4, 16, tzinfo=UTC)

TEXTS = (
    "孕妇要吃叶酸片吗",
    "医生说叶酸要每天吃",
    "晨谷加了叶酸，好吃",
    "哈哈哈，叶酸真贵",
    "Folic acid in Morngrain: is it enough while pregnant?",
    "I take folic acid every day",
    "暖禾没有叶酸",
    "pregnancy and folic acid, folic acid again",
    "今天天气不错",
    "晨谷和暖禾都有叶酸",
)
SOURCES = ("weibo", "forum", "shop")
PLACES = (None, "广东", "广东 广州")


def make_posts(weeks: int = 6) -> list[Post]:
    """Return the texts again and again, a week apart, the third week left out."""
    posts = []
    for week in range(weeks):
        if week == 2:
            continue
        for number, text in enumerate(TEXTS[: 10 - week]):
            moment = FIRST_MOMENT + timedelta(weeks=week, hours=number)
            posts.append(
                Post(
                    id=f"{SOURCES[number % 3]}:{week}-{number}",
                    source=SOURCES[number % 3],
                    kind="forum",
                    text=text,
                    author=f"{(week * 3 + number) % 7:016x}" if number != 5 else None,
                    published_at=moment,
                    rating=(number % 5 + 1) / 5 if number % 3 == 2 else None,
                    likes=number,
                    place=PLACES[number % 3],
                )
            )
    return posts


def make_project(folder: Path) -> Project:
    """Write a project with the posts, annotated without a model and indexed in two batches."""
    folder.mkdir(exist_ok=True)
    (folder / CONFIG_FILE).write_text(PROJECT_TOML, encoding="utf-8")
    project = Project.open(folder)
    posts = make_posts()
    for batch in (posts[::2], posts[1::2]):
        project.store.upsert_posts(batch)
        annotate_corpus(project, with_sentiment=False)
        Corpus.open(folder)
    return project


def assert_row_query(corpus: Corpus, row: Mapping[str, Any]) -> None:
    """Check that the query of a row finds as many posts as the row says."""
    assert corpus.search(row["query"]).post_count == row["posts"], row
