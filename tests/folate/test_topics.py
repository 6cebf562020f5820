"""Topics of a project: by week and by day, history, authors, and implausible dates."""

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
    *("牛奶", "面包", "咖啡", "早餐", "味道", "价格", "包装", "超市", "朋友", "孩子"),
    *("喜欢", "推荐", "口感", "新鲜", "便宜", "健康", "方便", "办公室", "周末"),
    *("冰箱", "甜度", "下单", "快递", "客服", "日期", "产地"),
]


class Corpus:
    """Nine weeks of chatter up to 2026-W10, 60 posts each, and the posts that a test adds."""

    def __init__(self) -> None:
        self.random = Random(4)
        self.numbers = count()
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
                seconds = self.random.randrange(600_000)
                published_at = MONDAY + timedelta(weeks=week, seconds=seconds)
                self.add_post([], published_at, positive=0.7)

    def add_post(
        self,
        words: list[str],
        published_at: datetime,
        positive: float | None = None,
        ask_and_health: tuple[float, bool] | None = None,
        **fields: Any,
    ) -> str:
        """Add an annotated post with `words` in the middle and return its id.

        `positive` is the probability of positive sentiment, `ask_and_health` the probability of the
        intent to ask and whether the post has the aspect health; without them the post has no such
        annotation. `fields` replace fields of the post.
        """
        before = self.random.choices(WORDS, k=4)
        after = self.random.choices(WORDS, k=4)
        post_words = [*before, *words, *after]
        number = next(self.numbers)
        post = Post(
            **{"id": f"forum:{number}", "author": f"a{number}"} | fields,
            source="forum",
            kind="forum",
            text="".join(post_words),
            published_at=published_at,
        )
        self.posts.append(post)
        key = {"id": post.id, "text_hash": post.text_hash, "annotator": "test", "version": "1"}
        self.tables["texts"].append(
            key | {"language": "zh", "words": post_words, "hashtags": [], "exact": post.id}
        )
        if self.random.random() < 0.5 or words:
            mention = {"brand": "ours", "start": 0, "end": 2, "via": "text"}
            self.tables["mentions"].append(key | mention)
        if positive is not None:
            chances = {"negative": 0.9 - positive, "neutral": 0.1, "positive": positive}
            label = max(chances, key=chances.__getitem__)
            self.tables["sentiments"].append(key | {"brand": None, "label": label} | chances)
        if ask_and_health is not None:
            ask, has_health = ask_and_health
            intents = {"buy": 0.0, "switch": 0.0, "ask": ask, "complain": 0.0}
            self.tables["judgements"].append(key | {"emotion": "neutral"} | intents)
            if has_health:
                aspect = {"brand": None, "aspect": "health", "confidence": 0.9}
                self.tables["aspects"].append(key | aspect | {"start": 0, "end": 2})
        return post.id

    def write(self, folder: Path) -> Project:
        (folder / "folate.toml").write_text(PROJECT, encoding="utf-8")
        project = Project.open(folder)
        project.store.upsert_posts(self.posts)
        for table, rows in self.tables.items():
            if rows:
                project.store.upsert(table, rows)
        return project


