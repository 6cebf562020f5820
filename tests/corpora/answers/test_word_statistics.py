"""Answers on words, on small corpora whose figures are known: both languages, any segments."""

import random
from collections import Counter
from itertools import combinations
from pathlib import Path

import networkx as nx
import pytest

from corpora.answers import author_counts, ngram_counts
from corpora.answers.cooccurrence import cooccurrence_graphml
from corpora.corpus import Corpus
from folate.core.errors import InputError
from nlp.stats.dispersion import deviation_of_proportions
from tests.corpora.answers.word_corpus import WordPost, build_corpus, check_row_queries

VOCABULARY = [
    *["folic", "acid", "the", "of", "vitamin", "c++", "don't", "café", "3.5", "pregnant"],
    *["叶酸", "孕妇", "要", "吃", "的", "片", "哈哈", "哈"],
]


def random_posts(count: int, seed: int = 1) -> list[WordPost]:
    rng = random.Random(seed)
    posts = []
    for number in range(count):
        words = rng.choices(VOCABULARY, range(1, len(VOCABULARY) + 1), k=rng.randrange(0, 14))
        posts.append(
            WordPost(
                " ".join(words),
                author=f"author{rng.randrange(9)}",
                day=rng.randrange(40),
                source=rng.choice(["weibo", "forum"]),
                brands=[["kraft"], ["heinz"], [], ["kraft", "heinz"]][number % 4],
            )
        )
    return posts


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return build_corpus(tmp_path_factory.mktemp("words"), random_posts(150))


@pytest.fixture(scope="module")
def split_corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return build_corpus(tmp_path_factory.mktemp("words"), random_posts(150), segments=4)


# --- collocates ---


def test_a_word_near_two_hits_counts_once(tmp_path: Path) -> None:
    corpus = build_corpus(tmp_path, [WordPost("x a y a z"), WordPost("x b")])
    rows = {row["word"]: row for row in corpus.collocates('[word="a"]', min_observed=1)}
    # y is near both hits; each hit is near the other one
    assert {word: row["observed"] for word, row in rows.items()} == {
        "x": 1,
        "y": 1,
        "z": 1,
        "a": 2,
    }
    row = rows["x"]
    assert (row["window_words"], row["words"], row["hits"], row["frequency"]) == (5, 7, 2, 2)
    assert row["expected"] == pytest.approx(5 * 2 / 7, abs=1e-6)
    assert row["log_dice"] == pytest.approx(14 - 1)


def test_the_words_of_a_hit_are_no_collocates_of_it(tmp_path: Path) -> None:
    corpus = build_corpus(tmp_path, [WordPost("take folic acid daily")])
    answer = corpus.collocates('"folic acid"', min_observed=1)
    assert {row["word"] for row in answer} == {"take", "daily"}


def test_a_window_ends_at_the_post_and_may_have_one_side(tmp_path: Path) -> None:
    corpus = build_corpus(tmp_path, [WordPost("a b c x d e"), WordPost("f g")])
    before = corpus.collocates("x", window=(2, 0), min_observed=1)
    after = corpus.collocates("x", window=(0, 9), min_observed=1)
    assert {row["word"] for row in before} == {"b", "c"}
    assert {row["word"] for row in after} == {"d", "e"}
    check_row_queries(corpus, before)
    check_row_queries(corpus, after)


def test_punctuation_is_no_collocate_and_takes_no_place(tmp_path: Path) -> None:
    corpus = build_corpus(tmp_path, [WordPost("孕妇 ， 吃 叶酸 。 的 片")])
    answer = corpus.collocates("叶酸", window=(2, 1), min_observed=1)
    assert {row["word"] for row in answer} == {"孕妇", "吃", "的"}


