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
from benchmarks.emergence.events import NewsEvent, event_window, load_events, read_first_listings
from benchmarks.emergence.finders import Alarms, FinderAlarm
from benchmarks.emergence.judging import (
    MISSING_ESTIMATE,
    FinderTally,
    alarm_overlap,
    estimate_mean,
    estimate_rate,
    estimate_share,
)
from benchmarks.emergence.peers import bertrend, hype, keyness, nominal, signitrend
from benchmarks.emergence.planting import (
    LAST_WEEK_START,
    OWN_BRAND,
    POST_SCHEMA,
    WINDOW_WEEKS,
    PlantedStream,
    PlantedTerm,
)
from benchmarks.emergence.streams import parse_time, read_dated_texts
from benchmarks.emergence.tables import render_tables
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
def source(stream: Path) -> trials.TrialSource:
    return trials.load_trial_source([stream], posts=80, permuted=True, seed=3)


@pytest.fixture(scope="module")
def planted(source: trials.TrialSource) -> PlantedStream:
    return trials.make_weekly_stream(source, 7, [PlantedTerm(12)] * trials.PLANTED_TERMS)


def window_of(weekly: dict[str, list[int]], size: int = 100) -> pa.Table:
    """A brand's posts: `weekly` says how many of each week's `size` posts hold a word, each by an author of its own."""
    posts = [
        {"id": f"{week}-{number}", "author": f"{week}-{number}", "source": "a", "published_at": datetime(2026, 1, 5, tzinfo=UTC),
         "week": week, "language": "en", "words": ["filler", *(w for w, counts in weekly.items() if number < counts[week])],
         "hashtags": [], "cluster": f"{week}-{number}", "brands": [OWN_BRAND], "body": f"{week} {number}"}
        for week in range(WINDOW_WEEKS) for number in range(size)
    ]  # fmt: skip
    return pa.Table.from_pylist(posts, schema=POST_SCHEMA)


def test_streams_of_several_formats(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text(
        "评论内容,购买时间\n很好用,2020-01-02 03:04:05\n,2020-01-03 00:00:00\n没有时间,\n",
        encoding="utf-8",
    )
    assert read_dated_texts(path) == [(datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), "很好用")]
    assert parse_time("8/16/2016 9:55") == datetime(2016, 8, 16, 9, 55, tzinfo=UTC)
    assert parse_time("2021-03-04T00:30:00+08:00") == datetime(2021, 3, 3, 16, 30, tzinfo=UTC)
    assert parse_time("soon") is None


def test_a_table_without_posts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stars.csv"
    path.write_text("time,stars\n2020-01-02,5\n", encoding="utf-8")
    with pytest.raises(InputError, match="one of text"):
        read_dated_texts(path)


def test_terms_are_planted_as_asked(source: trials.TrialSource) -> None:
    growing = PlantedTerm(20, onset=LAST_WEEK_START - 7, days=14, slope=1.0)
    trial = trials.make_weekly_stream(
        source,
        1,
        [
            growing,
            PlantedTerm(10, authors=5),
            PlantedTerm(10, wordings=1),
            PlantedTerm(8, languages=("zh", "en")),
            PlantedTerm(9),
        ],
    )
    posts = {str(p["id"]): p for p in trial.posts}
    first, few, same, both, plain = trial.planted.values()
    assert [len(days) for days in trial.planted.values()] == [20, 10, 10, 8, 9]
    assert all(
        posts[id_]["day"] == day and posts[id_]["brands"] == [OWN_BRAND]
        for id_, day in first.items()
    )
    assert all(LAST_WEEK_START - 7 <= day < LAST_WEEK_START + 7 for day in first.values())
    assert sum(day >= LAST_WEEK_START for day in first.values()) > 10
    assert len({posts[id_]["author"] for id_ in few}) == 5
    assert {posts[id_]["language"] for id_ in both} == {"zh", "en"}
    assert (
        len({str(posts[id_]["body"])[-4:] for id_ in same})
        <= len({str(posts[id_]["body"])[-4:] for id_ in plain}) + 10
    )


