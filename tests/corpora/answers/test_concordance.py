"""Concordances: what they show, in which order, and which queries find their posts."""

import pytest

from corpora.corpus import Corpus
from folate.core.errors import InputError
from folate.core.post import Post
from tests.corpora.answers.answers_project import assert_row_query, make_posts

POSTS: dict[str, Post] = {post.id: post for post in make_posts()}


def scan(term: str) -> list[tuple[str, int]]:
    """Return the id and the start of each occurrence of a Chinese term, by publication."""
    found = []
    for post in sorted(POSTS.values(), key=lambda post: (post.published_at, post.id)):
        starts = [start for start in range(len(post.body)) if post.body.startswith(term, start)]
        found += [(post.id, start) for start in starts]
    return found


def test_a_line_is_the_text_of_the_post_cut_at_the_hit(corpus: Corpus) -> None:
    for row in corpus.kwic("叶酸", context=100):
        assert row["left"] + row["hit"] + row["right"] == POSTS[row["id"]].body
        assert row["hit"] == "叶酸"


def test_every_occurrence_has_a_line_in_the_order_of_publication(corpus: Corpus) -> None:
    rows = corpus.kwic("叶酸", context=100)
    assert [(row["id"], len(row["left"])) for row in rows] == scan("叶酸")
    assert [len(row["left"]) for row in corpus.kwic("哈哈")][:2] == [0, 1]


def test_contexts_have_at_most_the_characters_asked_for(corpus: Corpus) -> None:
    row = corpus.kwic("叶酸", context=2).rows[0]
    assert (row["left"], row["hit"], row["right"]) == ("要吃", "叶酸", "片吗")
    assert corpus.kwic("叶酸", context=0).rows[0]["left"] == ""


def test_columns_are_in_the_documented_order(corpus: Corpus) -> None:
    answer = corpus.kwic("叶酸", show=["source", "week"])
    expected = ["id", "left", "hit", "right", "source", "week", "query", "version"]
    assert list(answer.rows[0]) == expected
    assert list(answer.definitions) == expected
    assert corpus.kwic("没有这个词").columns == ["id", "left", "hit", "right", "query", "version"]


def test_metadata_of_lines_are_those_of_their_posts(corpus: Corpus) -> None:
    shown = ["source", "week", "day", "place", "rating", "brand", "likes", "author"]
    for row in corpus.kwic("叶酸", show=shown):
        post = POSTS[row["id"]]
        assert (row["source"], row["place"]) == (post.source, post.place)
        assert (row["likes"], row["author"]) == (post.likes, post.author)
        assert row["rating"] == (None if post.rating is None else round(post.rating * 5, 3))
        brands = [("ours", "晨谷"), ("theirs", "暖禾")]
        named = [brand for brand, name in brands if name in post.text]
        assert row["brand"] == (", ".join(named) or None)
    first = corpus.kwic("叶酸", show=shown).rows[0]
    assert (first["week"], first["day"]) == ("2026-W02", "2026-01-05")


def test_right_contexts_are_sorted_from_the_hit_on(corpus: Corpus) -> None:
    rights = [row["right"] for row in corpus.kwic('"folic acid"', sort="right", context=9)]
    order = [" again", " every da", ", folic a", " in Morng"]
    places = [order.index(right) for right in rights]
    assert places == sorted(places)


def test_left_contexts_are_sorted_word_by_word_backwards(corpus: Corpus) -> None:
    lefts = [row["left"] for row in corpus.kwic('"folic acid"', sort="left")]
    order = ["", "pregnancy and folic acid, ", "pregnancy and ", "I take "]
    places = [order.index(left) for left in lefts]
    assert places == sorted(places)


def test_chinese_left_contexts_are_sorted_character_by_character_backwards(
    corpus: Corpus,
) -> None:
    lefts = [row["left"].replace("，", "") for row in corpus.kwic("叶酸", sort="left")]
    backwards = [left[::-1] for left in lefts]
    assert backwards == sorted(backwards)