def test_a_hit_without_words_has_no_words_near_it(tmp_path: Path) -> None:
    # as in a URL or an @name
    corpus = build_corpus(tmp_path, [WordPost("吃 ！ 叶酸"), WordPost("吃 叶酸")])
    assert not corpus.collocates('"！" OR x', min_observed=1).rows
    assert [row["value"] for row in corpus.groups("！", "left")] == [None]
    answer = corpus.collocates("！ OR 叶酸", min_observed=1)
    assert [(row["word"], row["posts"]) for row in answer] == [("吃", 2)]
    check_row_queries(corpus, answer)


def test_groups_of_hits_are_those_that_a_query_tells_apart(tmp_path: Path) -> None:
    texts = ["Oat-milk oat", "oat milk", "oat", "叶酸", "叶 - 酸", "café cafe", "cafe"]
    corpus = build_corpus(tmp_path, [WordPost(text) for text in texts])
    for query, values in (
        ('"oat milk"', {"oat milk": 2}),
        ('"oat milk" OR Oat%c', {"oat milk": 2, "oat": 1}),
        ('"叶 酸"', {"叶酸": 2}),
        ("cafe%d", {"cafe": 2, "café": 1}),
    ):
        answer = corpus.groups(query, "hit")
        assert {row["value"]: row["posts"] for row in answer} == values
        check_row_queries(corpus, answer)


def test_collocates_of_filtered_hits_are_measured_in_the_filtered_posts(tmp_path: Path) -> None:
    posts = [WordPost("a x", brands=["kraft"]), WordPost("a x"), WordPost("x y", brands=["kraft"])]
    row = build_corpus(tmp_path, posts).collocates("a brand:kraft", min_observed=1).rows[0]
    assert (row["word"], row["observed"], row["frequency"], row["words"]) == ("x", 1, 2, 4)


def test_lemmas_are_counted_in_tagged_posts_only(tmp_path: Path) -> None:
    posts = [
        WordPost("she takes pills", lemmas=["she", "take", "pill"]),
        WordPost("he took pills"),
    ]
    corpus = build_corpus(tmp_path, posts)
    answer = corpus.collocates("pills", form="lemma", min_observed=1)
    assert {row["word"] for row in answer} == {"she", "take"}
    check_row_queries(corpus, answer)


def test_metadata_alone_have_no_collocates(corpus: Corpus) -> None:
    with pytest.raises(InputError, match="wanted a query with words"):
        corpus.collocates("brand:kraft")


# --- keyness ---


def many_authors(word: str, count: int, brand: str, prefix: str) -> list[WordPost]:
    return [
        WordPost(f"good {word} 。 好", author=f"{prefix}{number}", brands=[brand])
        for number in range(count)
    ]


def test_one_author_with_500_posts_makes_no_keyword(tmp_path: Path) -> None:
    posts = [
        *many_authors("cheese", 60, "kraft", "k"),
        *many_authors("ketchup", 60, "heinz", "h"),
        *(WordPost("buy spamword now", author="bot", brands=["kraft"]) for _ in range(500)),
    ]
    corpus = build_corpus(tmp_path, posts)
    answer = corpus.keyness("brand:kraft", "brand:heinz", min_authors=1)
    assert [row["word"] for row in answer] == ["cheese"]
    row = answer.rows[0]
    assert (row["focus"], row["reference"], row["focus_authors"]) == (60, 0, 61)
    assert 0 < row["low"] == row["conservative"] < row["log_ratio"]
    assert row["high"] is None
    assert row["p"] < 1e-20
    assert row["posts"] == 60


def test_keywords_are_those_of_the_rest_where_no_reference_is_given(tmp_path: Path) -> None:
    posts = [*many_authors("奶酪", 30, "kraft", "k"), *many_authors("番茄酱", 30, "heinz", "h")]
    corpus = build_corpus(tmp_path, posts)
    answer = corpus.keyness("brand:kraft")
    assert [row["word"] for row in answer] == ["奶酪"]
    check_row_queries(corpus, answer)


