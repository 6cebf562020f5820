"""The folate test itself: what is planted is there, alarms are judged by their posts, and a small run comes out as expected."""

import csv
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from types import ModuleType

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from benchmarks.emergence import __main__ as command
from benchmarks.emergence import finders, trials
from benchmarks.emergence.events import Event, events, first_listings, window
from benchmarks.emergence.finders import Alarm, Found
from benchmarks.emergence.judging import MISSING, Tally, mean, overlap, rate, share
from benchmarks.emergence.peers import bertrend, hype, keyness, nominal, signitrend
from benchmarks.emergence.planting import LAST, OWN, SCHEMA, WEEKS, Plant, Trial
from benchmarks.emergence.streams import moment, rows
from benchmarks.emergence.tables import render
from folate.core.errors import InputError
from folate.core.weeks import Week
from nlp.text.segment import Segmenter

ZH = [
    "天气",
    "电影",
    "公园",
    "火车",
    "学校",
    "作业",
    "球赛",
    "音乐",
    "房租",
    "老师",
    "医院",
    "旅行",
    "菜市场",
    "邻居",
    "同学",
    "下班",
]
EN = [
    "weather",
    "movie",
    "park",
    "train",
    "school",
    "match",
    "music",
    "rent",
    "teacher",
    "hospital",
    "holiday",
    "market",
    "garden",
    "office",
]


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3,000 made posts over 100 days, half of them Chinese."""
    random, path = Random(5), tmp_path_factory.mktemp("stream") / "posts.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["created_at", "Title"])
        for number in range(3000):
            chosen = random.sample(ZH if number % 2 else EN, 7)
            text = ("，" if number % 2 else " ").join(chosen) + f" {number}"
            writer.writerow(
                [
                    (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=number * 0.8)).isoformat(),
                    text,
                ]
            )
    return path


@pytest.fixture(scope="module")
def source(stream: Path) -> trials.Source:
    return trials.source([stream], posts=80, permuted=True, seed=3)


@pytest.fixture(scope="module")
def planted(source: trials.Source) -> Trial:
    return trials.weekly(source, 7, [Plant(12)] * trials.PLANTED)


def window_of(weekly: dict[str, list[int]], size: int = 100) -> pa.Table:
    """A brand's posts: `weekly` says how many of each week's `size` posts hold a word, each by an author of its own."""
    posts = [
        {"id": f"{week}-{number}", "author": f"{week}-{number}", "source": "a", "published_at": datetime(2026, 1, 5, tzinfo=UTC),
         "week": week, "language": "en", "words": ["filler", *(w for w, counts in weekly.items() if number < counts[week])],
         "hashtags": [], "cluster": f"{week}-{number}", "brands": [OWN], "body": f"{week} {number}"}
        for week in range(WEEKS) for number in range(size)
    ]  # fmt: skip
    return pa.Table.from_pylist(posts, schema=SCHEMA)


def test_streams_of_several_formats(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text(
        "评论内容,购买时间\n很好用,2020-01-02 03:04:05\n,2020-01-03 00:00:00\n没有时间,\n",
        encoding="utf-8",
    )
    assert rows(path) == [(datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), "很好用")]
    assert moment("8/16/2016 9:55") == datetime(2016, 8, 16, 9, 55, tzinfo=UTC)
    assert moment("2021-03-04T00:30:00+08:00") == datetime(2021, 3, 3, 16, 30, tzinfo=UTC)
    assert moment("soon") is None


def test_a_table_without_posts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stars.csv"
    path.write_text("time,stars\n2020-01-02,5\n", encoding="utf-8")
    with pytest.raises(InputError, match="one of text"):
        rows(path)


def test_terms_are_planted_as_asked(source: trials.Source) -> None:
    growing = Plant(20, onset=LAST - 7, days=14, slope=1.0)
    trial = trials.weekly(
        source,
        1,
        [
            growing,
            Plant(10, authors=5),
            Plant(10, wordings=1),
            Plant(8, languages=("zh", "en")),
            Plant(9),
        ],
    )
    posts = {str(p["id"]): p for p in trial.posts}
    first, few, same, both, plain = trial.planted.values()
    assert [len(days) for days in trial.planted.values()] == [20, 10, 10, 8, 9]
    assert all(
        posts[id_]["day"] == day and posts[id_]["brands"] == [OWN] for id_, day in first.items()
    )
    assert all(LAST - 7 <= day < LAST + 7 for day in first.values())
    assert sum(day >= LAST for day in first.values()) > 10
    assert len({posts[id_]["author"] for id_ in few}) == 5
    assert {posts[id_]["language"] for id_ in both} == {"zh", "en"}
    assert (
        len({str(posts[id_]["body"])[-4:] for id_ in same})
        <= len({str(posts[id_]["body"])[-4:] for id_ in plain}) + 10
    )


def test_every_decoy_is_there_and_all_weeks_have_the_clauses(planted: Trial) -> None:
    assert set(planted.decoys) == {
        "advertisement",
        "season",
        "weekend",
        "loud author",
        "new source",
    }
    days = {str(p["id"]): int(str(p["day"])) for p in planted.posts}
    assert {days[id_] % 7 for id_ in planted.decoys["weekend"]} == {5, 6}
    assert {days[id_] // 7 for id_ in planted.decoys["weekend"]} == set(range(WEEKS))
    assert not planted.decoys["advertisement"] & set().union(*planted.planted.values())


def test_a_window_ends_on_its_day(source: trials.Source) -> None:
    table = trials.daily(source, 2).table()
    for end in (trials.DAYS[0], trials.DAYS[-1]):
        part = trials.window(table, end)
        assert pc.max(part["day"]).as_py() == end
        assert pc.unique(part["week"]).sort().to_pylist() == list(range(WEEKS))
        now = part.filter(pc.equal(part["week"], WEEKS - 1))
        assert pc.min_max(now["day"]).as_py() == {"min": end - 6, "max": end}


def test_alarms_are_judged_by_their_posts(planted: Trial) -> None:
    tally, (term, days) = Tally(), next(iter(planted.planted.items()))
    own = sorted(days)
    others = [str(p["id"]) for p in planted.posts if str(p["id"]) not in days and p["day"] == 3]
    alarms = [
        Alarm("half of it is the term", frozenset(own[:6] + others[:6])),
        Alarm("most of it is not", frozenset(own[:5] + others[:6])),
        Alarm("the advertisement", frozenset(planted.decoys["advertisement"])),
    ]
    hits = tally.week([alarms, []], planted)
    assert hits == {name: name == term for name in planted.planted}
    assert tally.false == [2, 0]
    assert tally.precision == [1 / 3]
    assert tally.decoys["advertisement"] == [True]
    assert tally.decoys["season"] == [False]


def test_an_alarm_with_few_of_the_posts_does_not_find_the_term(planted: Trial) -> None:
    own = sorted(next(iter(planted.planted.values())))
    assert not any(
        Tally().week([[Alarm("a corner of it", frozenset(own[:3]))], []], planted).values()
    )


def test_estimates() -> None:
    assert share([True] * 5).value == 1.0
    assert share([]) == MISSING
    assert str(MISSING) == "-"
    none = rate([0, 0, 0])
    assert none.value == none.low == 0.0
    assert none.high == pytest.approx(3.689 / 3, abs=1e-3)  # of a Poisson count of 0
    spread = mean([0.0, 1.0, 1.0, 1.0])
    assert spread.low is not None
    assert spread.low < 0.75 < (spread.high or 0)


def test_overlap_counts_alarms_with_the_same_posts() -> None:
    one = [[Alarm("a", frozenset("xy")), Alarm("b", frozenset("z"))]]
    assert overlap(one, [[Alarm("b", frozenset("z")), Alarm("other name", frozenset("xy"))]]) == 1.0
    assert overlap(one, [[Alarm("a", frozenset("x"))]]) == 0.0
    assert overlap([[]], [[]]) == 1.0


@pytest.mark.parametrize("peer", [nominal, keyness, signitrend, hype])
def test_peers_of_words_find_a_word_that_jumps(peer: ModuleType) -> None:
    found: Found = peer.find(
        window_of({"jump": [1, 0, 2, 1, 1, 0, 2, 1, 30], "level": [20] * 9, "gone": [9] * 8 + [0]})
    )
    assert found[0].name == "jump"
    assert len(found[0].posts) == 30
    assert "level" not in {alarm.name for alarm in found if peer is not hype}
    assert "gone" not in {alarm.name for alarm in found}


def test_signi_trend_by_hand() -> None:
    """A word that always had 10 of 100 posts has no variance: 15 is 5 posts over the mean, or 5 over a noise of one."""
    assert [a.name for a in signitrend.find(window_of({"word": [10] * 8 + [15]}))] == ["word"]
    assert signitrend.find(window_of({"word": [10] * 8 + [12]})) == []


def test_bertrend_rule_by_hand() -> None:
    """Popularity grows with every slice that updates a topic and decays with the square of the slices since."""
    old, vector = (
        bertrend.Signal("old", pa.array([1.0]).to_numpy(), [20.0], 0, frozenset("abcdefgh")),
        pa.array([1.0]).to_numpy(),
    )
    signals = [old]
    bertrend._update(signals, 3, "again", vector, frozenset("xyz"))
    assert signals == [old]
    assert old.popularity == [20.0, 23.0]
    bertrend._update(signals, 3, "other", -vector, frozenset("xyz"))
    assert [signal.name for signal in signals] == ["old", "other"]


def test_a_finder_sees_the_posts_of_each_brand_alone(planted: Trial) -> None:
    seen: list[set[str]] = []

    def find(posts: pa.Table) -> Found:
        seen.append({brand for brands in posts["brands"].to_pylist() for brand in brands})
        return []

    assert finders.alone(find)(planted.table(), ["own", "rival"]) == [[], []]
    assert seen == [{"own"}, {"rival"}]


def test_folate_finds_twelve_posts_and_nothing_else(planted: Trial) -> None:
    found = finders.folate(planted.table(), ["own", "rival"])
    tally = Tally()
    assert sum(tally.week(found, planted).values()) >= 4
    assert sum(tally.false) <= 1
    assert not any(passed for hits in tally.decoys.values() for passed in hits)


def test_a_small_run_prints_every_figure(
    stream: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "DAYS", range(trials.DAYS[3], trials.DAYS[3] + 3))
    options = [
        "--posts",
        "60",
        "--trials",
        "1",
        "--support",
        "10",
        "--peers",
        "light",
        "--daily-trials",
        "1",
        "--json",
    ]
    monkeypatch.setattr("sys.argv", ["emergence", "--stream", str(stream), *options])
    command.main()
    results = json.loads(capsys.readouterr().out)
    assert results["run"]["posts a week"] == 60
    assert list(results["finders"]) == [
        "Folate",
        "nominal p < .05",
        "log-odds keyness",
        "Signi-Trend",
        "hype score",
    ]
    ours, nominal_test = results["finders"]["Folate"], results["finders"]["nominal p < .05"]
    assert ours["same_when_shuffled"]["value"] == 1.0
    assert ours["recall"]["10"]["n"] == trials.PLANTED
    assert set(ours["conditions"]) == set(trials.CONDITIONS)
    assert ours["found_daily"]["n"] == trials.PLANTED
    assert (
        ours["false_alarms_a_brand_week"]["value"]
        < nominal_test["false_alarms_a_brand_week"]["value"]
    )
    printed = render(results["finders"], "a heading")
    assert printed.count("| Folate |") == 6
    assert "| decoys that pass | advertisement |" in printed


def test_events_are_ten_different_weeks() -> None:
    listed = events()
    assert len({event.week for event in listed}) == 10
    assert all(
        date(2021, 1, 1) <= event.day <= date(2025, 5, 12) and event.words for event in listed
    )


def test_a_text_listed_again_is_one_post(tmp_path: Path) -> None:
    path = tmp_path / "titles.tsv"
    path.write_text(
        "time\ttitle\n2024-01-02 00:00:00\t甲\n2024-01-01 00:00:00\t乙\n2024-01-01 01:00:00\t甲\n",
        encoding="utf-8",
    )
    assert [text for _, text in first_listings([path])] == ["乙", "甲"]


def test_a_window_of_events_ends_with_its_week() -> None:
    week = Week(2024, 34)
    start = datetime.combine((week - 8).monday, datetime.min.time(), UTC) - timedelta(
        hours=8
    )  # midnight in Shanghai
    posts = [
        (start - timedelta(seconds=1), "前"),
        (start, "首"),
        (start + timedelta(days=63, seconds=-1), "末"),
        (start + timedelta(days=63), "后"),
    ]
    table = window(posts, week, Segmenter())
    assert list(zip(table["body"].to_pylist(), table["week"].to_pylist(), strict=True)) == [
        ("首", 0),
        ("末", 8),
    ]


def test_an_event_is_known_by_its_words() -> None:
    event = Event("a name", date(2024, 8, 20), ("DeepSeek", "悟空"))
    assert event.named(["deepseek r1"])
    assert event.named(["黑神话悟空"])
    assert not event.named(["神话"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_topic_models_run(planted: Trial) -> None:
    pytest.importorskip("bertopic")
    for finder in finders.heavy().values():
        [found] = finder(planted.table(), [OWN])
        week = {str(p["id"]) for p in planted.posts if int(str(p["day"])) >= LAST}
        assert all(len(alarm.posts) >= 5 and alarm.posts <= week for alarm in found)
