"""Samples of posts, random choices and SQL."""

from pathlib import Path

import numpy as np
import pytest

from corpora.answers.random_choice import choose, id_keys, mix, random_keys
from corpora.answers.sql import select_rows, table_columns
from corpora.corpus import Corpus
from folate.core.errors import InputError
from tests.corpora.answers.answers_project import make_posts

POSTS = {post.id: post for post in make_posts()}
MASK = 2**64 - 1


def mix_one(value: int) -> int:
    """Scramble one number as splitmix64 does."""
    value = (value + 0x9E3779B97F4A7C15) & MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def key_of(seed: int, post_id: str, start: int) -> int:
    """Return the random number of a post, computed one by one."""
    total = 0
    for place, byte in enumerate(post_id.encode()):
        total = (total + (byte + 1) * (mix_one(place) | 1)) & MASK
    return mix_one((mix_one(total ^ mix_one(seed)) + start) & MASK)


def test_random_numbers_are_those_of_each_post_alone(corpus: Corpus) -> None:
    for segment in corpus.segments:
        documents = np.arange(segment.document_count)
        keys = random_keys(7, id_keys(segment, documents), documents)
        ids = segment.ids(documents)
        assert keys.tolist() == [key_of(7, ids[place], place) for place in documents.tolist()]


def test_numbers_are_scrambled_one_to_one() -> None:
    assert mix(np.array([0, 1], np.uint64)).tolist() == [mix_one(0), mix_one(1)]
    assert len(set(mix(np.arange(10_000, dtype=np.uint64)).tolist())) == 10_000


def test_the_smallest_keys_are_chosen_in_order() -> None:
    assert choose(np.array([5, 1, 9, 3], np.uint64), 2).tolist() == [1, 3]
    assert choose(np.array([5, 1], np.uint64), 9).tolist() == [0, 1]


def test_a_sample_has_whole_posts(corpus: Corpus) -> None:
    answer = corpus.sample("叶酸", 4, seed=3)
    assert len(answer) == 4
    for row in answer:
        assert row["text"] == POSTS[row["id"]].body
        assert row["hits"] == row["text"].count("叶酸")
        assert corpus.search(row["query"]).post_count == 1
    moments = [POSTS[row["id"]].published_at for row in answer]
    assert moments == sorted(moments)


def test_a_larger_sample_contains_a_smaller_one(corpus: Corpus) -> None:
    small = {row["id"] for row in corpus.sample("叶酸", 3, seed=1)}
    assert small < {row["id"] for row in corpus.sample("叶酸", 8, seed=1)}
    assert small != {row["id"] for row in corpus.sample("叶酸", 3, seed=2)}


def test_columns_are_in_the_documented_order(corpus: Corpus) -> None:
    answer = corpus.sample("叶酸", 1, show=["url", "source"])
    expected = ["id", "source", "day", "url", "hits", "text", "query", "version"]
    assert list(answer.rows[0]) == expected == list(answer.definitions)


def test_select_gives_rows(corpus: Corpus) -> None:
    query = "SELECT source, count(*) AS posts FROM posts GROUP BY ALL ORDER BY ALL"
    rows = list(select_rows(corpus.snapshot, query))
    assert [row["source"] for row in rows] == ["forum", "shop", "weibo"]
    assert sum(row["posts"] for row in rows) == len(POSTS)


@pytest.mark.parametrize(
    "query",
    [
        "EXPLAIN ANALYZE COPY (SELECT 1) TO 'x.parquet'",
        "COPY posts TO 'x.csv'",
        "SELECT 1; SELECT 2",
        "DELETE FROM posts",
        "SELECT * FROM read_csv('/etc/hostname')",
        "SET memory_limit = '100GB'",
        "",
    ],
)
def test_nothing_but_one_select_is_answered(corpus: Corpus, query: str) -> None:
    with pytest.raises(InputError):
        list(select_rows(corpus.snapshot, query))


def test_columns_of_one_name_are_refused(corpus: Corpus) -> None:
    with pytest.raises(InputError, match="wanted columns with different names, got id twice"):
        list(select_rows(corpus.snapshot, "SELECT p.id, t.id FROM posts p JOIN texts t USING (id)"))


def test_the_listed_columns_can_be_asked_for(corpus: Corpus, corpus_folder: Path) -> None:
    for row in table_columns():
        corpus.snapshot.sql(f'SELECT "{row["column"]}" FROM {row["table"]} LIMIT 0')