def test_posts_of_both_groups_are_left_out_of_both(tmp_path: Path) -> None:
    both = [
        WordPost("good cheese", author=f"b{number}", brands=["kraft", "heinz"])
        for number in range(7)
    ]
    posts = [
        *many_authors("cheese", 30, "kraft", "k"),
        *many_authors("ketchup", 30, "heinz", "h"),
        *both,
    ]
    corpus = build_corpus(tmp_path, posts)
    answer = corpus.keyness("brand:kraft", "brand:heinz")
    assert [(row["word"], row["focus"], row["posts"]) for row in answer] == [("cheese", 30, 30)]
    assert any("in both groups, left out of both: 7." in note for note in answer.notes)
    check_row_queries(corpus, answer)


def test_authors_of_both_groups_count_in_each(tmp_path: Path) -> None:
    posts = [*many_authors("cheese", 40, "kraft", "a"), *many_authors("ketchup", 40, "heinz", "a")]
    answer = build_corpus(tmp_path, posts, segments=3).keyness("brand:kraft", "brand:heinz")
    row = answer.rows[0]
    assert (row["word"], row["focus_authors"], row["reference_authors"]) == ("cheese", 40, 40)
    # each of 40 authors uses it in the focus only: as 40 heads of 40 coins
    assert row["p"] == pytest.approx(2 * 0.5**40, rel=1e-5)
    assert any("posts in both groups, who count in each: 40." in note for note in answer.notes)


def test_counts_of_authors_equal_a_plain_count(split_corpus: Corpus) -> None:
    posts = random_posts(150)
    answer = split_corpus.keyness("source:weibo", min_authors=1, limit=0)
    for row in answer:
        authors: dict[str, set[str]] = {"weibo": set(), "forum": set()}
        for post in posts:
            if row["word"] in post.words.split():
                authors[post.source].add(post.author)
        assert (row["focus"], row["reference"]) == (len(authors["weibo"]), len(authors["forum"]))


def test_a_group_without_words_is_refused(corpus: Corpus) -> None:
    with pytest.raises(InputError, match="0 in the reference"):
        corpus.keyness("brand:kraft", "week:2020-W01")


def test_posts_without_words_are_told(tmp_path: Path) -> None:
    posts = [
        *many_authors("cheese", 5, "kraft", "k"),
        *many_authors("ketchup", 5, "heinz", "h"),
        WordPost("cheese", is_annotated=False, brands=["kraft"]),
    ]
    answer = build_corpus(tmp_path, posts).keyness("brand:kraft", "brand:heinz")
    assert any(
        "posts without words yet, left out: 1; run 'folate annotate'" in note
        for note in answer.notes
    )


# --- n-grams ---


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_ngrams_equal_a_plain_count(split_corpus: Corpus, length: int) -> None:
    wanted: Counter[str] = Counter()
    for post in random_posts(150):
        words = post.words.split()
        for start in range(len(words) - length + 1):
            wanted[" ".join(words[start : start + length])] += 1
    answer = split_corpus.ngrams(lengths=(length, length), min_frequency=2, limit=0)
    found = {row["ngram"]: row["frequency"] for row in answer}
    assert found == {ngram: count for ngram, count in wanted.items() if count >= 2}
    frequencies = [row["frequency"] for row in answer]
    assert frequencies == sorted(frequencies, reverse=True)


def test_ngrams_containing_a_word_are_all_that_do(split_corpus: Corpus) -> None:
    everything = split_corpus.ngrams(lengths=(2, 3), min_frequency=1, limit=0)
    some = split_corpus.ngrams(lengths=(2, 3), containing="叶酸", min_frequency=1, limit=0)
    wanted = [row for row in everything if "叶酸" in row["ngram"].split()]
    assert list(some) == wanted
    check_row_queries(split_corpus, some)


