"""Discovery as a whole: planted topics are found, artefacts flagged, row order is irrelevant."""

from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pytest

from corpora.store.schema import TOPICS
from folate.core.config import Topics
from folate.core.errors import InputError
from folate.core.weeks import Week
from nlp.topics import Topic, discover_topics
from tests.nlp.world import EN, WEEK, WEEKS, ZH, Rows, World, find


def test_a_term_that_nobody_tracked_is_found_with_what_a_reader_needs() -> None:
    world = World()
    ids = world.plant(["叶酸"], 12, brands=["ours"])
    discovery = world.discover(watch=["维生素"])
    topic = find(discovery, "叶酸")
    assert discovery.topics[0] == topic
    assert (topic.state, topic.label_zh, topic.label_en, topic.posts, topic.authors) == (
        "new",
        "叶酸",
        "叶酸",
        12,
        12,
    )
    assert topic.brands == ("ours",)
    assert not topic.flags
    assert not topic.watched
    assert set(topic.evidence) == set(ids)
    assert topic.score > discovery.thresholds["ours"]
    assert topic.q is not None
    assert topic.q < 0.01
    assert topic.first_seen == min(row["published_at"] for row in world.rows if row["id"] in ids)
    assert topic.detail["gain"] > 10
    assert topic.detail["survives_without_top_authors"]
    assert topic.detail["weekly_authors"] == [0] * 8 + [12]
    assert discovery.notes == ()


def test_a_quiet_week_raises_no_alarm() -> None:
    alarms = sum(len(World(seed).discover().topics) for seed in range(6))
    assert alarms <= 5  # 18 scopes and weeks; at .2 each, six and more in a tenth of such tests


def test_a_coinage_that_the_segmenter_splits_in_many_ways_is_found_whole() -> None:
    world = World()
    for words in (["乳", "果糖", "奶盖"], ["乳果", "糖奶盖"], ["乳果糖", "奶", "盖"]):
        world.plant(words, 5)
    topic = world.discover().topics[0]
    assert topic.label_zh == "乳果糖奶盖"
    assert topic.posts == 15


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["喝", "ergomax", "三天"], "ergomax"),
        (["沃隆坚果"], "沃隆坚果"),
        (["vivo", "手机"], "vivo手机"),
    ],
)
def test_names_of_things_are_found_inside_chinese(words: list[str], name: str) -> None:
    world = World()
    for _ in range(12):
        world.post(WEEKS - 1, [*world.chatter("zh")[:4], *words, *world.chatter("zh")[:4]])
    assert name in find(world.discover(), name).terms


def test_the_order_of_the_rows_does_not_matter() -> None:
    world = World()
    world.plant(["叶酸"], 12)
    world.plant(["ergothioneine", "capsule"], 9)
    world.plant(["限时", "福利"], 20, cluster="weibo:ad")
    first = world.discover()
    world.random.shuffle(world.rows)
    assert repr(world.discover()) == repr(first)


def test_a_common_word_that_only_a_better_topic_brings_is_a_detail_of_it() -> None:
    world = World()
    for week in range(WEEKS - 1):
        world.plant(["refund"], 4, week=week)
    world.plant(["recall"], 30)
    for word in EN[:9]:
        world.plant(["recall", word, "refund"], 1)
    world.plant(["refund"], 10)
    discovery = world.discover()
    assert [explained["term"] for explained in find(discovery, "recall").detail["explains"]] == [
        "refund"
    ]
    assert not [topic for topic in discovery.topics if "refund" in topic.terms]


def test_two_topics_that_share_some_posts_stay_two() -> None:
    world = World()
    world.plant(["recall"], 20)
    world.plant(["recall", "milk", "refund"], 5)
    world.plant(["refund"], 20)
    discovery = world.discover()
    assert find(discovery, "recall") != find(discovery, "refund")


def test_a_common_word_inside_a_topics_name_does_not_bring_all_that_is_said_of_it() -> None:
    world = World()
    for week in range(WEEKS - 1):
        world.plant(["包装"], 5, week=week)
    world.plant(["包装漏液"], 12)
    world.plant(["包装", "轻盈酸奶"], 30)
    assert find(world.discover(), "包装漏液").posts == 12


def test_a_topic_that_splits_says_what_it_came_from() -> None:
    world = World()
    world.plant(["叶酸"], 12)
    world.plant(["耳机"], 14)
    before = replace(find(world.discover(), "叶酸"), id="old", terms=("手册", "叶酸", "耳机"))
    topics = world.discover(week=WEEK + 1, previous_topics=[before]).topics
    first, second = topics[:2]
    assert (first.id, first.detail["continues"], first.detail["split_from"]) == (
        "old",
        ["old"],
        None,
    )
    assert second.id != "old"
    assert (second.detail["continues"], second.detail["split_from"]) == ([], "old")


