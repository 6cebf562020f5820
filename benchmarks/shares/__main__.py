"""Benchmark of the shares of a week by each method: errors, and coverage of the intervals.

Run `python -m benchmarks.shares --posteriors FILE`.

Each domain of FILE (the form of `training.quantify`) is tested with what was fitted on the domains
of the other sets. With `--fitted-on`, it is fitted on that file in place of them. Weeks of 600
posts are drawn at 5 to 50 % negative, the other labels in the domain's own proportion.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.shares.simulate import METHODS, ShareEstimate, simulate_weeks
from nlp.model import model_class_prior
from training.quantify import fit_domain_errors, read_domains

SEED = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shares", description=__doc__)
    parser.add_argument(
        "--posteriors",
        type=Path,
        required=True,
        help="file (.npz) of left-out posteriors and labels",
    )
    parser.add_argument(
        "--fitted-on",
        type=Path,
        help="file (.npz) of other domains to fit on; default: the other sets",
    )
    parser.add_argument("--model", default="", help="model folder (default: the one that ships)")
    options = parser.parse_args()
    calibrated = np.array(model_class_prior(options.model))
    domains = read_domains(options.posteriors)
    fit_domains = read_domains(options.fitted_on) if options.fitted_on else domains
    outcomes: list[ShareEstimate] = []
    for index, domain in enumerate(domains):
        other_domains = fit_domains
        if not options.fitted_on:
            other_domains = [entry for entry in domains if entry.dataset != domain.dataset]
        rng = np.random.Generator(np.random.PCG64(SEED + index))
        errors = fit_domain_errors(other_domains)
        outcomes += simulate_weeks(domain, other_domains, errors, calibrated, rng)
    print(f"{len(domains)} domains of {len({domain.dataset for domain in domains})} sets")
    print(format_table(outcomes))


def format_table(outcomes: Sequence[ShareEstimate]) -> str:
    """Format as plain text: mean error in points (over domains, and over sets), and intervals.

    For the 95 % intervals it has the share that contains the truth, and half of their width.
    """
    lines = [
        f"{'method':28} {'shares':>6} {'error':>6} {'by set':>6} {'coverage':>8} {'half-width':>10}"
    ]
    for method in METHODS:
        estimates = [outcome for outcome in outcomes if outcome.method == method]
        if estimates:
            lines.append(f"{method:28} {_format_line(estimates)}")
    return "\n".join(lines)


def _format_line(estimates: Sequence[ShareEstimate]) -> str:
    errors = np.array([100 * abs(outcome.value - outcome.truth) for outcome in estimates])
    sets = np.array([outcome.dataset for outcome in estimates])
    by_set = np.mean([errors[sets == name].mean() for name in np.unique(sets)])
    bounds = [(outcome.low, outcome.truth, outcome.high) for outcome in estimates]
    intervals = [
        (low, truth, high) for low, truth, high in bounds if low is not None and high is not None
    ]
    coverage = ""
    width = ""
    if intervals:
        # rounded as they are printed
        is_covered = [
            round(low, 3) <= round(truth, 3) <= round(high, 3) for low, truth, high in intervals
        ]
        coverage = f"{100 * np.mean(is_covered):.0f} %"
        width = f"{50 * np.mean([high - low for low, _, high in intervals]):.1f}"
    return f"{len(estimates):6} {errors.mean():6.1f} {by_set:6.1f} {coverage:>8} {width:>10}"


if __name__ == "__main__":
    main()