def test_ngrams_of_most_authors_come_first(tmp_path: Path) -> None:
    posts = [
        *(WordPost("buy now", author="bot") for _ in range(9)),
        *(WordPost("folic acid", author=f"a{number}") for number in range(4)),
    ]
    corpus = build_corpus(tmp_path, posts)
    assert [row["ngram"] for row in corpus.ngrams(limit=1)] == ["buy now"]
    assert [row["ngram"] for row in corpus.ngrams(by="authors", limit=1)] == ["folic acid"]


def test_function_words_are_words_unless_only_terms_are_asked_for(tmp_path: Path) -> None:
    posts = [WordPost("the source of folic acid")] * 3
    corpus = build_corpus(tmp_path, posts)
    assert "the source" in {row["ngram"] for row in corpus.ngrams()}
    assert {row["ngram"] for row in corpus.ngrams(terms_only=True)} == {"folic acid"}
    assert "source of folic" in {
        row["ngram"] for row in corpus.ngrams(lengths=(3, 3), terms_only=True)
    }


def test_a_word_that_no_text_was_cut_to_is_refused(corpus: Corpus) -> None:
    with pytest.raises(InputError, match="wanted a word of the corpus, got 'absent'"):
        corpus.ngrams(containing="absent")
    with pytest.raises(InputError, match="wanted lengths of 1 to 6"):
        corpus.ngrams(lengths=(3, 2))


# --- dispersion ---


def test_dispersion_over_authors_equals_the_formula(split_corpus: Corpus) -> None:
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for post in random_posts(150):
        sizes[post.author] += len(post.words.split())
        counts[post.author] += post.words.split().count("folic")
    authors = sorted(sizes)
    wanted = deviation_of_proportions(
        [counts[author] for author in authors], [sizes[author] for author in authors]
    )
    row = split_corpus.dispersion('[word="folic"]', over=["authors"]).rows[0]
    formula = (wanted.deviation, wanted.normalised)
    assert (row["dp"], row["dp_norm"]) == pytest.approx(formula, abs=1e-6)
    assert (row["range"], row["parts"]) == (wanted.range, len(authors))
    assert row["frequency"] == sum(counts.values())
    words = {row["word"]: row for row in split_corpus.word_dispersion()}
    assert words["folic"]["dp_norm"] == row["dp_norm"]


def test_dispersion_tells_a_burst_from_an_even_word(tmp_path: Path) -> None:
    posts = [
        WordPost("even " + ("burst " * 9 if day == 3 else "other " * 9), day=7 * day)
        for day in range(8)
    ]
    corpus = build_corpus(tmp_path, posts)
    burst, even = (
        corpus.dispersion(f'[word="{word}"]', over=["weeks"]).rows[0] for word in ("burst", "even")
    )
    assert (burst["parts"], burst["range"], even["range"]) == (8, 1, 8)
    assert (burst["dp_norm"], even["dp_norm"]) == (1, 0)


def test_what_is_not_found_has_no_dispersion(corpus: Corpus) -> None:
    answer = corpus.dispersion('"absent"')
    assert [(row["over"], row["dp"], row["range"]) for row in answer] == [
        ("authors", None, 0),
        ("sources", None, 0),
        ("weeks", None, 0),
    ]


# --- networks ---


def test_a_network_has_the_pairs_that_share_more_posts_than_by_chance(tmp_path: Path) -> None:
    posts = [
        *(WordPost("folic acid 孕妇", author=f"a{number}") for number in range(4)),
        *(WordPost("oat milk", author=f"b{number}") for number in range(5)),
        WordPost("oat acid"),
    ]
    corpus = build_corpus(tmp_path, posts, segments=2)
    answer = corpus.cooccurrence(min_posts=1)
    pairs = {frozenset((row["word"], row["other"])): row for row in answer}
    assert set(pairs) == {
        frozenset(pair)
        for pair in (("folic", "acid"), ("folic", "孕妇"), ("acid", "孕妇"), ("oat", "milk"))
    }
    row = pairs[frozenset(("folic", "acid"))]
    assert (row["posts"], row["authors"], row["word_posts"] + row["other_posts"]) == (4, 4, 9)
    assert row["expected"] == pytest.approx(4 * 5 / 10)
    check_row_queries(corpus, answer)