def test_equal_contexts_stay_in_the_order_of_publication(corpus: Corpus) -> None:
    rows = [row for row in corpus.kwic("叶酸", sort="left") if row["left"] == "孕妇要吃"]
    moments = [POSTS[row["id"]].published_at for row in rows]
    assert moments == sorted(moments)


@pytest.mark.parametrize("field", ["source", "rating", "place", "week"])
def test_lines_are_sorted_by_metadata_with_missing_values_last(corpus: Corpus, field: str) -> None:
    values = [row[field] for row in corpus.kwic("叶酸", sort=field, show=[field])]
    known = [value for value in values if value is not None]
    assert values == sorted(known) + [None] * (len(values) - len(known))


def test_a_sample_depends_on_the_seed_and_the_posts_alone(corpus: Corpus) -> None:
    def sampled(seed: int, count: int) -> list[str]:
        return [row["id"] for row in corpus.kwic("叶酸", sample=count, seed=seed)]

    assert sampled(1, 5) == ["weibo:1-6", "forum:3-1", "shop:3-2", "weibo:3-6", "shop:4-2"]
    assert sampled(2, 5) != sampled(1, 5)
    assert set(sampled(1, 5)) < set(sampled(1, 9))
    assert len(sampled(1, 10_000)) == len(scan("叶酸"))


def test_a_note_says_how_many_hits_there_are(corpus: Corpus) -> None:
    answer = corpus.kwic("叶酸", limit=3)
    hits = scan("叶酸")
    posts = len({post_id for post_id, _ in hits})
    assert len(answer) == 3
    assert answer.notes == (f"3 of {len(hits)} hits in {posts} posts",)


def test_rows_can_be_counted_sliced_and_indexed(corpus: Corpus) -> None:
    rows = corpus.kwic("叶酸").rows
    assert list(rows)[3] == rows[3] == list(rows[2:5])[1]
    assert rows[-1] == list(rows)[-1]
    with pytest.raises(IndexError):
        rows[len(rows)]


@pytest.mark.parametrize(
    "query", ["叶酸", "叶酸 OR folic", "folic brand:ours", '[word="folic"] [word="acid"]', "preg*"]
)
def test_the_query_of_a_line_finds_its_post(corpus: Corpus, query: str) -> None:
    for row in corpus.kwic(query):
        hits = corpus.kwic(row["query"])
        assert {line["id"] for line in hits} == {row["id"]}


@pytest.mark.parametrize("group", ["left", "right", "hit", "source", "brand", "week", "place"])
@pytest.mark.parametrize(
    "query",
    [
        *["叶酸", "叶酸 source:weibo", "folic OR 叶酸", "fol* acid", "Fol*%c OR aga*"],
        '[word="f.*"] [word="acid"]',
    ],
)
def test_groups_add_up_and_their_queries_find_their_posts(
    corpus: Corpus, query: str, group: str
) -> None:
    answer = corpus.groups(query, group)
    total = corpus.search(query).hit_count
    if group not in ("brand", "place"):
        assert sum(row["hits"] for row in answer) == total
    for row in answer:
        if row["query"] is not None:
            assert_row_query(corpus, row)


def test_groups_are_named_by_the_neighbouring_word(corpus: Corpus) -> None:
    groups = {row["value"]: row["hits"] for row in corpus.groups('"folic acid"', "left")}
    assert groups == {"take": 4, "and": 2, "acid": 2, None: 5}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sort": "lefft"}, "no field 'lefft' to sort by; did you mean 'left'?"),
        ({"show": ["sorce"]}, "no field 'sorce' to show; did you mean 'source'?"),
        ({"context": -1}, "wanted 0 to 10,000 characters of context, got -1."),
        ({"sample": 0}, "wanted a sample of at least 1, got 0."),
        ({"limit": 0}, "wanted a limit of at least 1, got 0."),
    ],
)
def test_wrong_requests_are_refused(
    corpus: Corpus, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError) as error:
        corpus.kwic("叶酸", **arguments)  # type: ignore[arg-type]
    assert str(error.value) == message


def test_metadata_alone_can_not_be_grouped_by_its_words(corpus: Corpus) -> None:
    with pytest.raises(InputError, match="wanted a query with words to group by left"):
        corpus.groups("source:weibo", "left")
