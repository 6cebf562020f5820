"""Benchmark of reports: their shares, changes and intervals compared with labels of people.

Run `python -m benchmarks.truth --data DIR`.

Brands and products of sets that no training ever sees become projects of Folate, made with its own
commands: six weeks each, whose negative share shifts from 5 to 60 %. docs/truth.md has the figures.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.truth.compare import ChangeEstimate, MeasureEstimate, rank_correlations
from benchmarks.truth.sets import load_trades
from benchmarks.truth.tables import render_tables
from benchmarks.truth.trial import compare_trade
from folate.cli.progress import enable_progress_bars
from folate.core.progress import track_items


def main() -> None:
    """Run the comparison and print its tables."""
    options = _parse_options()
    enable_progress_bars()
    start = time.perf_counter()
    chosen = [trade for trade in load_trades(options.data) if options.trade in (None, trade.name)]
    with (
        _open_work_folder(options.work) as work,
        ProcessPoolExecutor(options.jobs, get_context("spawn")) as pool,
    ):
        compare = partial(compare_trade, work=work, seed=options.seed, threads=1)
        comparisons = pool.map(compare, chosen)
        estimates: list[MeasureEstimate] = []
        for trade_estimates in track_items(comparisons, "trades", total=len(chosen), unit="trade"):
            estimates += trade_estimates
    ranked = list(rank_correlations(estimates))
    print(render_tables(estimates, ranked))
    if options.json:
        rows = [
            {"kind": "change" if isinstance(estimate, ChangeEstimate) else "level"}
            | asdict(estimate)
            for estimate in estimates
        ]
        document = {
            "seed": options.seed,
            "estimates": rows,
            "rankings": [asdict(ranking) for ranking in ranked],
        }
        options.json.write_text(
            json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
    spent = os.times()
    busy = spent.user + spent.system + spent.children_user + spent.children_system
    sys.stderr.write(f"{time.perf_counter() - start:.0f} s, {busy:.0f} s of processor time\n")


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.truth", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument(
        "--work", type=Path, help="folder that keeps the projects: what was annotated is not again"
    )
    parser.add_argument("--trade", help="one trade only")
    parser.add_argument("--seed", type=int, default=1, help="another seed draws other weeks")
    parser.add_argument(
        "--jobs", type=int, default=2, help="processes, each on a thread of its own"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure there, too")
    return parser.parse_args()


@contextmanager
def _open_work_folder(work: Path | None) -> Iterator[Path]:
    """Yield the folder `work`, or a temporary one that is deleted at the end."""
    if work:
        work.mkdir(parents=True, exist_ok=True)
        yield work
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)


if __name__ == "__main__":
    main()
