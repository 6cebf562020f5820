"""Copies: exact, near, and never a chain; the same answer whatever the order given."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.text import duplicates
from nlp.text.duplicates import (
    MAX_CANDIDATES,
    OriginalIndex,
    cluster_duplicates,
    common_trigrams,
    exact_digest,
)
from nlp.text.normalize import strip_for_duplicates

START = datetime(2026, 3, 2, tzinfo=UTC)
ADVERT = "孕期补叶酸就选这一款，三甲医院医生推荐，现在下单买二送一，点击链接领取优惠券"
EDITED = "孕期补叶酸就选这一款！三甲医院医生推荐，今天下单买二送一，点击链接领取优惠券吧"
OTHER = "早上喝了一碗燕麦粥，加了牛奶和蓝莓，味道比上次那个牌子好得多，下次还买"


def _moments(count: int) -> list[datetime]:
    return [START + timedelta(hours=hour) for hour in range(count)]


def test_the_earliest_is_the_cluster_and_is_not_listed() -> None:
    found = cluster_duplicates(
        ["b", "c", "a"], [ADVERT, OTHER, f"@小明 {ADVERT} https://example.com/x"], _moments(3)[::-1]
    )
    assert found == [("b", "a", 1.0)]


def test_edits_are_copies_with_their_true_similarity() -> None:
    [(copy, original, similarity)] = cluster_duplicates(
        ["a", "b", "c"], [ADVERT, EDITED, OTHER], _moments(3)
    )
    assert (copy, original) == ("b", "a")
    assert 0.7 <= similarity < 1


def test_without_times_ids_decide() -> None:
    assert cluster_duplicates(["b", "a"], [ADVERT, ADVERT]) == [("b", "a", 1.0)]


def test_order_given_changes_nothing() -> None:
    rows = [
        (f"p{i}", text, moment)
        for i, (text, moment) in enumerate(
            zip([ADVERT, EDITED, OTHER, ADVERT] * 3, _moments(12), strict=True)
        )
    ]
    expected = cluster_duplicates(*zip(*rows, strict=True))
    random.Random(1).shuffle(rows)
    assert sorted(cluster_duplicates(*zip(*rows, strict=True))) == sorted(expected)
    assert {cluster for _, cluster, _ in expected} == {"p0", "p2"}


def test_small_changes_do_not_chain() -> None:
    letters = random.Random(2).choices("甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥", k=60)
    texts = [
        "".join(letters[shift : shift + 40]) for shift in range(0, 20, 2)
    ]  # each is near the next, the last far from the first
    found = cluster_duplicates([f"p{i}" for i in range(len(texts))], texts, _moments(len(texts)))
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
    assert bool(cluster_duplicates(["a", "b"], [first, second])) is same


def test_digest_ignores_what_copies_change() -> None:
    assert (
        exact_digest(f"//@小明:{ADVERT}")
        == exact_digest(f"{ADVERT} https://t.cn/x @小红")
        != exact_digest(EDITED)
    )
    assert exact_digest("买苹果，好！") == exact_digest("買蘋果,好")
    assert len(exact_digest("")) == 16


def test_nothing_gives_nothing() -> None:
    assert cluster_duplicates([], []) == []


HAN = [chr(code) for code in range(0x4E00, 0x4E00 + 3000)]


def _phrases(count: int, chooser: random.Random) -> list[str]:
    """Reviews put together from fifty phrases: each shares some with every tenth other."""
    pool = ["".join(chooser.choices(HAN, k=12)) for _ in range(50)]
    return ["，".join(chooser.sample(pool, 5)) for _ in range(count)]


def _half(count: int, chooser: random.Random) -> list[str]:
    """Texts half of which is the same in all."""
    boilerplate = "".join(chooser.choices(HAN, k=25))
    return [boilerplate + "".join(chooser.choices(HAN, k=25)) for _ in range(count)]


def _orders(count: int, chooser: random.Random) -> list[str]:
    return [
        f"order {number} arrived late"
        for number in chooser.sample(range(100_000, 1_000_000), count)
    ]


def _edited(text: str, chooser: random.Random) -> str:
    """The text with a few characters changed, or without its beginning or end."""
    if chooser.random() < 0.5:
        cut = chooser.randrange(1, len(text) // 4)
        return chooser.choice([text[cut:], text[:-cut]])
    characters = list(text)
    for place in chooser.sample(range(len(text)), max(1, len(text) // chooser.randrange(12, 40))):
        characters[place] = chooser.choice(HAN)
    return "".join(characters)


@pytest.mark.parametrize("kind", [_phrases, _half, _orders])
def test_nearly_all_copies_are_found_and_nothing_else(
    kind: Callable[[int, random.Random], list[str]],
) -> None:
    chooser = random.Random(4)
    texts = kind(400, chooser)
    texts += [_edited(text, chooser) for text in chooser.sample(texts, 100)]
    stripped = list(dict.fromkeys(map(strip_for_duplicates, texts)))
    placed = list(OriginalIndex(common_trigrams(stripped)).match_or_add(stripped))
    originals: list[frozenset[str]] = []
    lengths: list[int] = []
    missed = copies = 0
    for text, (number, similarity) in zip(stripped, placed, strict=True):
        grams = frozenset(text[start : start + 3] for start in range(len(text) - 2))
        together = [len(grams & other) for other in originals]
        shares = [
            both / (len(grams) + len(other) - both)
            for both, other in zip(together, originals, strict=True)
        ]
        needed = [0.85 if min(length, len(text)) < 20 else 0.7 for length in lengths]
        similar = any(share >= least for share, least in zip(shares, needed, strict=True))
        copies += similar
        if number < len(originals):
            assert shares[number] == pytest.approx(similarity)
            assert similarity >= needed[number]
        else:
            missed += similar
            originals.append(grams)
            lengths.append(len(text))
    assert copies > 40
    assert missed <= 0.03 * copies


def test_a_text_is_compared_with_few_however_many_are_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = 0

    def counting(one: frozenset[str], other: frozenset[str]) -> float:
        nonlocal compared
        compared += 1
        return jaccard(one, other)

    jaccard = duplicates._jaccard
    monkeypatch.setattr(duplicates, "_jaccard", counting)
    texts = _half(1200, random.Random(5))
    assert cluster_duplicates([f"{number:05d}" for number in range(len(texts))], texts) == []
    assert compared <= MAX_CANDIDATES * len(texts)


def test_originals_go_on_from_their_signatures() -> None:
    chooser = random.Random(6)
    texts = [strip_for_duplicates(text) for text in _phrases(300, chooser)]
    more = [_edited(text, chooser) for text in texts[::3]]
    common = common_trigrams(texts)
    at_once = list(OriginalIndex(common).match_or_add(list(dict.fromkeys([*texts, *more]))))
    first = OriginalIndex(common)
    placed = list(first.match_or_add(texts))
    own = [
        text for text, (number, _) in zip(texts, placed, strict=True) if number == texts.index(text)
    ]
    assert len(own) == len(texts)
    later = OriginalIndex(
        common, first.signatures, lambda numbers: [texts[number] for number in numbers]
    )
    assert [*placed, *later.match_or_add(list(dict.fromkeys(more)))] == at_once


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(st.sampled_from("ab叶酸片好吃不贵，😀 "), max_size=30), max_size=25))
def test_every_cluster_is_of_texts_like_its_original(texts: list[str]) -> None:
    ids = [f"{number:02d}" for number in range(len(texts))]
    by_id = dict(zip(ids, map(strip_for_duplicates, texts), strict=True))
    for copy, original, similarity in cluster_duplicates(ids, texts):
        assert original < copy
        assert by_id[copy]
        assert (by_id[copy] == by_id[original]) == (similarity == 1.0) or len(
            set(by_id[copy])
        ) < len(by_id[copy])
        assert similarity >= 0.7


def test_compiled_code_finds_the_same_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    chooser = random.Random(5)
    texts = _orders(300, chooser) + _half(300, chooser)
    texts += [_edited(text, chooser) for text in texts]
    ids = [f"{number:04d}" for number in range(len(texts))]
    found = []
    for least in (1, len(texts) + 1):
        monkeypatch.setattr(duplicates, "_MIN_COMPILED_TEXTS", least)
        found.append(cluster_duplicates(ids, texts))
    assert found[0] == found[1]
    assert len(found[0]) > 300
