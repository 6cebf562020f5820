"""Topics from the store: by week and by day, their life, what their authors feel and say, and dates that can't be true."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner, Result

from corpora.store.store import Store
from folate.cli.commands.topics import TOPIC_COLUMNS, topics
from folate.core.errors import NotFound
from folate.core.post import Post
from folate.core.weeks import SevenDays, Week
from folate.pipeline.project import Project
from folate.pipeline.topics.find import find_topics
from folate.pipeline.topics.history import topic_history

PROJECT = """
name = "Test"
timezone = "UTC"
[[brands]]
id = "ours"
names = ["晨谷"]
own = true
"""
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)  # of 2026-W10
WORDS = [
    "牛奶", "面包", "咖啡", "早餐", "味道", "价格", "包装", "超市", "朋友", "孩子", "喜欢", "推荐", "口感", "新鲜",
    "便宜", "健康", "方便", "办公室", "周末", "冰箱", "甜度", "下单", "快递", "客服", "日期", "产地",
]  # fmt: skip


class Corpus:
    """Nine weeks of chatter up to 2026-W10, 60 posts each, and what a test adds."""

    def __init__(self) -> None:
        self.random, self.number = Random(4), count()
        self.posts: list[Post] = []
        self.tables: dict[str, list[dict[str, Any]]] = {
            "texts": [],
            "mentions": [],
            "sentiments": [],
            "judgements": [],
            "aspects": [],
        }
        for week in range(-8, 1):
            for _ in range(60):
                self.add(
                    [],
                    MONDAY + timedelta(weeks=week, seconds=self.random.randrange(600_000)),
                    feeling=0.7,
                )

    def add(
        self,
        words: list[str],
        at: datetime,
        feeling: float | None = None,
        judged: tuple[float, bool] | None = None,
        **about: Any,
    ) -> str:
        said = [*self.random.choices(WORDS, k=4), *words, *self.random.choices(WORDS, k=4)]
        number = next(self.number)
        about = {"id": f"forum:{number}", "author": f"a{number}"} | about
        post = Post(source="forum", kind="forum", text="".join(said), published_at=at, **about)
        self.posts.append(post)
        made = {"id": post.id, "text_hash": post.text_hash, "annotator": "test", "version": "1"}
        self.tables["texts"].append(
            made | {"language": "zh", "words": said, "hashtags": [], "exact": post.id}
        )
        if self.random.random() < 0.5 or words:
            self.tables["mentions"].append(
                made | {"brand": "ours", "start": 0, "end": 2, "via": "text"}
            )
        if feeling is not None:
            chances = {"negative": 0.9 - feeling, "neutral": 0.1, "positive": feeling}
            self.tables["sentiments"].append(
                made | {"brand": None, "label": max(chances, key=chances.__getitem__)} | chances
            )
        if judged is not None:
            self.tables["judgements"].append(
                made
                | {
                    "emotion": "neutral",
                    "buy": 0.0,
                    "switch": 0.0,
                    "ask": judged[0],
                    "complain": 0.0,
                }
            )
            if judged[1]:
                self.tables["aspects"].append(
                    made
                    | {"brand": None, "aspect": "health", "confidence": 0.9, "start": 0, "end": 2}
                )
        return post.id

    def write(self, folder: Path) -> Project:
        (folder / "folate.toml").write_text(PROJECT, encoding="utf-8")
        project = Project.open(folder)
        project.store.upsert_posts(self.posts)
        for table, rows in self.tables.items():
            if rows:
                project.store.upsert(table, rows)
        return project


def ask(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(topics, [*arguments, "--project", str(folder)])


def test_a_topic_is_found_on_the_day_of_its_tenth_post_and_the_week_knows_it_by_that_id(
    tmp_path: Path,
) -> None:
    corpus = Corpus()
    for i in range(12):  # two a day from Monday on: the tenth on Friday
        corpus.add(["叶酸"], MONDAY + timedelta(days=i // 2, hours=9))
    project = corpus.write(tmp_path)
    friday = json.loads(ask(tmp_path, "--day", "2026-03-06", "--format", "json").output)
    assert (friday[0]["label_zh"], friday[0]["state"], friday[0]["posts"]) == ("叶酸", "new", 10)
    saturday = find_topics(project, SevenDays(MONDAY.date() + timedelta(days=5))).topics[0]
    assert (saturday.id, saturday.state, saturday.posts) == (friday[0]["id"], "strong", 12)
    week = json.loads(ask(tmp_path, "--week", "2026-W10", "--format", "json").output)
    assert tuple(week[0]) == TOPIC_COLUMNS
    assert (week[0]["id"], week[0]["state"], week[0]["posts"]) == (friday[0]["id"], "new", 12)
    life = json.loads(ask(tmp_path, "history", friday[0]["id"], "--format", "json").output)
    assert [(chapter["week"], chapter["event"]) for chapter in life] == [
        ("2026-03-06", "new"), ("2026-03-07", "strong"), ("2026-W10", "new"),
    ]  # fmt: skip
    assert life[0]["log_odds"]["叶酸"] > 1.96


def test_one_span_must_be_asked_for(tmp_path: Path) -> None:
    Corpus().write(tmp_path)
    for arguments in ((), ("--week", "2026-W10", "--day", "2026-03-06")):
        found = ask(tmp_path, *arguments)
        assert found.exit_code == 2
        assert "wanted --week or --day, one of them" in found.output


@pytest.mark.parametrize("day", ["0001-01-03", "9999-12-31", "2026-02-30", "tomorrow"])
def test_a_day_that_no_post_can_be_from_is_told_in_one_sentence(tmp_path: Path, day: str) -> None:
    (tmp_path / "folate.toml").write_text(PROJECT, encoding="utf-8")
    found = ask(tmp_path, "--day", day)
    assert found.exit_code == 2
    assert f"from 1970 to 2199, got '{day}'" in found.output


def test_the_life_of_a_topic_tells_what_it_merged_into_and_what_split_off(tmp_path: Path) -> None:
    store = Store(tmp_path / "corpus")
    rows = [
        ("2026-W10", "aa", "new", {}), ("2026-W10", "bb", "new", {}), ("2026-W11", "aa", "strong", {"continues": ["aa", "bb"]}),
        ("2026-W12", "aa", "weak", {"continues": ["aa"]}), ("2026-W12", "cc", "new", {"continues": [], "split_from": "aa"}),
        ("2026-W12", "dd", "new", {"central": ["forum:aa"]}),
    ]  # fmt: skip
    plain = {
        "label_zh": "",
        "label_en": "",
        "terms": ["叶酸"],
        "score": 9.0,
        "posts": 12,
        "authors": 12,
        "watched": False,
    }
    lists = {
        name: [] for name in ("sources", "languages", "flags", "segments", "brands", "evidence")
    }
    store.upsert(
        "topics",
        [
            plain | lists | {"week": w, "id": i, "state": s, "detail": json.dumps(d)}
            for w, i, s, d in rows
        ],
    )
    told = [
        (chapter.week, chapter.id, chapter.event)
        for chapter in topic_history(store.snapshot(), "aa")
    ]
    assert told == [
        ("2026-W10", "aa", "new"), ("2026-W11", "aa", "strong"), ("2026-W12", "aa", "weak"), ("2026-W12", "cc", "split off"),
    ]  # fmt: skip
    assert topic_history(store.snapshot(), "aa")[1].continues == ("aa", "bb")
    assert [(c.week, c.id, c.event) for c in topic_history(store.snapshot(), "bb")] == [
        ("2026-W10", "bb", "new"), ("2026-W11", "aa", "merged into"),
    ]  # fmt: skip
    with pytest.raises(NotFound, match="'forum'"):
        topic_history(store.snapshot(), "forum")


def test_what_the_authors_of_a_topic_feel_ask_and_speak_of_is_told_against_the_others(
    tmp_path: Path,
) -> None:
    corpus = Corpus()
    for i in range(60):
        corpus.add([], MONDAY + timedelta(hours=i), feeling=0.6, judged=(0.1, i % 10 == 0))
    for i in range(14):
        corpus.add(["叶酸"], MONDAY + timedelta(hours=i), feeling=0.1, judged=(0.9, True))
    topic = find_topics(corpus.write(tmp_path), Week(2026, 10)).topics[0]
    sentiment = topic.detail["sentiment"]
    assert sentiment["inside"] == pytest.approx(-0.7, abs=0.01)
    assert sentiment["difference"] < -0.8
    assert sentiment["low"] < sentiment["difference"] < sentiment["high"] < 0
    assert (sentiment["authors"], sentiment["others"]) == (14, 120)
    assert topic.detail["intents"]["ask"] | {"low": 0, "high": 0} == {
        "inside": 1.0, "outside": 0.0, "difference": 1.0, "low": 0, "high": 0, "authors": 14,
    }  # fmt: skip
    assert topic.detail["aspects"]["health"]["outside"] == pytest.approx(0.1)
    assert topic.detail["goes_with"]["ours"]["low"] > 0


def test_what_was_not_annotated_is_missing(tmp_path: Path) -> None:
    corpus = Corpus()
    for i in range(14):
        corpus.add(["叶酸"], MONDAY + timedelta(hours=i))
    topic = find_topics(corpus.write(tmp_path), Week(2026, 10)).topics[0]
    assert (topic.detail["sentiment"], topic.detail["aspects"], topic.detail["intents"]) == (
        None,
        {},
        {},
    )


def test_posts_dated_after_they_were_fetched_are_left_out_and_told(tmp_path: Path) -> None:
    corpus = Corpus()
    for i in range(14):
        corpus.add(["叶酸"], MONDAY + timedelta(hours=i), fetched_at=MONDAY - timedelta(days=20))
        corpus.add(["白果"], datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=i))
    found = find_topics(corpus.write(tmp_path), Week(2026, 10))
    assert not {"叶酸", "白果"} & {term for topic in found.topics for term in topic.terms}
    assert (
        found.notes[-1]
        == "14 posts of forum are dated a day or more after they were fetched, and were left out."
    )


@pytest.mark.parametrize(("earlier", "flags"), [(True, ("seasonal",)), (False, ())])
def test_a_topic_that_an_earlier_year_had_in_these_weeks_is_seasonal(
    tmp_path: Path, earlier: bool, flags: tuple[str, ...]
) -> None:
    corpus = Corpus()
    for i in range(14):
        corpus.add(["青团"], MONDAY + timedelta(hours=i))
    for week in range(-11, 3):
        for i in range(20):
            corpus.add(
                ["青团"] if earlier and week == -2 and i < 8 else [],
                MONDAY + timedelta(weeks=week - 52, hours=i),
            )
    found = find_topics(corpus.write(tmp_path), Week(2026, 10)).topics
    assert next(topic for topic in found if topic.label_zh == "青团").flags == flags
