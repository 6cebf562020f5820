"""The folate test itself: planting, evaluation by posts, the peers, and a small run."""

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
    *("天气", "电影", "公园", "火车", "学校", "作业", "球赛", "音乐"),
    *("房租", "老师", "医院", "旅行", "菜市场", "邻居", "同学", "下班"),
]
EN = [
    *("weather", "movie", "park", "train", "school", "match", "music"),
    *("rent", "teacher", "hospital", "holiday", "market", "garden", "office"),
]
SHANGHAI_OFFSET = timedelta(hours=8)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 3,000 made-up posts over 100 days, half of them Chinese."""
    random = Random(5)
    path = tmp_path_factory.mktemp("stream") / "posts.csv"
    start = datetime(2024, 1, 1, tzinfo=UTC)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["created_at", "Title"])
        for number in range(3000):
            words = random.sample(ZH if number % 2 else EN, 7)
            text = ("，" if number % 2 else " ").join(words) + f" {number}"
            published_at = start + timedelta(hours=number * 0.8)
            writer.writerow([published_at.isoformat(), text])
    return path


@pytest.fixture(scope="module")
def source(stream: Path) -> trials.TrialSource:
    return trials.load_trial_source([stream], posts=80, permuted=True, seed=3)


@pytest.fixture(scope="module")
def planted(source: trials.TrialSource) -> PlantedStream:
    return trials.make_weekly_stream(source, 7, [PlantedTerm(12)] * trials.PLANTED_TERMS)


def make_window(weekly: dict[str, list[int]], size: int = 100) -> pa.Table:
    """Make a brand's posts, each by an author of its own.

    `weekly` is the number of posts with a word, of the `size` posts of each week.
    """
    posts = []
    for week in range(WINDOW_WEEKS):
        for number in range(size):
            post_id = f"{week}-{number}"
            words = [word for word, counts in weekly.items() if number < counts[week]]
            posts.append(
                {
                    "id": post_id,
                    "author": post_id,
                    "source": "a",
                    "published_at": datetime(2026, 1, 5, tzinfo=UTC),
                    "week": week,
                    "language": "en",
                    "words": ["filler", *words],
                    "hashtags": [],
                    "cluster": post_id,
                    "brands": [OWN_BRAND],
                    "body": f"{week} {number}",
                }
            )
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
    terms = [
        PlantedTerm(20, onset=LAST_WEEK_START - 7, days=14, slope=1.0),
        PlantedTerm(10, authors=5),
        PlantedTerm(10, wordings=1),
        PlantedTerm(8, languages=("zh", "en")),
        PlantedTerm(9),
    ]
    trial = trials.make_weekly_stream(source, 1, terms)
    posts = {str(post["id"]): post for post in trial.posts}
    growing, few_authors, one_wording, bilingual, plain = trial.planted.values()
    assert [len(days) for days in trial.planted.values()] == [20, 10, 10, 8, 9]
    for post_id, day in growing.items():
        assert posts[post_id]["day"] == day
        assert posts[post_id]["brands"] == [OWN_BRAND]
        assert LAST_WEEK_START - 7 <= day < LAST_WEEK_START + 7
    assert sum(day >= LAST_WEEK_START for day in growing.values()) > 10
    assert len({posts[post_id]["author"] for post_id in few_authors}) == 5
    assert {posts[post_id]["language"] for post_id in bilingual} == {"zh", "en"}
    one_wording_endings = {str(posts[post_id]["body"])[-4:] for post_id in one_wording}
    plain_endings = {str(posts[post_id]["body"])[-4:] for post_id in plain}
    assert len(one_wording_endings) <= len(plain_endings) + 10


def test_every_decoy_is_there_and_all_weeks_have_the_clauses(planted: PlantedStream) -> None:
    assert set(planted.decoys) == {
        "advertisement",
        "season",
        "weekend",
        "loud author",
        "new source",
    }
    day_by_id = {str(post["id"]): int(str(post["day"])) for post in planted.posts}
    weekend_days = [day_by_id[post_id] for post_id in planted.decoys["weekend"]]
    assert {day % 7 for day in weekend_days} == {5, 6}
    assert {day // 7 for day in weekend_days} == set(range(WINDOW_WEEKS))
    assert not planted.decoys["advertisement"] & set().union(*planted.planted.values())


def test_a_window_ends_on_its_day(source: trials.TrialSource) -> None:
    table = trials.make_daily_stream(source, 2).table()
    for end in (trials.DAILY_RUN_DAYS[0], trials.DAILY_RUN_DAYS[-1]):
        window = trials.window_ending(table, end)
        assert pc.max(window["day"]).as_py() == end
        assert pc.unique(window["week"]).sort().to_pylist() == list(range(WINDOW_WEEKS))
        last_week = window.filter(pc.equal(window["week"], WINDOW_WEEKS - 1))
        assert pc.min_max(last_week["day"]).as_py() == {"min": end - 6, "max": end}


def test_alarms_are_judged_by_their_posts(planted: PlantedStream) -> None:
    tally = FinderTally()
    term, days = next(iter(planted.planted.items()))
    term_posts = sorted(days)
    other_posts = [
        str(post["id"])
        for post in planted.posts
        if str(post["id"]) not in days and post["day"] == 3
    ]
    alarms = [
        FinderAlarm("half of it is the term", frozenset(term_posts[:6] + other_posts[:6])),
        FinderAlarm("most of it is not", frozenset(term_posts[:5] + other_posts[:6])),
        FinderAlarm("the advertisement", frozenset(planted.decoys["advertisement"])),
    ]
    hits = tally.add_week([alarms, []], planted)
    assert hits == {name: name == term for name in planted.planted}
    assert tally.false_alarms == [2, 0]
    assert tally.precision == [1 / 3]
    assert tally.decoys["advertisement"] == [True]
    assert tally.decoys["season"] == [False]


def test_an_alarm_with_few_of_the_posts_does_not_find_the_term(planted: PlantedStream) -> None:
    term_posts = sorted(next(iter(planted.planted.values())))
    alarm = FinderAlarm("a corner of it", frozenset(term_posts[:3]))
    hits = FinderTally().add_week([[alarm], []], planted)
    assert not any(hits.values())


def test_estimates() -> None:
    assert estimate_share([True] * 5).value == 1.0
    assert estimate_share([]) == MISSING_ESTIMATE
    assert str(MISSING_ESTIMATE) == "-"
    rate = estimate_rate([0, 0, 0])
    assert rate.value == rate.low == 0.0
    assert rate.high == pytest.approx(3.689 / 3, abs=1e-3)  # of a Poisson count of 0
    mean = estimate_mean([0.0, 1.0, 1.0, 1.0])
    assert mean.low is not None
    assert mean.low < 0.75 < (mean.high or 0)


def test_overlap_counts_alarms_with_the_same_posts() -> None:
    alarms = [[FinderAlarm("a", frozenset("xy")), FinderAlarm("b", frozenset("z"))]]
    renamed = [[FinderAlarm("b", frozenset("z")), FinderAlarm("other name", frozenset("xy"))]]
    assert alarm_overlap(alarms, renamed) == 1.0
    assert alarm_overlap(alarms, [[FinderAlarm("a", frozenset("x"))]]) == 0.0
    assert alarm_overlap([[]], [[]]) == 1.0


@pytest.mark.parametrize("peer", [nominal, keyness, signitrend, hype])
def test_peers_of_words_find_a_word_that_jumps(peer: ModuleType) -> None:
    weekly = {"jump": [1, 0, 2, 1, 1, 0, 2, 1, 30], "level": [20] * 9, "gone": [9] * 8 + [0]}
    alarms: Alarms = peer.find(make_window(weekly))
    assert alarms[0].name == "jump"
    assert len(alarms[0].posts) == 30
    assert "level" not in {alarm.name for alarm in alarms if peer is not hype}
    assert "gone" not in {alarm.name for alarm in alarms}


def test_signi_trend_by_hand() -> None:
    """A word that always had 10 of 100 posts has no variance: 15 posts are 5 over the mean.

    Divided by the background noise of one post that is a significance of 5.
    """
    assert [a.name for a in signitrend.find(make_window({"word": [10] * 8 + [15]}))] == ["word"]
    assert signitrend.find(make_window({"word": [10] * 8 + [12]})) == []


def test_bertrend_rule_by_hand() -> None:
    """Popularity grows with every slice that updates a topic."""
    vector = pa.array([1.0]).to_numpy()
    old = bertrend.Signal("old", vector, [20.0], 0, frozenset("abcdefgh"))
    signals = [old]
    bertrend._update_signals(signals, 3, "again", vector, frozenset("xyz"))
    assert signals == [old]
    assert old.popularity == [20.0, 23.0]
    bertrend._update_signals(signals, 3, "other", -vector, frozenset("xyz"))
    assert [signal.name for signal in signals] == ["old", "other"]


def test_a_finder_sees_the_posts_of_each_brand_alone(planted: PlantedStream) -> None:
    brands_by_call: list[set[str]] = []

    def find(posts: pa.Table) -> Alarms:
        brands_by_call.append(set().union(*posts["brands"].to_pylist()))
        return []

    assert finders.run_per_brand(find)(planted.table(), ["own", "rival"]) == [[], []]
    assert brands_by_call == [{"own"}, {"rival"}]


def test_folate_finds_twelve_posts_and_nothing_else(planted: PlantedStream) -> None:
    alarms = finders.find_folate_topics(planted.table(), ["own", "rival"])
    tally = FinderTally()
    assert sum(tally.add_week(alarms, planted).values()) >= 4
    assert sum(tally.false_alarms) <= 1
    assert not any(passed for hits in tally.decoys.values() for passed in hits)


def test_a_small_run_prints_every_figure(
    stream: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first_day = trials.DAILY_RUN_DAYS[3]
    monkeypatch.setattr(trials, "DAILY_RUN_DAYS", range(first_day, first_day + 3))
    options = [
        *("--posts", "60"),
        *("--trials", "1"),
        *("--support", "10"),
        *("--peers", "light"),
        *("--daily-trials", "1"),
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
    folate = results["finders"]["Folate"]
    nominal_test = results["finders"]["nominal p < .05"]
    assert folate["same_when_shuffled"]["value"] == 1.0
    assert folate["recall"]["10"]["n"] == trials.PLANTED_TERMS
    assert set(folate["conditions"]) == set(trials.CONDITIONS)
    assert folate["found_daily"]["n"] == trials.PLANTED_TERMS
    assert (
        folate["false_alarms_a_brand_week"]["value"]
        < nominal_test["false_alarms_a_brand_week"]["value"]
    )
    tables = render_tables(results["finders"], "a heading")
    assert tables.count("| Folate |") == 6
    assert "| decoys that pass | advertisement |" in tables


def test_events_are_ten_different_weeks() -> None:
    events = load_events()
    assert len({event.week for event in events}) == 10
    for event in events:
        assert date(2021, 1, 1) <= event.day <= date(2025, 5, 12)
        assert event.words


def test_a_text_listed_again_is_one_post(tmp_path: Path) -> None:
    path = tmp_path / "titles.tsv"
    path.write_text(
        "time\ttitle\n2024-01-02 00:00:00\t甲\n2024-01-01 00:00:00\t乙\n2024-01-01 01:00:00\t甲\n",
        encoding="utf-8",
    )
    assert [text for _, text in read_first_listings([path])] == ["乙", "甲"]


def test_a_window_of_events_ends_with_its_week() -> None:
    week = Week(2024, 34)
    first_midnight = datetime.combine((week - 8).monday, datetime.min.time(), UTC)
    start = first_midnight - SHANGHAI_OFFSET
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
        [alarms] = finder(planted.table(), [OWN_BRAND])
        last_week = {
            str(post["id"]) for post in planted.posts if int(str(post["day"])) >= LAST_WEEK_START
        }
        assert all(len(alarm.posts) >= 5 and alarm.posts <= last_week for alarm in alarms)
