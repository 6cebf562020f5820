"""Duplicate detection over several runs.

Only new posts are compared, and no interruption, edit or loss of the derived file changes the
result.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from folate.core.post import Post
from folate.pipeline.annotate import copies
from folate.pipeline.annotate.copies import update_duplicates
from folate.pipeline.project import Project
from nlp.text.duplicates import OriginalIndex

START = datetime(2026, 3, 2, tzinfo=UTC)
ADVERT = "孕期补充营养就选这一款，三家医院的医生推荐，现在下单买二送一，点击领取优惠券"
EDITED = "孕期补充营养就选这一款！三家医院的医生推荐，今天下单买二送一，点击领取优惠券吧"
OTHER = "早上喝了一碗燕麦粥，加了牛奶和蓝莓，味道比上次那个牌子好得多，下次还买"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def make_post(number: int, text: str, hour: int | None = None) -> Post:
    moment = START + timedelta(hours=number if hour is None else hour)
    return Post(id=f"f:{number:04d}", source="f", kind="forum", text=text, published_at=moment)


def find_clusters(project: Project, *posts: Post) -> dict[str, str]:
    """The cluster of each copy, once these posts are stored as well."""
    project.store.upsert_posts(posts)
    update_duplicates(project)
    rows = (
        project.store.snapshot().sql("SELECT id, cluster FROM duplicates ORDER BY id").to_pylist()
    )
    return {row["id"]: row["cluster"] for row in rows}


@pytest.fixture
def compared_texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that was compared."""
    texts: list[str] = []
    original_method = OriginalIndex.match_or_add

    def record_texts(self: OriginalIndex, new_texts: Sequence[str]) -> object:
        texts.extend(new_texts)
        return original_method(self, new_texts)

    monkeypatch.setattr(OriginalIndex, "match_or_add", record_texts)
    return texts


def test_only_new_posts_are_compared(project: Project, compared_texts: list[str]) -> None:
    assert find_clusters(project, make_post(1, ADVERT), make_post(2, OTHER)) == {}
    assert len(compared_texts) == 2
    assert find_clusters(project, make_post(3, EDITED), make_post(4, f"{OTHER}！")) == {
        "f:0003": "f:0001",
        "f:0004": "f:0002",
    }
    assert len(compared_texts) == 3  # the last one is equal to one that was compared
    assert find_clusters(project) == {"f:0003": "f:0001", "f:0004": "f:0002"}
    assert len(compared_texts) == 3


def test_an_older_post_that_comes_later_names_its_cluster(project: Project) -> None:
    find_clusters(project, make_post(5, ADVERT), make_post(6, EDITED))
    assert find_clusters(project, make_post(7, ADVERT, hour=1)) == {
        "f:0005": "f:0007",
        "f:0006": "f:0007",
    }


def test_an_edited_original_lets_its_copies_go(project: Project) -> None:
    assert find_clusters(
        project, make_post(1, ADVERT), make_post(2, ADVERT), make_post(3, EDITED)
    ) == {
        "f:0002": "f:0001",
        "f:0003": "f:0001",
    }
    assert find_clusters(project, make_post(1, OTHER)) == {"f:0003": "f:0002"}


def test_signs_alone_copy_nothing(project: Project) -> None:
    assert find_clusters(project, make_post(1, "\u200b"), make_post(2, "\u200b")) == {}


@pytest.mark.parametrize("damage", [b"", b"PAR1 no parquet", None])
def test_a_lost_or_damaged_file_is_made_anew(project: Project, damage: bytes | None) -> None:
    before = find_clusters(project, make_post(1, ADVERT), make_post(2, EDITED))
    if damage is None:
        project.duplicates_file.unlink()
    else:
        project.duplicates_file.write_bytes(damage)
    assert find_clusters(project) == before
    assert len(pq.read_table(project.duplicates_file)) == 2


def test_a_file_that_knows_posts_the_store_lacks_is_put_right(
    project: Project, tmp_path: Path
) -> None:
    find_clusters(project, make_post(1, ADVERT), make_post(2, EDITED))
    other = Project(tmp_path / "other")
    other.root.mkdir()
    other.duplicates_file.write_bytes(project.duplicates_file.read_bytes())
    assert find_clusters(other, make_post(2, EDITED), make_post(3, ADVERT)) == {"f:0003": "f:0002"}


class Cut(BaseException):
    """The run ends here, as by a signal."""


@pytest.mark.parametrize("write_number", [1, 2, 3])
def test_a_run_cut_off_is_completed_by_the_next(
    project: Project, monkeypatch: pytest.MonkeyPatch, write_number: int
) -> None:
    posts = [
        make_post(number, text)
        for number, text in enumerate([ADVERT, OTHER, EDITED, f"{OTHER}呀", ADVERT, OTHER] * 2)
    ]
    project.store.upsert_posts(posts)
    monkeypatch.setattr(copies, "BATCH", 4)
    calls = iter(range(1, 100))
    add = copies._DuplicateIndex.add_posts

    def interrupt(self: copies._DuplicateIndex, rows: Sequence[dict[str, object]]) -> None:
        if next(calls) == write_number:
            raise Cut
        add(self, rows)

    with monkeypatch.context() as patch:
        patch.setattr(copies._DuplicateIndex, "add_posts", interrupt)
        with pytest.raises(Cut):
            update_duplicates(project)
    originals = {"f:0000", "f:0001"}
    assert set(find_clusters(project).values()) == originals
    assert set(find_clusters(project)) == {each.id for each in posts} - originals


def test_the_order_of_arrival_changes_no_pair_of_equal_texts(project: Project) -> None:
    chooser = random.Random(3)
    posts = [
        make_post(number, chooser.choice([ADVERT, OTHER, EDITED, "好吃"])) for number in range(60)
    ]
    chooser.shuffle(posts)
    for start in range(0, 60, 20):
        together = find_clusters(project, *posts[start : start + 20])
    cluster = {each.id: together.get(each.id, each.id) for each in posts}
    for text in (ADVERT, OTHER, EDITED, "好吃"):
        alike = [each.id for each in posts if each.text == text]
        assert len({cluster[id_] for id_ in alike}) == 1
    assert cluster[min(each.id for each in posts if each.text == "好吃")] == min(
        each.id for each in posts if each.text == "好吃"
    )


@pytest.mark.parametrize(
    "metadata",
    [
        "[]",
        "[" * 100_000,
        '{"version": "1"}',
        '{"version": "1", "posts": "x", "common": []}',
        '{"version": "1", "posts": 3, "common": [-1, "x"]}',
    ],
)
def test_a_file_that_says_something_senseless_of_itself_is_made_anew(
    project: Project, metadata: str
) -> None:
    find_clusters(project, make_post(0, ADVERT), make_post(1, EDITED))
    path = project.duplicates_file
    pq.write_table(pq.read_table(path).replace_schema_metadata({"folate": metadata}), path)
    assert find_clusters(project, make_post(2, OTHER), make_post(3, EDITED)) == {
        "f:0001": "f:0000",
        "f:0003": "f:0000",
    }