def test_every_decoy_is_there_and_all_weeks_have_the_clauses(planted: PlantedStream) -> None:
    assert set(planted.decoys) == {
        "advertisement",
        "season",
        "weekend",
        "loud author",
        "new source",
    }
    days = {str(p["id"]): int(str(p["day"])) for p in planted.posts}
    assert {days[id_] % 7 for id_ in planted.decoys["weekend"]} == {5, 6}
    assert {days[id_] // 7 for id_ in planted.decoys["weekend"]} == set(range(WINDOW_WEEKS))
    assert not planted.decoys["advertisement"] & set().union(*planted.planted.values())


def test_a_window_ends_on_its_day(source: trials.TrialSource) -> None:
    table = trials.make_daily_stream(source, 2).table()
    for end in (trials.DAILY_RUN_DAYS[0], trials.DAILY_RUN_DAYS[-1]):
        part = trials.window_ending(table, end)
        assert pc.max(part["day"]).as_py() == end
        assert pc.unique(part["week"]).sort().to_pylist() == list(range(WINDOW_WEEKS))
        now = part.filter(pc.equal(part["week"], WINDOW_WEEKS - 1))
        assert pc.min_max(now["day"]).as_py() == {"min": end - 6, "max": end}


def test_alarms_are_judged_by_their_posts(planted: PlantedStream) -> None:
    tally, (term, days) = FinderTally(), next(iter(planted.planted.items()))
    own = sorted(days)
    others = [str(p["id"]) for p in planted.posts if str(p["id"]) not in days and p["day"] == 3]
    alarms = [
        FinderAlarm("half of it is the term", frozenset(own[:6] + others[:6])),
        FinderAlarm("most of it is not", frozenset(own[:5] + others[:6])),
        FinderAlarm("the advertisement", frozenset(planted.decoys["advertisement"])),
    ]
    hits = tally.add_week([alarms, []], planted)
    assert hits == {name: name == term for name in planted.planted}
    assert tally.false_alarms == [2, 0]
    assert tally.precision == [1 / 3]
    assert tally.decoys["advertisement"] == [True]
    assert tally.decoys["season"] == [False]


def test_an_alarm_with_few_of_the_posts_does_not_find_the_term(planted: PlantedStream) -> None:
    own = sorted(next(iter(planted.planted.values())))
    assert not any(
        FinderTally()
        .add_week([[FinderAlarm("a corner of it", frozenset(own[:3]))], []], planted)
        .values()
    )


def test_estimates() -> None:
    assert estimate_share([True] * 5).value == 1.0
    assert estimate_share([]) == MISSING_ESTIMATE
    assert str(MISSING_ESTIMATE) == "-"
    none = estimate_rate([0, 0, 0])
    assert none.value == none.low == 0.0
    assert none.high == pytest.approx(3.689 / 3, abs=1e-3)  # of a Poisson count of 0
    spread = estimate_mean([0.0, 1.0, 1.0, 1.0])
    assert spread.low is not None
    assert spread.low < 0.75 < (spread.high or 0)


def test_overlap_counts_alarms_with_the_same_posts() -> None:
    one = [[FinderAlarm("a", frozenset("xy")), FinderAlarm("b", frozenset("z"))]]
    assert (
        alarm_overlap(
            one, [[FinderAlarm("b", frozenset("z")), FinderAlarm("other name", frozenset("xy"))]]
        )
        == 1.0
    )
    assert alarm_overlap(one, [[FinderAlarm("a", frozenset("x"))]]) == 0.0
    assert alarm_overlap([[]], [[]]) == 1.0


@pytest.mark.parametrize("peer", [nominal, keyness, signitrend, hype])
def test_peers_of_words_find_a_word_that_jumps(peer: ModuleType) -> None:
    found: Alarms = peer.find(
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
    bertrend._update_signals(signals, 3, "again", vector, frozenset("xyz"))
    assert signals == [old]
    assert old.popularity == [20.0, 23.0]
    bertrend._update_signals(signals, 3, "other", -vector, frozenset("xyz"))
    assert [signal.name for signal in signals] == ["old", "other"]


def test_a_finder_sees_the_posts_of_each_brand_alone(planted: PlantedStream) -> None:
    seen: list[set[str]] = []

    def find(posts: pa.Table) -> Alarms:
        seen.append({brand for brands in posts["brands"].to_pylist() for brand in brands})
        return []

    assert finders.run_per_brand(find)(planted.table(), ["own", "rival"]) == [[], []]
    assert seen == [{"own"}, {"rival"}]


def test_folate_finds_twelve_posts_and_nothing_else(planted: PlantedStream) -> None:
    found = finders.find_folate_topics(planted.table(), ["own", "rival"])
    tally = FinderTally()
    assert sum(tally.add_week(found, planted).values()) >= 4
    assert sum(tally.false_alarms) <= 1
    assert not any(passed for hits in tally.decoys.values() for passed in hits)


def test_a_small_run_prints_every_figure(
    stream: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        trials, "DAILY_RUN_DAYS", range(trials.DAILY_RUN_DAYS[3], trials.DAILY_RUN_DAYS[3] + 3)
    )
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
    assert ours["recall"]["10"]["n"] == trials.PLANTED_TERMS
    assert set(ours["conditions"]) == set(trials.CONDITIONS)
    assert ours["found_daily"]["n"] == trials.PLANTED_TERMS
    assert (
        ours["false_alarms_a_brand_week"]["value"]
        < nominal_test["false_alarms_a_brand_week"]["value"]
    )
    printed = render_tables(results["finders"], "a heading")
    assert printed.count("| Folate |") == 6
    assert "| decoys that pass | advertisement |" in printed


def test_events_are_ten_different_weeks() -> None:
    listed = load_events()
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
    assert [text for _, text in read_first_listings([path])] == ["乙", "甲"]


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
    table = event_window(posts, week, Segmenter())
    assert list(zip(table["body"].to_pylist(), table["week"].to_pylist(), strict=True)) == [
        ("首", 0),
        ("末", 8),
    ]


def test_an_event_is_known_by_its_words() -> None:
    event = NewsEvent("a name", date(2024, 8, 20), ("DeepSeek", "悟空"))
    assert event.is_mentioned(["deepseek r1"])
    assert event.is_mentioned(["黑神话悟空"])
    assert not event.is_mentioned(["神话"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_topic_models_run(planted: PlantedStream) -> None:
    pytest.importorskip("bertopic")
    for finder in finders.heavy_finders().values():
        [found] = finder(planted.table(), [OWN_BRAND])
        week = {str(p["id"]) for p in planted.posts if int(str(p["day"])) >= LAST_WEEK_START}
        assert all(len(alarm.posts) >= 5 and alarm.posts <= week for alarm in found)
