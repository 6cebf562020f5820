"""The record: what it refuses, and that JSON carries it unchanged."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folate.core.errors import InputError
from folate.core.post import COUNT_FIELDS, Post, make_pseudonymizer, source_name_problem

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def post(**changes):
    return Post(
        **(
            {
                "id": "forum:1",
                "source": "forum",
                "kind": "forum",
                "text": "燕麦很香",
                "published_at": NOON,
            }
            | changes
        )
    )


@given(
    text=st.text(),
    title=st.none() | st.text(),
    rating=st.none() | st.floats(0, 1),
    counts=st.fixed_dictionaries(
        dict.fromkeys(COUNT_FIELDS, st.none() | st.integers(0, 2**53)),
    ),
    moment=st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.timezones()),  # noqa: DTZ001
)
def test_json_carries_a_post_unchanged(text, title, rating, counts, moment):
    one = post(
        text=text, title=title, rating=rating, published_at=moment.astimezone(UTC), **counts
    )  # a repeated hour equals none
    assert Post.from_json(one.to_json()) == one


def test_missing_is_not_zero():
    assert post().likes is None
    assert '"likes"' not in post().to_json()
    assert '"likes": 0' in post(likes=0).to_json()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"id": "1"}, "forum:native-id"),
        ({"id": "forum:"}, "forum:native-id"),
        ({"kind": "letter"}, "kind"),
        ({"published_at": datetime(2026, 3, 2)}, "time zone"),  # noqa: DTZ001
        ({"published_at": datetime(1, 1, 1, tzinfo=UTC)}, "years 1970"),
        ({"rating": 5.0}, "0 to 1"),
        ({"rating": float("nan")}, "0 to 1"),
        ({"likes": -1}, "likes"),
        ({"views": 1.5}, "views"),
        ({"precision": "week"}, "precision"),
    ],
)
def test_an_impossible_post_is_refused_by_name(changes, named):
    with pytest.raises(InputError, match=named):
        post(**changes)


def test_unknown_and_missing_fields_are_named():
    with pytest.raises(InputError, match="no field 'txt'"):
        Post.from_dict({"txt": "x"})
    with pytest.raises(InputError, match="needs id, kind"):
        Post.from_dict({"source": "s", "text": "x", "published_at": NOON})
    with pytest.raises(InputError, match="ISO 8601"):
        Post.from_json(
            '{"id": "s:1", "source": "s", "kind": "qa", "text": "x", "published_at": "gestern"}'
        )


def test_lone_surrogates_become_replacement_marks_and_pairs_become_emoji():
    assert post(text="半个\ud83d").text == "半个\ufffd"
    assert post(text="\ud83d\ude00").text == "😀"


@pytest.mark.parametrize("name", ["京东", "O'Reilly", "50% off", "a.b", "论" * 27, "x" * 248])
def test_names_of_sources(name: str) -> None:
    assert source_name_problem(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a:b",
        "a/b",
        "a\n",
        "\0",
        "\x85",
        "论" * 28,
        "x" * 249,
        "__HIVE_DEFAULT_PARTITION__",
    ],
)
def test_names_that_no_source_can_have(name: str) -> None:
    assert source_name_problem(name)


def test_what_is_no_text() -> None:
    with pytest.raises(InputError, match="wanted url to be a text"):
        post(url=5)


def test_the_body_is_title_and_text_and_the_hash_follows_it_and_the_subject():
    assert post(title="早餐").body == "早餐\n燕麦很香"
    assert post().body == "燕麦很香"
    assert post(title="早餐").text_hash != post().text_hash
    assert post(subject="燕麦").text_hash != post().text_hash
    assert post(likes=3).text_hash == post().text_hash


def test_pseudonyms_are_stable_keyed_and_apart_between_sources():
    hide = make_pseudonymizer("salt")
    assert hide("forum", "u1") == hide("forum", "u1") != hide("shop", "u1")
    assert hide("forum", "u1") != make_pseudonymizer("other")("forum", "u1")
    assert hide("a", "b:c") != hide("a:b", "c")
    assert len(hide("forum", "u1")) == 16
