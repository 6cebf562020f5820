import pytest

from nlp.extract.attribution import attributed_brands, split_by_brand


@pytest.mark.parametrize(
    ("part", "mentions", "brands"),
    [
        ((0, 5), {"a": [(1, 3)], "b": [(8, 9)]}, ["a"]),
        ((0, 9), {"b": [(8, 9)], "a": [(1, 3)]}, ["a", "b"]),  # both are named in the part
        (
            (5, 7),
            {"a": [(0, 2)], "b": [(3, 4)], "c": [(8, 9)]},
            ["b"],
        ),  # the one named last before it
        ((0, 2), {"a": [(7, 8)], "b": [(3, 4)]}, ["b"]),  # none before: the first after it
        ((5, 7), {"page": [], "a": [(0, 2)]}, ["a"]),  # named beats the page's
        ((0, 2), {"page": [], "other": []}, ["other", "page"]),
        ((0, 2), {}, []),
    ],
)
def test_a_part_of_a_post_belongs_to_the_brand_that_a_reader_would_take_it_for(
    part, mentions, brands
):
    assert attributed_brands(*part, mentions) == brands


def test_parts_about_different_brands() -> None:
    assert split_by_brand("甲很好吃，也便宜，但是乙太甜", {"a": [(0, 1)], "b": [(11, 12)]}) == [
        ((0, 8), ["a"]),
        ((11, 14), ["b"]),
    ]
    assert split_by_brand("both A and B are good", {"a": [(5, 6)], "b": [(11, 12)]}) == [
        ((0, 21), ["a", "b"])
    ]
    assert split_by_brand("", {}) == [((0, 0), [])]
