"""Topics in two languages, and the names that they are given."""

from dataclasses import replace

import numpy as np

from tests.nlp.world import WEEK, World, find


def test_both_languages_are_one_topic_when_posts_name_both() -> None:
    world = World()
    world.plant(["叶酸"], 10)
    world.plant(["folic", "acid"], 8)
    world.plant(["叶酸", "folic", "acid"], 2)
    topic = find(world.discover(), "叶酸")
    assert (topic.label_zh, topic.label_en, topic.languages) == ("叶酸", "folic acid", ("en", "zh"))
    assert topic.posts == 20


def test_two_large_topics_stay_two_though_a_few_authors_use_both_names() -> None:
    world = World()
    world.plant(["耳机"], 60)
    world.plant(["sunscreen"], 60)
    world.plant(["耳机", "sunscreen"], 3)
    assert find(world.discover(), "耳机") != find(world.discover(), "sunscreen")


def test_news_is_no_plural() -> None:
    world = World()
    world.plant(["news"], 12)
    topic = find(world.discover(watch=["News"]), "news")
    assert topic.terms[0] == "news"
    assert topic.watched


def test_both_languages_are_one_topic_when_their_contexts_mean_the_same() -> None:
    world = World()
    world.plant(["叶酸"], 10)
    world.plant(["folic", "acid"], 8)
    world.plant(["耳机"], 10)
    world.plant(["sunscreen"], 8)

    def embed(texts: list[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), 4))
        vectors[:, 0] = 1.0
        for row, text in enumerate(texts):
            vectors[row, 1] = 3.0 * ("叶酸" in text or "folic acid" in text)
            vectors[row, 2] = 3.0 * ("耳机" in text)
            vectors[row, 3] = 3.0 * ("sunscreen" in text)
        return vectors

    apart = world.discover()
    joined = world.discover(embed=embed)
    assert find(apart, "叶酸").label_en == "叶酸"
    assert find(joined, "叶酸").label_en == "folic acid"
    assert find(joined, "耳机").label_en == "耳机"
    assert find(joined, "sunscreen").label_zh == "sunscreen"


def test_two_names_of_unlike_meaning_stay_two_topics_though_the_same_is_said_of_them() -> None:
    world = World()
    world.plant(["奶盖茶"], 10)
    world.plant(["kelpchip"], 8)

    def embed(texts: list[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), 3))
        for row, text in enumerate(texts):
            vectors[row, 0] = 3.0 * ("奶盖茶" in text)
            vectors[row, 1] = 3.0 * ("kelpchip" in text)
            is_context = text not in ("奶盖茶", "kelpchip")
            vectors[row, 2] = 3.0 * (is_context and bool(vectors[row].any()))
        return vectors

    assert find(world.discover(embed=embed), "奶盖茶") != find(
        world.discover(embed=embed), "kelpchip"
    )


def test_a_label_has_the_number_that_people_write() -> None:
    world = World()
    world.plant(["kelpchips"], 9)
    world.plant(["kelpchip"], 3)
    topic = find(world.discover(), "kelpchips")
    assert (topic.label_en, topic.terms[0], topic.authors) == ("kelpchips", "kelpchip", 12)


def test_a_topic_that_goes_on_keeps_its_other_name() -> None:
    world = World()
    world.plant(["叶酸"], 12)
    before = replace(find(world.discover(), "叶酸"), terms=("叶酸", "folic acid"))
    world.plant(["folic", "acid"], 5, week=2)
    world.plant(["folic", "acid"], 3)
    after = find(world.discover(week=WEEK + 1, previous_topics=[before]), "叶酸")
    assert (after.label_en, after.posts, after.terms) == ("folic acid", 15, ("叶酸", "folic acid"))