def test_copies_count_once_and_are_named() -> None:
    world = World()
    world.plant(["叶酸"], 8)
    world.plant(["限时", "福利"], 40, cluster="weibo:ad")
    discovery = world.discover()
    assert not find(discovery, "叶酸").flags
    advertisement = find(discovery, "限时福利")
    assert advertisement.flags == ("copied text",)
    assert advertisement.authors == 1
    assert discovery.topics.index(advertisement) > discovery.topics.index(find(discovery, "叶酸"))


def test_a_template_with_slots_is_named_and_what_people_say_in_their_own_words_is_not() -> None:
    world = World()
    skeleton = [
        *("家人们", "谁懂", "啊", "这个", "接骨木", "真的"),
        *("绝绝子", "喝了", "一周", "皮肤", "都", "亮了", "快冲"),
    ]
    for _ in range(12):
        slots = world.chatter("zh")
        world.post(
            WEEKS - 1,
            [*slots[:2], *skeleton[:6], slots[2], *skeleton[6:10], *slots[3:5], *skeleton[10:]],
        )
    world.plant(["叶酸"], 12)
    discovery = world.discover()
    assert find(discovery, "接骨木").flags == ("template",)
    assert not find(discovery, "叶酸").flags


def test_a_source_that_appears_brings_no_unflagged_topic() -> None:
    world = World()
    for _ in range(60):
        world.post(WEEKS - 1, ["蹲", "板油", *world.chatter("zh")], source="board")
    discovery = world.discover()
    assert discovery.topics
    assert not discovery.notes
    assert all("new source" in topic.flags for topic in discovery.topics)


def test_a_source_that_was_down_for_a_week_raises_no_alarm() -> None:
    def with_jargon(down: int | None) -> World:
        world = World()
        for week in range(WEEKS):
            for _ in range(30 * (week != down)):
                world.post(week, ["板油", *world.chatter("zh")], source="board")
        return world

    in_baseline = (
        "board has no post in 1 of the 8 weeks before 2026-W14: "
        "what is usual on it is known from the others."
    )
    this_week = "No post in 2026-W14 from board: its topics could not be seen."
    for down, note in ((3, in_baseline), (WEEKS - 2, in_baseline), (WEEKS - 1, this_week)):
        discovery = with_jargon(down).discover()
        assert not [topic for topic in discovery.topics if "板油" in topic.terms]
        assert list(discovery.notes) == [note]


def test_one_author_with_half_of_all_posts_is_one_author() -> None:
    world = World()
    for _ in range(130):
        world.post(
            WEEKS - 1, ["量子", "鼠标垫", *world.chatter("zh")], author="loud", source="shop"
        )
    assert not world.discover().topics


def test_three_loud_authors_are_named() -> None:
    world = World()
    for source in ("forum", "shop", "weibo"):
        world.plant(["接骨木"], 20, author="loud", source=source)
    world.plant(["接骨木"], 6)
    assert find(world.discover(), "接骨木").flags == ("three loud authors",)


def test_one_source_is_named_when_others_could_have_said_it() -> None:
    world = World()
    world.plant(["接骨木"], 12, source="shop")
    assert find(world.discover(), "接骨木").flags == ("one source",)


@pytest.mark.parametrize(("week", "flags"), [(Week(2026, 38), ("seasonal",)), (Week(2026, 14), ())])
def test_a_word_of_the_calendar_is_seasonal_near_its_day_only(
    week: Week, flags: tuple[str, ...]
) -> None:
    world = World()
    world.plant(["月饼"], 12)
    assert find(world.discover(week=week), "月饼").flags == flags


def test_a_surge_of_volume_is_not_a_topic() -> None:
    world = World()
    for _ in range(150):
        world.post(WEEKS - 1, world.chatter(), brands=["ours"])
    assert not world.discover().topics


@pytest.mark.parametrize("weeks", [1, 3])
def test_without_a_baseline_nothing_is_claimed(weeks: int) -> None:
    world = World(weeks=weeks)
    world.plant(["叶酸"], 12)
    discovery = world.discover()
    assert not discovery.topics
    assert f"{weeks - 1} of the 8 weeks before 2026-W14 have posts" in discovery.notes[0]
    assert "none was sought" in discovery.notes[0]


def test_topics_carry_their_rank() -> None:
    world = World()
    world.plant(["叶酸"], 12)
    world.plant(["folic"], 20)
    topics = world.discover().topics
    assert len(topics) > 1
    assert [topic.detail["rank"] for topic in topics] == list(range(len(topics)))


def test_a_short_baseline_flags_what_it_finds() -> None:
    world = World(weeks=6)
    world.plant(["叶酸"], 12)
    discovery = world.discover()
    assert "short baseline" in find(discovery, "叶酸").flags
    assert "5 of the 8 weeks" in discovery.notes[0]


def test_an_empty_week_and_an_empty_stream() -> None:
    world = World()
    world.plant(["叶酸"], 12)
    before = find(world.discover(), "叶酸")
    world.rows = [row for row in world.rows if row["week"] < WEEKS - 1]
    discovery = world.discover(previous_topics=[before])
    assert not discovery.topics  # that nobody writes of it any more is not known either
    assert discovery.notes[0] == "No post was published in 2026-W14: nothing can have emerged."
    world.rows = []
    assert not world.discover().topics