def test_pairs_equal_a_plain_count(split_corpus: Corpus) -> None:
    posts: Counter[frozenset[str]] = Counter()
    authors: dict[frozenset[str], set[str]] = {}
    for post in random_posts(150):
        for pair in combinations(set(post.words.split()), 2):
            posts[frozenset(pair)] += 1
            authors.setdefault(frozenset(pair), set()).add(post.author)
    answer = split_corpus.cooccurrence(min_posts=1)
    assert len(answer) > 20
    for row in answer:
        pair = frozenset((row["word"], row["other"]))
        assert (row["posts"], row["authors"]) == (posts[pair], len(authors[pair]))


def test_graphml_is_read_back_by_networkx(corpus: Corpus) -> None:
    answer = corpus.cooccurrence("source:weibo")
    graph = nx.parse_graphml(cooccurrence_graphml(answer))
    assert graph.number_of_edges() == len(answer) > 0
    row = answer.rows[0]
    edge = graph.edges[row["word"], row["other"]]
    assert (edge["posts"], edge["query"]) == (row["posts"], row["query"])
    assert "the" not in graph


# --- comparison ---


def test_comparison_counts_two_words_side_by_side(tmp_path: Path) -> None:
    posts = [
        *(WordPost("叶酸 好", author=f"a{number}", day=number % 14) for number in range(60)),
        *(WordPost("folic acid", author=f"b{number}", source="forum") for number in range(20)),
        WordPost("叶酸 folic", author="both"),
    ]
    corpus = build_corpus(tmp_path, posts, segments=2)
    answer = corpus.compare("叶酸", "folic", by=["source"], all_parts=True)
    rows = {(row["part"], row["compared"]): row for row in answer}
    first, second = rows["all", "叶酸"], rows["all", "folic"]
    assert (first["hits"], second["hits"], first["ratio"]) == (61, 21, 1)
    assert second["ratio"] == pytest.approx(21 / 61, abs=1e-6)
    assert second["low"] < second["ratio"] < second["high"]
    assert first["low"] is None
    assert rows["source:forum", "folic"]["ratio"] is None
    assert any("match both queries: 1, authors of them: 1." in note for note in answer.notes)
    check_row_queries(corpus, answer)


def test_comparison_shows_the_source_where_the_ratio_differs(tmp_path: Path) -> None:
    posts = []
    for number in range(80):
        source = "weibo" if number % 2 else "forum"
        brand = "kraft" if number % 16 in (0, 1, 3, 5, 7, 9, 11, 13) else "heinz"
        posts.append(WordPost("x", author=f"a{number}", source=source, brands=[brand]))
    corpus = build_corpus(tmp_path, posts)
    answer = corpus.compare("brand:kraft", "brand:heinz", by=["source"])
    rows = {(row["part"], row["compared"]): row for row in answer}
    assert rows["source:weibo", "brand:heinz"]["differs"] is True
    # of all posts, not of the posts of the brand
    assert rows["all", "brand:kraft"]["per_million"] == pytest.approx(1e6 * 40 / 80)
    assert rows["all", "brand:heinz"]["unit"] == "post"


def test_queries_of_unlike_units_are_compared_by_posts(corpus: Corpus) -> None:
    answer = corpus.compare("folic", '[word="folic"]', by=[])
    assert {row["unit"] for row in answer} == {"post"}
    assert all(row["hits"] == row["posts"] for row in answer)
    assert any("posts are counted for all" in note for note in answer.notes)


def test_one_query_is_no_comparison(corpus: Corpus) -> None:
    with pytest.raises(InputError, match="wanted 2 to 20 queries"):
        corpus.compare("folic")


# --- all of them ---

