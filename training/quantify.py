"""`python -m training.quantify --posteriors FILE --model DIR`: measure how wrong shares are in domains left out of training.

FILE is an .npz with, for each domain, `NAME|c` (n, 3) posteriors as the report uses them and
`NAME|y` (n,) labels 0, 1, 2 for negative, neutral, positive. The first word of a name is the set
that a domain belongs to (`entity Google`, `entity Nvidia`): a set counts with the square root of
its domains. Weeks of other prevalence are drawn from each domain. Writes `domains.json` into DIR.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from nlp.stats.domains import DomainErrors, Matrix, mean_uncertainty
from nlp.stats.estimation import Floats, Ints, sharpen_posteriors

SHARPNESS_CANDIDATES = (
    1.0,
    1.5,
    2.0,
    3.0,
    4.0,
)  # to choose from; beyond lies the counting of labels
NEGATIVE_SHARES = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6)  # shares of the weeks that are drawn
POSTS_PER_WEEK = 300  # of such a week
STUDENT_T_DF = (
    4.0  # of Student's t: of 0 (normal) and 4, the one whose intervals held 95 % on sets left out
)
MIN_SHARE_CHANGE, MAX_SHARE_CHANGE = (
    0.03,
    0.3,
)  # of a share between two weeks that gains are taken from
WEEKS_APART = 8  # a brand drifts in so many weeks as far as two brands of a set differ
_RIDGE = 1e-5  # added to the variances, proportions squared


@dataclass(frozen=True)
class LabelledDomain:
    """One domain of labelled texts that the model never saw."""

    name: str
    posteriors: Floats  # (n, 3)
    labels: Ints  # (n,)

    @property
    def dataset(self) -> str:
        return self.name.split()[0]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.quantify", description=__doc__)
    parser.add_argument(
        "--posteriors",
        type=Path,
        required=True,
        help="file (.npz) of left-out posteriors and labels",
    )
    parser.add_argument(
        "--model", type=Path, required=True, help="model folder, which domains.json is written to"
    )
    options = parser.parse_args()
    domains = read_domains(options.posteriors)
    fitted = fit_domain_errors(domains)
    fitted.save(options.model)
    print(fitted)


def read_domains(path: Path) -> list[LabelledDomain]:
    """Read the domains of an .npz, by name."""
    stored = np.load(path)
    names = sorted({key.split("|")[0] for key in stored})
    return [
        LabelledDomain(name, clip_posteriors(stored[f"{name}|c"]), stored[f"{name}|y"])
        for name in names
    ]


def clip_posteriors(posteriors: Floats) -> Floats:
    """Posteriors (n, 3) none of which is 0, each row summing to 1."""
    positive = np.clip(posteriors, 1e-6, 1)
    return np.asarray(positive / positive.sum(axis=1, keepdims=True))


def fit_domain_errors(domains: Sequence[LabelledDomain]) -> DomainErrors:
    """Fit the quantifier's sharpness and what is left of its error."""
    weights = dataset_weights(domains)
    weeks = [list(draw_domain_weeks(domain)) for domain in domains]
    truths = [np.array([label_shares(labels) for _, labels in drawn]) for drawn in weeks]
    estimates = {
        sharpness: [_estimates(drawn, sharpness) for drawn in weeks]
        for sharpness in SHARPNESS_CANDIDATES
    }
    sharpness = min(
        SHARPNESS_CANDIDATES, key=lambda each: _mean_error(truths, estimates[each], weights)
    )
    errors = [
        truth - estimate for truth, estimate in zip(truths, estimates[sharpness], strict=True)
    ]
    doubts = [
        np.array([mean_uncertainty(posteriors) for posteriors, _ in drawn]) for drawn in weeks
    ]
    relative = [error / doubtful[:, None] for error, doubtful in zip(errors, doubts, strict=True)]
    sets = len({domain.dataset for domain in domains})
    gain, spread = _gain(truths, estimates[sharpness], weights)
    return DomainErrors(
        sharpness=sharpness, gain=gain, gain_spread=spread, error=_second_moment(relative, weights, sets), tail=STUDENT_T_DF,
        drift=_drift(domains, errors), domains=len(domains),
    )  # fmt: skip


def dataset_weights(domains: Sequence[LabelledDomain]) -> Floats:
    """Weight of each domain: together, those of a set weigh the square root of their number."""
    sets = [domain.dataset for domain in domains]
    return np.array([sets.count(name) ** -0.5 for name in sets])