@pytest.mark.parametrize(
    ("watch", "watched"),
    [
        ("叶酸", True),
        ("FOLIC  acid", True),
        ("acid", True),
        ("Folic Acids", True),
        ("oli", False),
        ("酸奶", False),
    ],
)
def test_what_is_watched_is_marked(watch: str, watched: bool) -> None:
    world = World()
    world.plant(["叶酸"], 12)
    world.plant(["folic", "acid"], 12)
    assert any(topic.watched for topic in world.discover(watch=[watch]).topics) is watched


def test_quotes_are_three_posts_by_different_authors_that_say_different_things() -> None:
    world = World()
    repeated_words = ["叶酸", *world.chatter("zh")]
    for _ in range(6):
        world.post(WEEKS - 1, [*repeated_words, world.random.choice(ZH)])
    world.plant(["叶酸"], 6)
    world.plant(["叶酸"], 3, author="again")
    topic = find(world.discover(), "叶酸")
    quoted = [row for row in world.rows if row["id"] in topic.detail["central"]]
    assert len(quoted) == 3
    assert len({row["author"] for row in quoted}) == 3
    assert len({row["body"] for row in quoted}) == 3
    assert sum(row["words"][:9] == repeated_words for row in quoted) <= 1
    assert list(topic.evidence[:3]) == topic.detail["central"]


def _rows_a_week_later(world: World) -> Rows:
    return [row | {"week": row["week"] - 1} for row in world.rows if row["week"]]


@pytest.mark.parametrize(
    ("authors", "state"), [(20, "strong"), (11, "weak"), (1, "fading"), (0, "gone")]
)
def test_a_topic_keeps_its_id_and_ages(authors: int, state: str) -> None:
    world = World()
    world.plant(["叶酸"], 12)
    before = find(world.discover(), "叶酸")
    world.rows = _rows_a_week_later(world)
    for _ in range(120):
        world.post(WEEKS - 1, world.chatter(), id=f"shop:later{len(world.rows)}", source="shop")
    for _ in range(authors):
        world.post(
            WEEKS - 1,
            ["叶酸", *world.chatter("zh")],
            id=f"weibo:later{len(world.rows)}",
            source="weibo",
        )
    after = find(world.discover(week=WEEK + 1, previous_topics=[before]), "叶酸")
    assert (after.id, after.state, after.authors) == (before.id, state, authors)
    assert after.first_seen == before.first_seen


def test_a_topic_that_is_gone_is_told_once() -> None:
    world = World()
    world.plant(["叶酸"], 12)
    gone = replace(find(world.discover(), "叶酸"), state="gone")
    assert not World().discover(week=WEEK + 1, previous_topics=[gone]).topics


@pytest.mark.parametrize(("mothers", "segments"), [(14, ("pregnant",)), (6, ())])
def test_who_says_it_is_told_of_ten_authors_and_more(
    mothers: int, segments: tuple[str, ...]
) -> None:
    world = World()
    for i in range(16):
        world.plant(["叶酸"], 1, author=f"m{i}", source="forum")
        if i < mothers:
            world.post(WEEKS - 2, ["怀孕", *world.chatter("zh")], author=f"m{i}", source="forum")
    discovery = world.discover(find_segments=lambda text: ["pregnant"] if "怀孕" in text else [])
    assert find(discovery, "叶酸").segments == segments


def test_a_topic_goes_into_the_table_and_comes_back() -> None:
    world = World()
    world.plant(["叶酸"], 12)
    topic = find(world.discover(), "叶酸")
    row = pa.Table.from_pylist([topic.to_row()], schema=TOPICS.schema).to_pylist()[0]
    assert Topic.from_row(row).to_row() == topic.to_row()


@pytest.mark.parametrize(
    ("corrupt", "message"),
    [
        (lambda table: table.drop_columns(["cluster"]), "cluster missing"),
        (lambda table: pa.concat_tables([table, table.slice(0, 1)]), "1 ids twice"),
        (
            lambda table: table.set_column(4, "week", pa.array([9] * table.num_rows, pa.int32())),
            "got 9 to 9",
        ),
        (
            lambda table: table.set_column(8, "cluster", pa.nulls(table.num_rows, pa.string())),
            "'cluster' of every post",
        ),
    ],
)
def test_a_stream_that_cant_be_read_is_refused_in_one_sentence(
    corrupt: Callable[[pa.Table], pa.Table], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        discover_topics(corrupt(World(posts_per_week=5).table()), WEEK, Topics())


def test_posts_without_an_author_are_counted_and_told() -> None:
    world = World()
    world.plant(["叶酸"], 12, author=None)
    discovery = world.discover()
    assert find(discovery, "叶酸").authors == 12
    assert "12 of" in discovery.notes[0]