def run_topics(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(topics, [*arguments, "--project", str(folder)])


def test_a_topic_is_found_on_the_day_of_its_tenth_post_and_the_week_knows_it_by_that_id(
    tmp_path: Path,
) -> None:
    corpus = Corpus()
    for i in range(12):  # two a day from Monday on: the tenth on Friday
        corpus.add_post(["叶酸"], MONDAY + timedelta(days=i // 2, hours=9))
    project = corpus.write(tmp_path)
    friday = json.loads(run_topics(tmp_path, "--day", "2026-03-06", "--format", "json").output)
    assert (friday[0]["label_zh"], friday[0]["state"], friday[0]["posts"]) == ("叶酸", "new", 10)
    saturday = find_topics(project, SevenDays(MONDAY.date() + timedelta(days=5))).topics[0]
    assert (saturday.id, saturday.state, saturday.posts) == (friday[0]["id"], "strong", 12)
    week = json.loads(run_topics(tmp_path, "--week", "2026-W10", "--format", "json").output)
    assert tuple(week[0]) == TOPIC_COLUMNS
    assert (week[0]["id"], week[0]["state"], week[0]["posts"]) == (friday[0]["id"], "new", 12)
    history = json.loads(
        run_topics(tmp_path, "history", friday[0]["id"], "--format", "json").output
    )
    assert [(entry["week"], entry["event"]) for entry in history] == [
        ("2026-03-06", "new"),
        ("2026-03-07", "strong"),
        ("2026-W10", "new"),
    ]
    assert history[0]["log_odds"]["叶酸"] > 1.96


def test_one_span_must_be_asked_for(tmp_path: Path) -> None:
    Corpus().write(tmp_path)
    for arguments in ((), ("--week", "2026-W10", "--day", "2026-03-06")):
        result = run_topics(tmp_path, *arguments)
        assert result.exit_code == 2
        assert "wanted --week or --day, one of them" in result.output


@pytest.mark.parametrize("day", ["0001-01-03", "9999-12-31", "2026-02-30", "tomorrow"])
def test_a_day_that_no_post_can_be_from_is_told_in_one_sentence(tmp_path: Path, day: str) -> None:
    (tmp_path / "folate.toml").write_text(PROJECT, encoding="utf-8")
    result = run_topics(tmp_path, "--day", day)
    assert result.exit_code == 2
    assert f"from 1970 to 2199, got '{day}'" in result.output


def test_the_life_of_a_topic_tells_what_it_merged_into_and_what_split_off(tmp_path: Path) -> None:
    store = Store(tmp_path / "corpus")
    rows = [
        ("2026-W10", "aa", "new", {}),
        ("2026-W10", "bb", "new", {}),
        ("2026-W11", "aa", "strong", {"continues": ["aa", "bb"]}),
        ("2026-W12", "aa", "weak", {"continues": ["aa"]}),
        ("2026-W12", "cc", "new", {"continues": [], "split_from": "aa"}),
        ("2026-W12", "dd", "new", {"central": ["forum:aa"]}),
    ]
    values = {"label_zh": "", "label_en": "", "terms": ["叶酸"], "score": 9.0, "watched": False}
    values |= {"posts": 12, "authors": 12}
    for name in ("sources", "languages", "flags", "segments", "brands", "evidence"):
        values[name] = []
    stored = [
        values | {"week": week, "id": topic_id, "state": state, "detail": json.dumps(detail)}
        for week, topic_id, state, detail in rows
    ]
    store.upsert("topics", stored)
    history = topic_history(store.snapshot(), "aa")
    assert [(entry.week, entry.id, entry.event) for entry in history] == [
        ("2026-W10", "aa", "new"),
        ("2026-W11", "aa", "strong"),
        ("2026-W12", "aa", "weak"),
        ("2026-W12", "cc", "split off"),
    ]
    assert history[1].continues == ("aa", "bb")
    merged = topic_history(store.snapshot(), "bb")
    assert [(entry.week, entry.id, entry.event) for entry in merged] == [
        ("2026-W10", "bb", "new"),
        ("2026-W11", "aa", "merged into"),
    ]
    with pytest.raises(NotFound, match="'forum'"):
        topic_history(store.snapshot(), "forum")


def test_what_the_authors_of_a_topic_feel_ask_and_speak_of_is_told_against_the_others(
    tmp_path: Path,
) -> None:
    corpus = Corpus()
    for i in range(60):
        corpus.add_post(
            [], MONDAY + timedelta(hours=i), positive=0.6, ask_and_health=(0.1, i % 10 == 0)
        )
    for i in range(14):
        corpus.add_post(
            ["叶酸"], MONDAY + timedelta(hours=i), positive=0.1, ask_and_health=(0.9, True)
        )
    topic = find_topics(corpus.write(tmp_path), Week(2026, 10)).topics[0]
    sentiment = topic.detail["sentiment"]
    assert sentiment["inside"] == pytest.approx(-0.7, abs=0.01)
    assert sentiment["difference"] < -0.8
    assert sentiment["low"] < sentiment["difference"] < sentiment["high"] < 0
    assert (sentiment["authors"], sentiment["others"]) == (14, 120)
    assert topic.detail["intents"]["ask"] | {"low": 0, "high": 0} == {
        "inside": 1.0,
        "outside": 0.0,
        "difference": 1.0,
        "low": 0,
        "high": 0,
        "authors": 14,
    }
    assert topic.detail["aspects"]["health"]["outside"] == pytest.approx(0.1)
    assert topic.detail["goes_with"]["ours"]["low"] > 0


def test_what_was_not_annotated_is_missing(tmp_path: Path) -> None:
    corpus = Corpus()
    for i in range(14):
        corpus.add_post(["叶酸"], MONDAY + timedelta(hours=i))
    topic = find_topics(corpus.write(tmp_path), Week(2026, 10)).topics[0]
    assert (topic.detail["sentiment"], topic.detail["aspects"], topic.detail["intents"]) == (
        None,
        {},
        {},
    )


def test_posts_dated_after_they_were_fetched_are_left_out_and_told(tmp_path: Path) -> None:
    corpus = Corpus()
    for i in range(14):
        corpus.add_post(
            ["叶酸"], MONDAY + timedelta(hours=i), fetched_at=MONDAY - timedelta(days=20)
        )
        corpus.add_post(["白果"], datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=i))
    discovery = find_topics(corpus.write(tmp_path), Week(2026, 10))
    assert not {"叶酸", "白果"} & {term for topic in discovery.topics for term in topic.terms}
    assert (
        discovery.notes[-1]
        == "14 posts of forum are dated a day or more after they were fetched, and were left out."
    )


@pytest.mark.parametrize(("earlier", "flags"), [(True, ("seasonal",)), (False, ())])
def test_a_topic_that_an_earlier_year_had_in_these_weeks_is_seasonal(
    tmp_path: Path, earlier: bool, flags: tuple[str, ...]
) -> None:
    corpus = Corpus()
    for i in range(14):
        corpus.add_post(["青团"], MONDAY + timedelta(hours=i))
    for week in range(-11, 3):
        for i in range(20):
            corpus.add_post(
                ["青团"] if earlier and week == -2 and i < 8 else [],
                MONDAY + timedelta(weeks=week - 52, hours=i),
            )
    discovery = find_topics(corpus.write(tmp_path), Week(2026, 10))
    assert next(topic for topic in discovery.topics if topic.label_zh == "青团").flags == flags
