"""The index follows the store: posts, words, metadata, and versions."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from corpora.corpus import Corpus
from corpora.index import index, merge
from corpora.index.index import KEPT_OLD_VERSIONS
from corpora.store.store import Store
from folate.core.errors import NotFound
from tests.corpora.index.index_checks import (
    annotate,
    annotation,
    check_postings,
    live_documents,
    make_post,
    make_project,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return make_project(tmp_path)


def test_an_empty_store_has_an_index_without_documents(tmp_path: Path, store: Store) -> None:
    corpus = Corpus.open(tmp_path)
    assert corpus.segments == ()
    assert corpus.version == "v" + ".".join("-" * 14)


def test_a_post_has_its_text_words_and_metadata(tmp_path: Path, store: Store) -> None:
    text = "买了 ＫＲＡＦＴ 芝士。 <br/>不 贵"
    post = make_post(1, text, title="开箱", place="广东", rating=0.8, verified=True)
    store.upsert_posts([post])
    annotate(store, [post])
    keys = annotation(post)
    store.upsert("mentions", [keys | {"brand": "kraft", "start": 0, "via": "text"}])
    store.upsert("sentiments", [keys | {"brand": None, "label": "neutral"}])
    store.upsert("sentiments", [keys | {"brand": "kraft", "label": "positive"}])
    store.upsert("aspects", [keys | {"brand": "kraft", "aspect": "price", "label": "positive"}])
    judgement = {"emotion": "happy", "buy": 0.5, "ask": 0.49, "tags": ["Food / Dairy"]}
    store.upsert("judgements", [keys | judgement])
    store.upsert("duplicates", [{"id": post.id, "cluster": "f:0", "similarity": 1.0}])
    store.upsert("topics", [{"week": "2026-W10", "id": "t1", "evidence": [post.id]}])
    label = {"name": "Praise", "rater": "mei", "id": post.id, "start": 0, "end": 1}
    store.upsert("labels", [label | {"belongs": True, "text_hash": post.text_hash}])
    words = post.body.split(" ")
    store.upsert("word_tags", [keys | {"lemmas": words, "parts": ["NOUN"] * len(words)}])
    corpus = Corpus.open(tmp_path)
    (document,) = live_documents(corpus).values()
    assert document["text"] == "开箱\n买了 ＫＲＡＦＴ 芝士。 \n不 贵"
    assert document["folded"] == "开箱\n买了 kraft 芝士。 \n不 贵"
    assert document["words"] == ["开箱\n买了", "ＫＲＡＦＴ", "芝士。", "<br/>不", "贵"]
    assert document["starts"] == [0, 6, 12, 16, 19]
    assert document["lengths"] == [5, 5, 3, 2, 1]
    assert document["lemmas"] == words
    assert document["rating"] == pytest.approx(0.8)
    # 2026-03-02 05:00 in Shanghai
    assert document["days"] == 20514
    assert document["fields"] == sorted(
        [
            "aspect:price",
            "aspect:price/positive",
            "aspect:price/positive/kraft",
            "brand:kraft",
            "emotion:happy",
            "intent:buy",
            "is:annotated",
            "is:duplicate",
            "is:tagged",
            "is:verified",
            "kind:forum",
            "label:praise",
            "label:praise/mei",
            "lang:zh",
            "place:广东",
            "sentiment:neutral",
            "sentiment:positive/kraft",
            "source:f",
            "tag:food",
            "tag:food / dairy",
            "topic:t1",
        ]
    )
    check_postings(corpus)


def test_a_corpus_that_is_not_annotated_has_texts_without_words(
    tmp_path: Path, store: Store
) -> None:
    post = make_post(1, "孕妇要吃叶酸片吗")
    store.upsert_posts([post])
    # a row from before words had places
    store.upsert("texts", [annotation(post) | {"language": "zh", "words": ["孕妇"]}])
    (document,) = live_documents(Corpus.open(tmp_path)).values()
    assert document["text"] == "孕妇要吃叶酸片吗"
    assert document["words"] == []
    assert document["states"] == 0
    assert document["fields"] == ["kind:forum", "lang:zh", "source:f"]


def test_only_what_changed_is_indexed_again(tmp_path: Path, store: Store) -> None:
    posts = [make_post(number, f"post {number}") for number in range(5)]
    store.upsert_posts(posts)
    first = Corpus.open(tmp_path)
    store.upsert_posts([make_post(1, "changed 1"), make_post(7, "new 7")])
    second = Corpus.open(tmp_path)
    assert [segment.document_count for segment in second.segments] == [5, 2]
    assert live_documents(second)["f:1"]["text"] == "changed 1"
    assert len(live_documents(second)) == 6
    # what was opened before stays as it was
    assert live_documents(first)["f:1"]["text"] == "post 1"
    assert len(live_documents(first)) == 5


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("texts", {"words": ["p"], "starts": [0], "lengths": [1]}),
        ("mentions", {"brand": "kraft"}),
        ("sentiments", {"brand": None, "label": "negative"}),
        ("aspects", {"aspect": "taste"}),
        ("judgements", {"emotion": "sad"}),
    ],
)
def test_an_annotation_changes_its_post(
    tmp_path: Path, store: Store, table: str, row: dict[str, object]
) -> None:
    posts = [make_post(number, "post") for number in range(3)]
    store.upsert_posts(posts)
    before = live_documents(Corpus.open(tmp_path))
    store.upsert(table, [annotation(posts[1]) | row])
    after = live_documents(Corpus.open(tmp_path))
    assert before["f:0"] == after["f:0"]
    assert before["f:1"] != after["f:1"]
    store.replace(table, [], {})
    assert live_documents(Corpus.open(tmp_path)) == before


def test_topics_and_labels_that_go_are_gone(tmp_path: Path, store: Store) -> None:
    post = make_post(0, "post")
    store.upsert_posts([post])
    store.upsert("topics", [{"week": "2026-W10", "id": "t1", "evidence": ["f:0", "f:9"]}])
    label = {"name": "a", "rater": "mei", "id": "f:0", "start": 0, "end": 1, "belongs": True}
    store.upsert("labels", [label])
    fields = live_documents(Corpus.open(tmp_path))["f:0"]["fields"]
    assert {"topic:t1", "label:a", "label:a/mei"} <= set(fields)
    store.replace("topics", [], {"week": "2026-W10"})
    store.upsert("labels", [label | {"belongs": False}])
    fields = live_documents(Corpus.open(tmp_path))["f:0"]["fields"]
    assert fields == ["kind:forum", "source:f"]


def test_posts_that_are_replaced_are_gone(tmp_path: Path, store: Store) -> None:
    store.upsert_posts([make_post(0, "a"), make_post(1, "b")])
    Corpus.open(tmp_path)
    kept = store.snapshot().sql("SELECT * FROM posts WHERE id = 'f:1'")
    store.replace("posts", kept, {})
    assert list(live_documents(Corpus.open(tmp_path))) == ["f:1"]


def test_likes_and_compaction_change_no_document(tmp_path: Path, store: Store) -> None:
    store.upsert_posts([make_post(0, "a")])
    store.upsert_posts([make_post(1, "b")])
    before = Corpus.open(tmp_path)
    later = make_post(0, "a").fetched_at
    store.upsert_posts([make_post(0, "a", likes=5, fetched_at=later)])
    store.compact()
    after = Corpus.open(tmp_path)
    assert after.version != before.version
    assert [s.folder for s in after.segments] == [s.folder for s in before.segments]


def test_adapted_sentiments_change_the_posts_of_their_brand(tmp_path: Path, store: Store) -> None:
    post = make_post(0, "a")
    store.upsert_posts([post])
    row = {"brand": "kraft", "label": "neutral", "negative": 0.3, "neutral": 0.4, "positive": 0.3}
    row |= {"annotator": "m", "version": "1+2+x", "negative": 0.25, "positive": 0.35}
    store.upsert("sentiments", [annotation(post) | row])
    assert "sentiment:neutral/kraft" in live_documents(Corpus.open(tmp_path))["f:0"]["fields"]
    factors = {"negative": 9.0, "neutral": 1.0, "positive": 1.0}
    adaptation = {"brand": "kraft", "name": "n", "annotator": "m", "model": "1+2"} | factors
    store.upsert("adaptations", [adaptation | {"fold": fold} for fold in range(10)])
    assert "sentiment:negative/kraft" in live_documents(Corpus.open(tmp_path))["f:0"]["fields"]


def test_an_old_version_is_opened_as_it_was(tmp_path: Path, store: Store) -> None:
    store.upsert_posts([make_post(0, "old")])
    old = Corpus.open(tmp_path)
    store.upsert_posts([make_post(0, "new"), make_post(1, "more")])
    new = Corpus.open(tmp_path)
    again = Corpus.open(tmp_path, old.version)
    assert again.version == old.version
    assert live_documents(again) == live_documents(old)
    assert again.snapshot.sql("SELECT text FROM posts")["text"].to_pylist() == ["old"]
    assert live_documents(Corpus.open(tmp_path, new.version)) == live_documents(new)


def test_a_version_whose_files_were_deleted_is_not_found(tmp_path: Path, store: Store) -> None:
    store.upsert_posts([make_post(0, "old")])
    old = Corpus.open(tmp_path)
    store.upsert_posts([make_post(0, "new")])
    store.vacuum(retention_hours=0)
    with pytest.raises(NotFound, match="is gone, as 'folate compact' deleted files"):
        Corpus.open(tmp_path, old.version)


def test_a_version_that_is_not_there_yet_is_not_found(tmp_path: Path, store: Store) -> None:
    store.upsert_posts([make_post(0, "a")])
    version = Corpus.open(tmp_path).version
    later = "v9" + version.removeprefix(version.partition(".")[0])
    with pytest.raises(NotFound, match="got a store whose newest version is v1"):
        Corpus.open(tmp_path, later)


def test_another_store_in_the_same_place_is_noticed(tmp_path: Path, store: Store) -> None:
    store.upsert_posts([make_post(0, "old")])
    Corpus.open(tmp_path)
    store.root.rename(tmp_path / "away")
    Store(store.root).upsert_posts([make_post(1, "other")])
    corpus = Corpus.open(tmp_path)
    assert list(live_documents(corpus)) == ["f:1"]
    assert corpus.index_note is not None


def test_days_are_those_of_the_time_zone(tmp_path: Path) -> None:
    store = make_project(tmp_path, "America/New_York")
    # both changes of the clocks of 2026
    moments = [datetime(2026, 3, 7, tzinfo=UTC) + timedelta(hours=hour) for hour in range(60)]
    moments += [datetime(2026, 10, 31, tzinfo=UTC) + timedelta(hours=hour) for hour in range(60)]
    posts = [
        make_post(number, "post", published_at=moment) for number, moment in enumerate(moments)
    ]
    store.upsert_posts(posts)
    documents = live_documents(Corpus.open(tmp_path))
    for post in posts:
        local_day = post.published_at.astimezone(ZoneInfo("America/New_York")).date()
        assert documents[post.id]["days"] == (local_day - date(1970, 1, 1)).days


def test_a_text_of_a_megabyte_is_indexed(tmp_path: Path, store: Store) -> None:
    post = make_post(0, " ".join(["叶酸"] * 150_000))
    store.upsert_posts([post])
    annotate(store, [post])
    (segment,) = Corpus.open(tmp_path).segments
    assert len(segment.array("words")) == 150_000
    assert segment.pairs.count(ord("叶") << 32 | ord("酸")) == 150_000


def test_few_old_versions_are_kept(tmp_path: Path, store: Store) -> None:
    versions = []
    for number in range(KEPT_OLD_VERSIONS + 2):
        store.upsert_posts([make_post(number, "post")])
        versions.append(Corpus.open(tmp_path).version)
    for count, version in enumerate(versions, 1):
        assert len(live_documents(Corpus.open(tmp_path, version))) == count
    assert len(list((tmp_path / "index" / "at").iterdir())) == KEPT_OLD_VERSIONS


def test_merging_in_the_background_disturbs_no_reader(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "MAX_QUICK_POSTS", 0)
    monkeypatch.setattr(index, "merge_in_background", lambda *arguments: None)
    for number in range(merge.TIER_FACTOR):
        store.upsert_posts([make_post(number, "post")])
        before = Corpus.open(tmp_path)
    assert len(before.segments) == merge.TIER_FACTOR
    index.merge_all_segments(tmp_path / "index", "Asia/Shanghai")
    after = Corpus.open(tmp_path)
    assert len(after.segments) == 1
    assert after.version == before.version
    assert live_documents(after) == live_documents(before)
    check_postings(after)
