"""Training without a category: none of its texts is learnt, in whatever set it stands."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from folate.core.errors import ConfigError
from training.leave_category_out import hold_out_category, select_sources
from training.sets.manifest import DATASET_SOURCES, SHOPPING_FILE, load_splits


def write(path: Path, rows: list[tuple[str, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    fruit = [("水果", str(number % 2), f"第{number}个苹果") for number in range(40)]
    write(
        tmp_path / SHOPPING_FILE,
        [
            ("cat", "label", "review"),
            *fruit,
            *(("衣服", "1", f"第{number}件衣服") for number in range(40)),
        ],
    )
    posts = [("1", "1", f"第{number}个苹果！") for number in range(5)] + [("2", "0", "别的事")]
    write(tmp_path / "weibo2018/train.csv", [("mid", "label", "text"), *posts])
    write(tmp_path / "weibo2018/test.csv", [("mid", "label", "text"), ("3", "1", "另外的事")])
    return tmp_path


def test_no_text_of_the_category_is_learnt(data: Path) -> None:
    splits, held_out = hold_out_category(load_splits(data), data, "水果", 15)
    training_texts = [sample.text for split in splits for sample in (*split.train, *split.dev)]
    assert training_texts
    assert not any("苹果" in text for text in training_texts)
    assert len(held_out) == 15
    assert all("苹果" in sample.text for sample in held_out)


def test_a_category_that_is_not_there(data: Path) -> None:
    with pytest.raises(ConfigError, match="possible: 水果, 衣服"):
        hold_out_category(load_splits(data), data, "飞机", 15)


def test_sets_are_named_and_have_the_shop_among_them() -> None:
    assert select_sources(None) == DATASET_SOURCES
    assert [source.name for source in select_sources("chnsenticorp,online_shopping")] == [
        "chnsenticorp",
        "online_shopping",
    ]
    with pytest.raises(
        ConfigError, match="no set 'onlin_shopping'; did you mean 'online_shopping'"
    ):
        select_sources("onlin_shopping")
    with pytest.raises(ConfigError, match="wanted online_shopping among the sets"):
        select_sources("sst2")
