"""`python -m benchmarks.shares --data DIR`: error and coverage of the negative share of a week, by each method, in one run.

Weeks of 1,000 posts are drawn at 5, 20 and 50 % negative from labelled texts that training never saw: of sets whose other texts it
did see (only the mix of labels shifts), and of sets that it never saw (how labels are written shifts too).
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.shares.domains import calibrated_under, domains
from benchmarks.shares.simulate import METHODS, Outcome, error_of_emq, simulate
from nlp.statistics import wilson

SEED = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shares", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--model", default="", help="model folder (default: the one that ships)")
    parser.add_argument("--limit", type=int, default=400, help="labelled texts of a set at most")
    parser.add_argument("--weeks", type=int, default=10, help="simulated weeks of a set and share")
    parser.add_argument("--cache", type=Path, help="file (.npz) that keeps what the model said")
    options = parser.parse_args()
    start = time.perf_counter()
    found, prior, rng = domains(options.data, options.model, options.limit, options.cache), calibrated_under(options.model), _rng()
    print(
        f"{len(found)} sets read in {time.perf_counter() - start:.0f} s; not trained on: {', '.join(d.name for d in found if not d.known)}"
    )
    errors = {domain.name: error_of_emq(domain, prior, options.weeks, rng) for domain in found}
    print("error (rms) of EMQ by set: " + ", ".join(f"{name} {100 * error:.1f}" for name, error in errors.items()))
    outcomes: list[Outcome] = []
    for domain in found:
        others = [error for name, error in errors.items() if name != domain.name]
        outcomes += simulate(domain, prior, options.weeks, float(np.median(others)) if others else 0.0, rng)
    print(table(outcomes))
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)


def _rng() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(SEED))


GROUPS: tuple[tuple[str, Callable[[Outcome], bool]], ...] = (
    ("sets trained on, shifted mix", lambda one: one.known),
    ("sets not trained on, shifted mix", lambda one: not one.known),
    ("sets not trained on, 5 % negative", lambda one: not one.known and one.truth == 0.05),
)


def table(outcomes: Sequence[Outcome]) -> str:
    """Plain text: error of the share in points, how many 95 % intervals hold the truth (with Wilson's interval), their width in points."""
    lines = []
    for name, belongs in GROUPS:
        chosen = [one for one in outcomes if belongs(one)]
        sets = len({one.domain for one in chosen})
        lines += [f"\n{name}: {sets} sets", f"{'method':36} {'weeks':>6} {'mean error':>10} {'coverage':>9} {'':>13} {'width':>6}"]
        lines += [_line(method, [one for one in chosen if one.method == method]) for method in METHODS]
    return "\n".join(lines)


def _line(method: str, outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return f"{method:36} {0:6}"
    held = sum(one.low <= one.truth <= one.high for one in outcomes)
    low, high = wilson(held, len(outcomes))
    error, width = (100 * float(np.mean(x)) for x in ([abs(o.value - o.truth) for o in outcomes], [o.high - o.low for o in outcomes]))
    share = f"{100 * held / len(outcomes):.1f} %"
    return f"{method:36} {len(outcomes):6} {error:10.1f} {share:>9} {f'{100 * low:.1f} to {100 * high:.1f}':>13} {width:6.1f}"


if __name__ == "__main__":
    main()
