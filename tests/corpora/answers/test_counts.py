"""Counts: equal to a scan of the posts, in all and by metadata."""

from collections import Counter

import pytest

from corpora.corpus import Corpus
from folate.core.errors import InputError
from folate.core.post import Post
from tests.corpora.answers.answers_project import assert_row_query, make_posts

POSTS = make_posts()


def matching_posts() -> list[Post]:
    return [post for post in POSTS if "叶酸" in post.body]


def test_counts_are_those_of_a_scan(corpus: Corpus) -> None:
    (row,) = corpus.count("叶酸").rows
    authors = {post.author or post.id for post in matching_posts()}
    assert row["posts"] == len(matching_posts())
    assert row["hits"] == sum(post.body.count("叶酸") for post in POSTS)
    assert row["authors"] == len(authors)
    assert row["unit"] == "character"
    assert row["size"] == sum(len(post.body) for post in POSTS)
    assert row["per_million"] == round(row["hits"] * 1_000_000 / row["size"], 3)
    names = ["query", "posts", "hits", "authors", "per_million", "unit", "size", "version"]
    assert list(row) == names


def test_each_query_has_a_row(corpus: Corpus) -> None:
    rows = corpus.count("叶酸", "folic  acid", "brand:ours").rows
    assert [row["query"] for row in rows] == ["叶酸", "folic acid", "brand:ours"]
    assert rows[2]["unit"] == "post"
    for row in rows:
        assert_row_query(corpus, row)


def test_rates_of_different_units_are_noted(corpus: Corpus) -> None:
    assert not corpus.count("叶酸", "folic acid").notes
    assert "per million character, word" in corpus.count("叶酸", "叶*").notes[-1]


def test_counts_by_metadata_are_those_of_a_scan(corpus: Corpus) -> None:
    answer = corpus.count("叶酸", by="source")
    expected = Counter(post.source for post in matching_posts())
    assert {row["source"]: row["posts"] for row in answer} == expected
    sizes = Counter[str]()
    for post in POSTS:
        sizes[post.source] += len(post.body)
    assert {row["source"]: row["size"] for row in answer} == sizes


@pytest.mark.parametrize(
    "by", [["week"], ["day"], ["week", "brand"], ["brand", "source"], ["place"], ["brand", "place"]]
)
@pytest.mark.parametrize("query", ["叶酸", "folic source:forum", "brand:ours", "fol* OR 叶酸"])
def test_the_query_of_a_cell_finds_its_posts(corpus: Corpus, query: str, by: list[str]) -> None:
    answer = corpus.count(query, by=by)
    assert len(answer)
    for row in answer:
        assert_row_query(corpus, row)
        (counted,) = corpus.count(row["query"]).rows
        assert (row["authors"], row["size"]) == (counted["authors"], counted["size"])


def test_a_post_counts_for_each_of_its_brands(corpus: Corpus) -> None:
    rows = {row["brand"]: row["posts"] for row in corpus.count("叶酸", by="brand")}
    ours = sum("晨谷" in post.body for post in matching_posts())
    theirs = sum("暖禾" in post.body for post in matching_posts())
    assert rows == {"ours": ours, "theirs": theirs}


def test_posts_without_a_value_are_noted(corpus: Corpus) -> None:
    posts = matching_posts()
    without = sum("晨谷" not in post.body and "暖禾" not in post.body for post in posts)
    note = f"{without} of {len(posts)} posts of 叶酸 have no brand and are in no row"
    assert corpus.count("叶酸", by="brand").notes == (note,)


def test_a_place_also_counts_what_is_in_it(corpus: Corpus) -> None:
    rows = {row["place"]: row["posts"] for row in corpus.count("叶酸", by="place")}
    assert rows["广东"] > rows["广东 广州"] > 0


def test_unknown_fields_are_refused(corpus: Corpus) -> None:
    with pytest.raises(InputError, match="no field 'brands' to count by; did you mean 'brand'"):
        corpus.count("叶酸", by="brands")
    with pytest.raises(InputError, match="wanted at least one query"):
        corpus.count()
