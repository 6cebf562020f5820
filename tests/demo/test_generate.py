"""What the generator plants, and that it writes like many people."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import ceil

import pytest

from demo import truth
from demo.catalog import BRANDS
from demo.generate import SEED, World, generate_world
from demo.generate import DemoPost as Written


@pytest.fixture(scope="module")
def world() -> World:
    return generate_world()


def week_index(post: Written) -> int:
    return post.time.isocalendar().week


def world_digest(world: World) -> str:
    return hashlib.sha256(repr(list(truth.truth_records(world, "http://x"))).encode()).hexdigest()


def test_same_seed_same_bytes(world: World) -> None:
    assert world_digest(generate_world(SEED)) == world_digest(world)
    assert world_digest(generate_world(SEED + 1)) != world_digest(world)


def test_size_and_weeks(world: World) -> None:
    assert 2900 <= len(world.posts) <= 3200
    assert {post.time.isocalendar()[:2] for post in world.posts} == {
        (2026, number) for number in range(1, 11)
    }
    organic = Counter(
        week_index(post) for post in world.posts if post.slot.theme in (None, "versus")
    )
    assert organic[5] > 1.4 * organic[4]  # the surge
    chinese = sum(post.slot.language == "zh" for post in world.posts) / len(world.posts)
    assert 0.55 < chinese < 0.67


def test_folic_acid_begins_in_week_seven(world: World) -> None:
    planted = [post for post in world.posts if post.slot.theme == "folate"]
    assert Counter(map(week_index, planted)) == {7: 14, 8: 26, 9: 40, 10: 60}
    assert len({(post.slot.site, post.author.number) for post in planted}) == len(planted)
    assert {post.slot.site for post in planted} == {"forum", "microblog", "shop", "gym"}
    assert 0.45 < sum(post.slot.language == "zh" for post in planted) / len(planted) < 0.75
    assert all(
        any(word in post.text.lower() for word in ("叶酸", "folic acid", "folate"))
        for post in planted
    )
    assert all(post.visible for post in planted)


def test_nobody_else_speaks_of_folic_acid(world: World) -> None:
    others = [post for post in world.posts if post.slot.theme != "folate"]
    strays = [
        post
        for post in others
        if any(word in f"{post.title} {post.text}".lower() for word in ("叶酸", "folic", "folate"))
    ]
    assert [post.slot.theme for post in strays] == ["stray"]


def test_folic_acid_authors_say_that_they_are_pregnant(world: World) -> None:
    signs = (
        "孕",
        "胎",
        "产检",
        "pregnan",
        "expecting",
        "trimester",
        "prenatal",
        "trying",
        "ttc",
        "ivf",
        "midwife",
        "my ob",
        "birth control",
    )
    planted = [post for post in world.posts if post.slot.theme == "folate"]
    silent = [post.text for post in planted if not any(sign in post.text.lower() for sign in signs)]
    assert len(silent) <= 0.03 * len(planted), silent


def test_decoys(world: World) -> None:
    advertisements = [post for post in world.posts if post.slot.theme == "ad"]
    assert Counter(map(week_index, advertisements)) == {8: 34, 10: 26}
    assert len({(post.slot.site, post.author.number) for post in advertisements}) == 60
    assert len({post.author.number for post in world.posts if post.slot.theme == "loud"}) == 1
    assert min(week_index(post) for post in world.posts_on("gym")) == 8
    assert {week_index(post) for post in world.posts if "元宵" in post.text} == {9, 10}


def test_the_crisis_falls_on_one_competitor(world: World) -> None:
    counts: dict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for post in world.posts:
        for brand, opinion in post.opinions.items():
            counts[brand, week_index(post)][opinion] += 1
    net = {key: (c["positive"] - c["negative"]) / c.total() for key, c in counts.items()}
    assert net["warmfield", 9] < -0.3 < 0 < net["warmfield", 8]
    assert all(net["morngrain", number] > 0.1 for number in range(1, 11))
    assert sum(post.slot.product.brand == "morngrain" for post in world.posts) > 0.4 * len(
        world.posts
    )


def test_ratings_agree_with_the_feeling(world: World) -> None:
    stars = defaultdict(set)
    for post in world.posts_on("shop"):
        stars[post.slot.feeling].add(post.rating)
    assert stars == {"positive": {4, 5}, "neutral": {3, 4}, "negative": {1, 2}}


def test_every_status_can_be_found_by_a_brand(world: World) -> None:
    names = [name.casefold() for brand in BRANDS.values() for name in (brand.zh, brand.en)]
    for post in world.posts_on("microblog"):
        said = post.text + (post.reposts_of.text if post.reposts_of else "")
        assert any(name in said.casefold() for name in names), said


def test_texts_are_finished(world: World) -> None:
    for post in world.posts:
        for text in filter(None, (post.text, post.title)):
            assert not set("{}|") & set(text), text
            assert text == " ".join(text.split()), text


def test_few_organic_posts_are_near_duplicates(world: World) -> None:
    organic = [post.text for post in world.posts if post.slot.theme != "ad"]
    alike = {number for pair in near_duplicates(organic, 0.7) for number in pair}
    assert len(alike) < 0.03 * len(organic)
    advertisements = [
        post.text for post in world.posts if post.slot.theme == "ad" and post.slot.language == "zh"
    ]
    assert len({number for pair in near_duplicates(advertisements, 0.7) for number in pair}) == len(
        advertisements
    )


def near_duplicates(texts: Sequence[str], similarity: float) -> Iterator[tuple[int, int]]:
    """Return pairs of texts whose character 3-grams have a Jaccard index of `similarity` or more.

    It is exact, by prefix filtering.
    """
    grams = [frozenset(text[i : i + 3] for i in range(max(1, len(text) - 2))) for text in texts]
    frequency = Counter(gram for each in grams for gram in each)
    seen: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(grams):
        prefix = sorted(each, key=lambda gram: (frequency[gram], gram))[
            : len(each) - ceil(similarity * len(each)) + 1
        ]
        for other in {other for gram in prefix for other in seen[gram]}:
            near_size = similarity <= len(each) / len(grams[other]) <= 1 / similarity
            if near_size and len(each & grams[other]) >= similarity * len(each | grams[other]):
                yield other, number
        for gram in prefix:
            seen[gram].append(number)