def draw_domain_weeks(domain: LabelledDomain) -> Iterator[tuple[Floats, Ints]]:
    """Posteriors and labels of weeks drawn at each share of NEGATIVE, and of the domain as it is."""
    rng = np.random.Generator(np.random.PCG64(1))
    yield domain.posteriors, domain.labels
    for negative in NEGATIVE_SHARES:
        rows = draw_rows(domain.labels, negative, POSTS_PER_WEEK, rng)
        yield domain.posteriors[rows], domain.labels[rows]


def draw_rows(labels: Ints, negative_share: float, posts: int, rng: np.random.Generator) -> Ints:
    """Draw rows with this share of negative, the other labels in their own proportion. A class nobody has stays empty."""
    mix = np.bincount(labels, minlength=3).astype(float)
    mix[1:] *= (1 - negative_share) / mix[1:].sum()
    mix[0] = negative_share
    counts = np.floor(mix * posts + 0.5).astype(int)
    return np.concatenate(
        [
            rng.choice(np.flatnonzero(labels == at), count)
            for at, count in enumerate(counts)
            if count
        ]
    )


def label_shares(labels: Ints) -> Floats:
    """Shares (3,) of the labels."""
    return np.asarray(np.bincount(labels, minlength=3) / len(labels))


def _estimates(drawn: Sequence[tuple[Floats, Ints]], sharpness: float) -> Floats:
    """Quantify each of some weeks: (weeks, 3)."""
    return np.array(
        [sharpen_posteriors(posteriors, sharpness).mean(axis=0) for posteriors, _ in drawn]
    )


def _mean_error(truths: Sequence[Floats], estimates: Sequence[Floats], weights: Floats) -> float:
    errors = [
        np.abs(truth - estimate).mean() for truth, estimate in zip(truths, estimates, strict=True)
    ]
    return float(np.average(errors, weights=weights))


def _second_moment(errors: Sequence[Floats], weights: Floats, sets: int) -> Matrix:
    """Mean product (2, 2) of the errors of negative and positive, as it is to be expected of a further set: times 1 + 1 / sets."""
    moments = [each[:, [0, 2]].T @ each[:, [0, 2]] / len(each) for each in errors]
    return _matrix(np.average(moments, axis=0, weights=weights) * (1 + 1 / sets))


def _gain(
    truths: Sequence[Floats], estimates: Sequence[Floats], weights: Floats
) -> tuple[float, float]:
    """Geometric mean over domains of the slope of truth on estimate between weeks, and the spread of its logarithm."""
    slopes = []
    for truth, estimate in zip(truths, estimates, strict=True):
        moves = [
            (truth[a] - truth[b], estimate[a] - estimate[b])
            for a, b in combinations(range(len(truth)), 2)
        ]
        kept = [
            (true, seen)
            for true, seen in moves
            if MIN_SHARE_CHANGE < np.abs(true).max() < MAX_SHARE_CHANGE
        ]
        true, seen = (np.array(part) for part in zip(*kept, strict=True))
        slopes.append(np.log(max((true * seen).sum(), 1e-3 * (seen**2).sum()) / (seen**2).sum()))
    mean = float(np.average(slopes, weights=weights))
    return float(np.exp(mean)), float(
        np.sqrt(np.average((np.array(slopes) - mean) ** 2, weights=weights))
    )


def _drift(domains: Sequence[LabelledDomain], errors: Sequence[Floats]) -> Matrix:
    """Covariance a week: that of the errors of brands within a set, spread over WEEKS_APART."""
    means = {
        domain.name: each.mean(axis=0)[[0, 2]] for domain, each in zip(domains, errors, strict=True)
    }
    within = []
    for name in sorted({domain.dataset for domain in domains}):
        of_set = np.array([means[domain.name] for domain in domains if domain.dataset == name])
        if len(of_set) > 1:
            within.append(np.cov(of_set.T))
    return _matrix(np.mean(within, axis=0) / WEEKS_APART) if within else DomainErrors().drift


def _matrix(values: Floats) -> Matrix:
    (a, b), (c, d) = (values + _RIDGE * np.eye(2)).round(6).tolist()
    return (a, b), (c, d)


if __name__ == "__main__":
    main()
