"""Copies: exact, near, and never a chain; the same answer whatever the order given."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from nlp.duplicates import clusters, exact_digest

START = datetime(2026, 3, 2, tzinfo=UTC)
ADVERT = "孕期补叶酸就选这一款，三甲医院医生推荐，现在下单买二送一，点击链接领取优惠券"
EDITED = "孕期补叶酸就选这一款！三甲医院医生推荐，今天下单买二送一，点击链接领取优惠券吧"
OTHER = "早上喝了一碗燕麦粥，加了牛奶和蓝莓，味道比上次那个牌子好得多，下次还买"


def _moments(count: int) -> list[datetime]:
    return [START + timedelta(hours=hour) for hour in range(count)]


def test_the_earliest_is_the_cluster_and_is_not_listed() -> None:
    found = clusters(["b", "c", "a"], [ADVERT, OTHER, f"@小明 {ADVERT} https://example.com/x"], _moments(3)[::-1])
    assert found == [("b", "a", 1.0)]


def test_edits_are_copies_with_their_true_similarity() -> None:
    [(copy, original, similarity)] = clusters(["a", "b", "c"], [ADVERT, EDITED, OTHER], _moments(3))
    assert (copy, original) == ("b", "a")
    assert 0.7 <= similarity < 1


def test_without_times_ids_decide() -> None:
    assert clusters(["b", "a"], [ADVERT, ADVERT]) == [("b", "a", 1.0)]


def test_order_given_changes_nothing() -> None:
    rows = [(f"p{i}", text, moment) for i, (text, moment) in enumerate(zip([ADVERT, EDITED, OTHER, ADVERT] * 3, _moments(12), strict=True))]
    expected = clusters(*zip(*rows, strict=True))
    random.Random(1).shuffle(rows)
    assert sorted(clusters(*zip(*rows, strict=True))) == sorted(expected)
    assert {cluster for _, cluster, _ in expected} == {"p0", "p2"}


def test_small_changes_do_not_chain() -> None:
    letters = random.Random(2).choices("甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥", k=60)
    texts = ["".join(letters[shift : shift + 40]) for shift in range(0, 20, 2)]  # each is near the next, the last far from the first
    found = clusters([f"p{i}" for i in range(len(texts))], texts, _moments(len(texts)))
    assert {copy: cluster for copy, cluster, _ in found}["p1"] == "p0"
    assert {cluster for _, cluster, _ in found} != {"p0"}


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("好吃不贵推荐", "好吃不贵推荐！", True),  # under 8: the same but for punctuation
        ("好吃不贵推荐", "好吃不贵推荐吧", False),
        ("这个牌子的燕麦片真好吃", "这个牌子的燕麦粥真好吃", False),  # under 20: .85
        ("", "！", False),
        (" ", "\u200b", False),
    ],
)
def test_short_texts_need_more(first: str, second: str, same: bool) -> None:
    assert bool(clusters(["a", "b"], [first, second])) is same


def test_digest_ignores_what_copies_change() -> None:
    assert exact_digest(f"//@小明:{ADVERT}") == exact_digest(f"{ADVERT} https://t.cn/x @小红") != exact_digest(EDITED)
    assert exact_digest("买苹果，好！") == exact_digest("買蘋果,好")
    assert len(exact_digest("")) == 16


def test_nothing_gives_nothing() -> None:
    assert clusters([], []) == []
