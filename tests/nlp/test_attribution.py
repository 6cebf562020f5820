import pytest

from nlp.attribution import brands_of


@pytest.mark.parametrize(
    ("part", "mentions", "brands"),
    [
        ((0, 5), {"a": [(1, 3)], "b": [(8, 9)]}, ["a"]),
        ((0, 9), {"b": [(8, 9)], "a": [(1, 3)]}, ["a", "b"]),  # both are named in the part
        ((5, 7), {"a": [(0, 2)], "b": [(3, 4)], "c": [(8, 9)]}, ["b"]),  # the one named last before it
        ((0, 2), {"a": [(7, 8)], "b": [(3, 4)]}, ["b"]),  # none before: the first after it
        ((5, 7), {"page": [], "a": [(0, 2)]}, ["a"]),  # named beats the page's
        ((0, 2), {"page": [], "other": []}, ["other", "page"]),
        ((0, 2), {}, []),
    ],
)
def test_a_part_of_a_post_belongs_to_the_brand_that_a_reader_would_take_it_for(part, mentions, brands):
    assert brands_of(*part, mentions) == brands
