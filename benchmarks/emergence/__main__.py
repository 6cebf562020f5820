"""The folate test: terms planted into a real stream, sought by Folate and its peers.

    python -m benchmarks.emergence --stream FILE [--stream FILE ...]

docs/benchmark.md says what is planted and how alarms are judged.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from time import process_time

import pyarrow as pa

from benchmarks.emergence import finders, trials
from benchmarks.emergence.finders import Alarms, Finder
from benchmarks.emergence.judging import FinderTally, is_recalled
from benchmarks.emergence.planting import OWN_BRAND, RIVAL_BRAND, PlantedStream, PlantedTerm
from benchmarks.emergence.streams import existing_file
from benchmarks.emergence.tables import render_tables
from folate.core.progress import track_items

FindersByName = Mapping[str, tuple[Finder, Sequence[str]]]
"""Name -> finder and the brands that it is run on."""

# Posts of the planted terms in the stream that is also run in another order.
SHUFFLED_SUPPORT = 10
# The post of a term to whose day the first alarm of the daily run is compared.
TENTH_POST = 9


def main() -> None:
    """Run the benchmark and print its results."""
    options = _parse_options()
    source = trials.load_trial_source(
        options.stream, options.posts, options.order == "permuted", options.seed
    )
    tallies: dict[str, FinderTally] = defaultdict(FinderTally)
    for number in track_items(range(options.trials), "trials", unit="trial"):
        _run_trial(options, source, number, tallies)
    results = {name: tally.summary() for name, tally in tallies.items()}
    run_settings = {
        "streams": [f"{path.parent.name}/{path.name}" for path in options.stream],
        "order": options.order,
        "posts a week": options.posts,
        "seed": options.seed,
        "trials": options.trials,
        "of heavy peers": min(options.heavy_trials, options.trials),
    }
    if options.json:
        print(json.dumps({"run": run_settings, "finders": results}, indent=1))
    else:
        print(render_tables(results, _render_heading(run_settings)))


def _run_trial(
    options: argparse.Namespace,
    source: trials.TrialSource,
    number: int,
    tallies: dict[str, FinderTally],
) -> None:
    """Run every finder on all streams of one trial."""
    seed = 1000 * options.seed + number
    compared = _select_finders(options, heavy=number < options.heavy_trials)
    _run_last_week(tallies, compared, trials.make_weekly_stream(source, seed, []))
    for support in options.support:
        plants = [PlantedTerm(support)] * trials.PLANTED_TERMS
        trial = trials.make_weekly_stream(source, seed, plants)
        shuffle = support == SHUFFLED_SUPPORT
        for tally, hits in _run_last_week(tallies, compared, trial, shuffle=shuffle):
            tally.recall[str(support)] += hits.values()
            for concept, hit in hits.items():
                tally.languages[trial.languages[concept]].append(hit)
    trial = trials.make_weekly_stream(source, seed, list(trials.CONDITIONS.values()))
    for tally, hits in _run_last_week(tallies, compared, trial):
        for condition, hit in zip(trials.CONDITIONS, hits.values(), strict=True):
            tally.conditions[condition].append(hit)
    if number < options.daily_trials:
        daily = compared if options.heavy_days else _select_finders(options, heavy=False)
        _run_days(tallies, daily, trials.make_daily_stream(source, seed))


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.emergence", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--stream",
        type=existing_file,
        action="append",
        required=True,
        help="CSV or TSV of dated posts; give it again to pool",
    )
    parser.add_argument(
        "--order",
        choices=("permuted", "dated"),
        default="permuted",
        help="permuted: only what was planted is news",
    )
    parser.add_argument(
        "--peers",
        choices=("none", "light", "all"),
        default="all",
        help="light: without topic models",
    )
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument(
        "--heavy-trials",
        type=int,
        default=1,
        help="of them with the peers that fit topic models, on our brand alone",
    )
    parser.add_argument("--daily-trials", type=int, default=3, help="of them with a run a day")
    parser.add_argument(
        "--heavy-days", action="store_true", help="run topic models daily, too: minutes a trial"
    )
    parser.add_argument(
        "--support", type=int, nargs="+", default=[5, 10, 20, 40], help="posts of a planted term"
    )
    parser.add_argument("--posts", type=int, default=1500, help="a week")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    return parser.parse_args()


def _select_finders(options: argparse.Namespace, heavy: bool) -> FindersByName:
    """Return the finders to run: light ones on both brands, heavy ones on the own brand."""
    selected: dict[str, tuple[Finder, Sequence[str]]] = {}
    for name, finder in finders.light_finders().items():
        if options.peers != "none" or name == "Folate":
            selected[name] = (finder, (OWN_BRAND, RIVAL_BRAND))
    if options.peers == "all" and heavy:
        for name, finder in finders.heavy_finders().items():
            selected[name] = (finder, (OWN_BRAND,))
    return selected


def _run_last_week(
    tallies: dict[str, FinderTally],
    compared: FindersByName,
    trial: PlantedStream,
    shuffle: bool = False,
) -> list[tuple[FinderTally, dict[str, bool]]]:
    """Run every finder on the last week of a stream.

    `shuffle` also runs it on the same posts in another order. Returns each tally with whether the
    finder found each planted term.
    """
    table = trial.table()
    results = []
    for name, (finder, brands) in compared.items():
        tally = tallies[name]
        alarms = _run_timed(tally, finder, table, brands)
        results.append((tally, tally.add_week(alarms, trial)))
        if shuffle:
            shuffled = trials.shuffle_posts(table, table.num_rows)
            tally.add_shuffled_run(alarms, finder(shuffled, brands))
    return results


def _run_days(
    tallies: dict[str, FinderTally], compared: FindersByName, trial: PlantedStream
) -> None:
    """Run every finder on the seven days up to each day.

    Counts the days from the first alarm about a term to the term's tenth post.
    """
    table = trial.table()
    first_alarm_day: dict[tuple[str, str], int] = {}
    for end in trials.DAILY_RUN_DAYS:
        window = trials.window_ending(table, end)
        planted = {
            concept: frozenset(post_id for post_id, day in days.items() if end - 7 < day <= end)
            for concept, days in trial.planted.items()
        }
        for name, (finder, brands) in compared.items():
            alarms = _run_timed(tallies[name], finder, window, brands)
            tallies[name].add_day(alarms, planted)
            for concept, posts in planted.items():
                if posts and is_recalled(alarms[0], posts):
                    first_alarm_day.setdefault((name, concept), end)
    for name in compared:
        for concept, days in trial.planted.items():
            alarm_day = first_alarm_day.get((name, concept))
            tenth_post_day = sorted(days.values())[TENTH_POST]
            lead = None if alarm_day is None else tenth_post_day - alarm_day
            tallies[name].lead_days.append(lead)


def _run_timed(
    tally: FinderTally, finder: Finder, table: pa.Table, brands: Sequence[str]
) -> list[Alarms]:
    """Run a finder and add its CPU seconds to the tally."""
    started = process_time()
    alarms = finder(table, brands)
    tally.seconds.append(process_time() - started)
    return alarms


def _render_heading(run_settings: Mapping[str, object]) -> str:
    settings = []
    for name, value in run_settings.items():
        settings.append(f"{name} {', '.join(value) if isinstance(value, list) else value}")
    return "; ".join(settings)


if __name__ == "__main__":
    main()
