"""The folate test: terms planted into a real stream, sought by Folate and by its peers in the same run.

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
from folate.cli.progress import enable_progress_bars
from folate.core.progress import track_items

FindersByName = Mapping[str, tuple[Finder, Sequence[str]]]  # and the brands that it is run on


def main() -> None:
    options = _options()
    enable_progress_bars()
    source = trials.load_trial_source(
        options.stream, options.posts, options.order == "permuted", options.seed
    )
    tallies: dict[str, FinderTally] = defaultdict(FinderTally)
    for number in track_items(range(options.trials), "trials", unit="trial"):
        seed = 1000 * options.seed + number
        compared = _finders(options, heavy=number < options.heavy_trials)
        _week(tallies, compared, trials.make_weekly_stream(source, seed, []))
        for support in options.support:
            trial = trials.make_weekly_stream(
                source, seed, [PlantedTerm(support)] * trials.PLANTED_TERMS
            )
            for tally, hits in _week(tallies, compared, trial, shuffle=support == 10):
                tally.recall[str(support)] += hits.values()
                for concept, hit in hits.items():
                    tally.languages[trial.languages[concept]].append(hit)
        for tally, hits in _week(
            tallies,
            compared,
            trials.make_weekly_stream(source, seed, list(trials.CONDITIONS.values())),
        ):
            for condition, hit in zip(trials.CONDITIONS, hits.values(), strict=True):
                tally.conditions[condition].append(hit)
        if number < options.daily_trials:
            _days(
                tallies,
                compared if options.heavy_days else _finders(options, heavy=False),
                trials.make_daily_stream(source, seed),
            )
    results = {name: tally.summary() for name, tally in tallies.items()}
    what = {"streams": [f"{p.parent.name}/{p.name}" for p in options.stream], "order": options.order, "posts a week": options.posts,
            "seed": options.seed, "trials": options.trials, "of heavy peers": min(options.heavy_trials, options.trials)}  # fmt: skip
    print(
        json.dumps({"run": what, "finders": results}, indent=1)
        if options.json
        else render_tables(results, _heading(what))
    )


def _options() -> argparse.Namespace:
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


def _finders(options: argparse.Namespace, heavy: bool) -> FindersByName:
    light = {
        name: (find, (OWN_BRAND, RIVAL_BRAND))
        for name, find in finders.light_finders().items()
        if options.peers != "none" or name == "Folate"
    }
    if options.peers != "all" or not heavy:
        return light
    return light | {name: (find, (OWN_BRAND,)) for name, find in finders.heavy_finders().items()}


def _week(
    tallies: dict[str, FinderTally],
    compared: FindersByName,
    trial: PlantedStream,
    shuffle: bool = False,
) -> list[tuple[FinderTally, dict[str, bool]]]:
    """Runs every finder on the last week of a stream; which planted terms each of them found."""
    table, hits = trial.table(), []
    for name, (finder, brands) in compared.items():
        tally = tallies[name]
        found = _timed(tally, finder, table, brands)
        hits.append((tally, tally.add_week(found, trial)))
        if shuffle:
            tally.add_shuffled_run(
                found, finder(trials.shuffle_posts(table, table.num_rows), brands)
            )
    return hits


def _days(tallies: dict[str, FinderTally], compared: FindersByName, trial: PlantedStream) -> None:
    """Looks back on seven days each day, and counts the days from the first alarm about a term to its tenth post."""
    table = trial.table()
    first: dict[tuple[str, str], int] = {}
    for end in trials.DAILY_RUN_DAYS:
        window = trials.window_ending(table, end)
        planted = {
            name: frozenset(id_ for id_, day in days.items() if end - 7 < day <= end) for name, days in trial.planted.items()
        }  # fmt: skip
        for name, (finder, brands) in compared.items():
            found = _timed(tallies[name], finder, window, brands)
            tallies[name].add_day(found, planted)
            for term, posts in planted.items():
                if posts and is_recalled(found[0], posts):
                    first.setdefault((name, term), end)
    for name in compared:
        for term, days in trial.planted.items():
            found_on, tenth = first.get((name, term)), sorted(days.values())[9]
            tallies[name].lead_days.append(None if found_on is None else tenth - found_on)


def _timed(
    tally: FinderTally, finder: Finder, table: pa.Table, brands: Sequence[str]
) -> list[Alarms]:
    started = process_time()
    found = finder(table, brands)
    tally.seconds.append(process_time() - started)
    return found


def _heading(what: dict[str, object]) -> str:
    return "; ".join(
        f"{key} {', '.join(value) if isinstance(value, list) else value}"
        for key, value in what.items()
    )


if __name__ == "__main__":
    main()
