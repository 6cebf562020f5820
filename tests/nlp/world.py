"""A made-up stream of posts to find topics in."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pyarrow as pa

from folate.core.config import Brand, Topics
from folate.core.weeks import Week
from nlp.topics import Discovery, Topic, discover_topics

WEEK = Week(2026, 14)  # no holiday is near
WEEKS = 9
BRANDS = (Brand(id="ours", names=("Ours",), own=True), Brand(id="theirs", names=("Theirs",)))
ZH = [
    *("牛奶", "面包", "咖啡", "早餐", "味道", "价格", "包装", "超市", "朋友", "孩子"),
    *("喜欢", "推荐", "口感", "新鲜", "便宜", "健康", "方便", "办公室", "周末"),
    *("冰箱", "甜度", "下单", "快递", "客服", "日期", "产地"),
]
EN = [
    *("milk", "bread", "coffee", "breakfast", "taste", "price", "package", "store", "friend"),
    *("kid", "recommend", "fresh", "cheap", "healthy", "office", "weekend", "fridge"),
    *("order", "courier", "date"),
]
SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "author": pa.string(),
        "source": pa.string(),
        "published_at": pa.timestamp("us", tz="UTC"),
        "week": pa.int32(),
        "language": pa.string(),
        "words": pa.list_(pa.string()),
        "hashtags": pa.list_(pa.string()),
        "cluster": pa.string(),
        "brands": pa.list_(pa.string()),
        "body": pa.string(),
    }
)

Rows = list[dict[str, Any]]


class World:
    """A made-up stream of posts, random chatter first.

    With the default seed nothing in the last week is above a threshold by chance.
    """

    def __init__(self, seed: int = 2, posts_per_week: int = 120, weeks: int = WEEKS) -> None:
        self.random = Random(seed)
        self.rows: Rows = []
        for week in range(WEEKS - weeks, WEEKS):
            for _ in range(posts_per_week):
                self.post(week, self.chatter())

    def chatter(self, language: str | None = None) -> list[str]:
        words = {"zh": ZH, "en": EN}[language or self.random.choice(("zh", "en"))]
        return self.random.choices(words, k=8)

    def post(self, week: int, words: list[str], **columns: Any) -> str:
        """Add a post with these words and return its id; `columns` replace the made-up values."""
        source = columns.get("source") or self.random.choice(("forum", "shop", "weibo"))
        post_id = columns.get("id") or f"{source}:{len(self.rows)}"
        is_chinese = any(word >= "⺀" for word in words)
        published_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(
            weeks=week, seconds=self.random.randrange(600_000)
        )
        row = {
            "id": post_id,
            "author": f"a{len(self.rows)}",
            "source": source,
            "published_at": published_at,
            "week": week,
            "language": "zh" if is_chinese else "en",
            "words": words,
            "hashtags": [],
            "cluster": post_id,
            "brands": self.random.choice((["ours"], ["theirs"], [])),
            "body": ("" if is_chinese else " ").join(words),
        }
        self.rows.append(row | columns)
        return str(post_id)

    def plant(
        self, words: list[str], count: int, week: int = WEEKS - 1, **columns: Any
    ) -> list[str]:
        """Add posts of chatter with `words` in the middle and return their ids."""
        language = "zh" if words[0] >= "⺀" else "en"
        ids = []
        for _ in range(count):
            before = self.chatter(language)[: self.random.randrange(2, 6)]
            after = self.chatter(language)[:4]
            ids.append(self.post(week, before + words + after, **columns))
        return ids

    def table(self) -> pa.Table:
        return pa.Table.from_pylist(self.rows, schema=SCHEMA)

    def discover(self, **options: Any) -> Discovery:
        return discover_topics(
            self.table(),
            options.pop("week", WEEK),
            options.pop("settings", Topics()),
            options.pop("watch", ()),
            BRANDS,
            **options,
        )


def find(discovery: Discovery, label: str) -> Topic:
    """Return the best topic with a label or term."""
    return next(
        topic
        for topic in discovery.topics
        if label in (topic.label_zh, topic.label_en, *topic.terms)
    )
