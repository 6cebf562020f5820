"""Aspects, the map, words and switching; each brand of the corpus is liked for one aspect."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from corpora.store.snapshot import Snapshot
from folate.core.config import Config
from folate.core.weeks import Week
from reports.context import ReportContext
from reports.sections.perception.perceive import Perception, perceive


@pytest.fixture(scope="module")
def perception(snapshot: Snapshot, config: Config, week: Week) -> Perception:
    return perceive(ReportContext(snapshot, config, week))


def find_cell(perception: Perception, brand: str, aspect: str) -> Any:
    return next(cell for cell in perception.cells if (cell.brand, cell.aspect) == (brand, aspect))


def test_what_is_liked_and_what_is_not(perception: Perception) -> None:
    taste, packaging = (
        find_cell(perception, "heye", "taste").net,
        find_cell(perception, "heye", "packaging").net,
    )
    assert taste.low > 0.6 > 0 > packaging.high
    assert taste.low < taste.value < taste.high
    assert 0.3 < find_cell(perception, "heye", "taste").share.value < 0.5


def test_what_nobody_speaks_of_is_missing_not_zero(perception: Perception) -> None:
    silent = find_cell(perception, "heye", "price")
    assert (silent.net.value, silent.net.n, silent.share.value) == (None, 0, 0.0)


def test_the_query_behind_a_cell_gives_the_posts_it_counts(
    perception: Perception, snapshot: Snapshot
) -> None:
    figure = find_cell(perception, "luva", "delivery").net
    assert snapshot.sql(figure.query).num_rows == figure.n


def test_brands_stand_apart_on_the_map_near_what_they_are_liked_for(perception: Perception) -> None:
    assert not perception.map.why
    places = {
        place.name: (place.across.value, place.up.value)
        for place in (*perception.map.brands, *perception.map.aspects)
    }
    for brand, aspect in (("heye", "taste"), ("kangben", "price"), ("luva", "delivery")):
        x, y = places[aspect]
        assert (
            max(
                ("heye", "kangben", "luva"),
                key=lambda other: places[other][0] * x + places[other][1] * y,
            )
            == brand
        )


def test_the_map_holds_still_from_week_to_week(
    snapshot: Snapshot, config: Config, week: Week, perception: Perception
) -> None:
    before = perceive(ReportContext(snapshot, config, week - 1))
    for now, then in zip(perception.map.brands, before.map.brands, strict=True):
        assert (
            abs((now.across.value or 0) - (then.across.value or 0))
            + abs((now.up.value or 0) - (then.up.value or 0))
            < 0.4
        )


def test_two_brands_have_no_map_and_it_says_why(
    snapshot: Snapshot, config: Config, week: Week
) -> None:
    two = Config(name="two", timezone=config.timezone, brands=config.brands[:2])
    assert perceive(ReportContext(snapshot, two, week)).map.why == "small"


def test_switching_has_a_share_from_twenty_people_on(perception: Perception) -> None:
    lost, other = perception.moves.switches
    assert (lost.from_brand, lost.to_brand, lost.people.value, lost.share.value) == (
        "heye",
        "kangben",
        24,
        1.0,
    )
    assert lost.share.low == pytest.approx(0.862, abs=0.001)
    assert (other.people.value, other.share.value, other.share.flags) == (2, None, ("few people",))
    assert all("换到" in quote.text for quote in perception.moves.quotes)


def test_named_together(perception: Perception) -> None:
    assert {(pair.one, pair.other): pair.posts.value for pair in perception.moves.together} == {
        ("heye", "kangben"): 24,
        ("kangben", "luva"): 2,
    }


def test_words_that_other_brands_have_less(
    blank: Any, tmp_path: Path, config: Config, week: Week, monday: datetime
) -> None:
    texts = [("heye", "燕麦 香"), ("kangben", "便宜 香"), ("luva", "便宜 香")]
    for number in range(60):
        brand, text = texts[number % 3]
        post = blank.add(f"{text} {number}", monday, brand, author=f"{number:016x}")
        row = {
            "id": post.id,
            "text_hash": post.text_hash,
            "annotator": "t",
            "version": "1",
            "language": "zh",
            "words": text.split(),
        }
        blank.tables.setdefault("texts", []).append(row)
    perception = perceive(ReportContext(blank.snapshot(tmp_path), config, week))
    found = [(word.brand, word.text, word.keyness.n) for word in perception.words]
    assert found == [("heye", "燕麦", 20), ("kangben", "便宜", 20), ("luva", "便宜", 20)]