ANSWERS = {
    "collocates": lambda corpus: corpus.collocates("folic OR 叶酸", min_observed=1, limit=0),
    "collocates of a phrase": lambda corpus: corpus.collocates(
        '[word="folic"] "acid" source:weibo', min_observed=1, limit=0
    ),
    "collocates of several": lambda corpus: corpus.collocates("哈哈 吃", min_observed=1, limit=7),
    "collocates of characters": lambda corpus: corpus.collocates("哈", min_observed=1, limit=0),
    "keyness": lambda corpus: corpus.keyness("brand:kraft", "brand:heinz", min_authors=1),
    "ngrams": lambda corpus: corpus.ngrams(lengths=(1, 3), limit=40),
    "ngrams of a query": lambda corpus: corpus.ngrams("brand:kraft", by="authors", limit=10),
    "dispersion": lambda corpus: corpus.dispersion("folic"),
    "words": lambda corpus: corpus.word_dispersion("brand:kraft", over="weeks"),
    "network": lambda corpus: corpus.cooccurrence("brand:kraft", min_posts=1),
    "comparison": lambda corpus: corpus.compare("叶酸", "folic", all_parts=True),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_query_of_each_row_selects_its_posts(corpus: Corpus, name: str) -> None:
    check_row_queries(corpus, ANSWERS[name](corpus))


@pytest.mark.parametrize("name", ANSWERS)
def test_segments_change_no_answer(corpus: Corpus, split_corpus: Corpus, name: str) -> None:
    one, several = ANSWERS[name](corpus), ANSWERS[name](split_corpus)
    assert list(one.rows) == list(several.rows)
    assert one.notes == several.notes


@pytest.mark.parametrize("name", ANSWERS)
def test_an_empty_corpus_gives_no_rows_or_an_error(tmp_path: Path, name: str) -> None:
    corpus = build_corpus(tmp_path, [], segments=0)
    try:
        answer = ANSWERS[name](corpus)
    except InputError as error:
        assert "0 authors in the focus" in str(error)  # noqa: PT017
        return
    assert all(row["posts"] == 0 for row in answer)


@pytest.mark.parametrize("name", ["collocates", "ngrams", "network", "words"])
def test_a_corpus_without_words_says_what_to_run(tmp_path: Path, name: str) -> None:
    posts = [WordPost("folic", is_annotated=False, brands=["kraft"])]
    answer = ANSWERS[name](build_corpus(tmp_path, posts))
    assert not answer.rows
    assert "posts without words yet, left out: 1; run 'folate annotate'." in answer.notes


@pytest.mark.parametrize("name", ["keyness", "ngrams", "ngrams of a query", "network"])
def test_work_in_small_parts_changes_no_answer(
    split_corpus: Corpus, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    whole = ANSWERS[name](split_corpus)
    monkeypatch.setattr(ngram_counts, "MAX_STARTS_AT_ONCE", 30)
    monkeypatch.setattr(author_counts, "MAX_BUFFERED_WORDS", 30)
    assert list(ANSWERS[name](split_corpus).rows) == list(whole.rows)


@pytest.mark.parametrize("name", ["collocates", "keyness", "ngrams"])
def test_pictures_are_svg_without_raw_markup(corpus: Corpus, name: str) -> None:
    from lxml import etree

    answer = ANSWERS[name](corpus)
    picture = etree.fromstring(answer.plot().encode())
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    texts = ["".join(node.itertext()) for node in picture.iter("{*}text")]
    assert all(next(iter(row.values())) in texts for row in list(answer.rows)[:20])


def test_a_picture_without_rows_says_why(tmp_path: Path) -> None:
    answer = build_corpus(tmp_path, [WordPost("x a")]).collocates("a")
    assert not answer.rows
    assert "No row to draw." in answer.plot()


def test_hidden_characters_of_words_are_not_shown(tmp_path: Path) -> None:
    posts = [WordPost("bad\u202eword x")] * 3
    answer = build_corpus(tmp_path, posts).ngrams()
    assert [row["ngram"] for row in answer] == ["bad\ufffdword x"]
