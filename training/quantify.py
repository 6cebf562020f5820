"""Errors of shares in domains left out of training, for the quantifier.

``python -m training.quantify --posteriors FILE --model DIR`` writes `domains.json` into DIR. FILE
is an .npz with, for each domain, `NAME|c` (n, 3) posteriors as the report uses them and `NAME|y`
(n,) labels 0, 1, 2 for negative, neutral, positive. The first word of a name is the set that a
domain belongs to (`entity Google`, `entity Nvidia`): a set counts with the square root of the
number of its domains. Weeks of other prevalence are drawn from each domain.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from nlp.stats.domains import DomainErrors, Matrix, mean_uncertainty
from nlp.stats.estimation import Floats, Ints, sharpen_posteriors

SHARPNESS_CANDIDATES = (1.0, 1.5, 2.0, 3.0, 4.0)
"""Exponents to choose from; higher ones approach counting labels."""

NEGATIVE_SHARES = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6)
"""Shares of negative in the weeks that are drawn."""

POSTS_PER_WEEK = 300
"""Posts of a week that is drawn."""

STUDENT_T_DF = 4.0
"""Degrees of freedom of Student's t: of 0 (normal) and 4, 4 covered 95 % on sets left out."""

MIN_SHARE_CHANGE = 0.03
MAX_SHARE_CHANGE = 0.3
"""Change of a share between two weeks from which the gain is estimated."""

WEEKS_APART = 8
"""A brand drifts in so many weeks as far as two brands of a set differ."""

_VARIANCE_RIDGE = 1e-5
"""Added to the variances of shares, for a positive definite matrix."""


@dataclass(frozen=True)
class LabelledDomain:
    """One domain of labelled texts that the model never saw."""

    name: str
    posteriors: Floats  # (n, 3)
    labels: Ints  # (n,)

    @property
    def dataset(self) -> str:
        """Return the name of the set that the domain belongs to."""
        return self.name.split()[0]


def main() -> None:
    """Fit the errors of the domains and write them into the model folder."""
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
    """Return posteriors (n, 3) none of which is 0, each row summing to 1."""
    positive = np.clip(posteriors, 1e-6, 1)
    return np.asarray(positive / positive.sum(axis=1, keepdims=True))


def fit_domain_errors(domains: Sequence[LabelledDomain]) -> DomainErrors:
    """Fit the quantifier's sharpness and its remaining error."""
    weights = dataset_weights(domains)
    weeks = [list(draw_domain_weeks(domain)) for domain in domains]
    truths: list[Floats] = []
    uncertainties: list[Floats] = []
    for domain_weeks in weeks:
        truths.append(np.array([label_shares(labels) for _, labels in domain_weeks]))
        uncertainties.append(np.array([mean_uncertainty(rows) for rows, _ in domain_weeks]))
    estimates = {
        sharpness: [_estimate_shares(domain_weeks, sharpness) for domain_weeks in weeks]
        for sharpness in SHARPNESS_CANDIDATES
    }
    sharpness = min(
        SHARPNESS_CANDIDATES,
        key=lambda candidate: _mean_error(truths, estimates[candidate], weights),
    )
    errors = [
        truth - estimate for truth, estimate in zip(truths, estimates[sharpness], strict=True)
    ]
    relative_errors = [
        error / uncertainty[:, None]
        for error, uncertainty in zip(errors, uncertainties, strict=True)
    ]
    set_count = len({domain.dataset for domain in domains})
    gain, spread = _fit_gain(truths, estimates[sharpness], weights)
    return DomainErrors(
        sharpness=sharpness,
        gain=gain,
        gain_spread=spread,
        error=_error_second_moment(relative_errors, weights, set_count),
        tail=STUDENT_T_DF,
        drift=_weekly_drift(domains, errors),
        domains=len(domains),
    )


def dataset_weights(domains: Sequence[LabelledDomain]) -> Floats:
    """Return the weight of each domain: those of a set together weigh the root of their number."""
    sets = [domain.dataset for domain in domains]
    return np.array([sets.count(name) ** -0.5 for name in sets])


def draw_domain_weeks(domain: LabelledDomain) -> Iterator[tuple[Floats, Ints]]:
    """Yield posteriors and labels of the domain, then of weeks at each share of negative."""
    rng = np.random.Generator(np.random.PCG64(1))
    yield domain.posteriors, domain.labels
    for negative in NEGATIVE_SHARES:
        rows = draw_rows(domain.labels, negative, POSTS_PER_WEEK, rng)
        yield domain.posteriors[rows], domain.labels[rows]


def draw_rows(labels: Ints, negative_share: float, posts: int, rng: np.random.Generator) -> Ints:
    """Draw rows with this share of negative, the other labels in their own proportion.

    A class without any rows stays empty.
    """
    shares = np.bincount(labels, minlength=3).astype(float)
    shares[1:] *= (1 - negative_share) / shares[1:].sum()
    shares[0] = negative_share
    counts = np.floor(shares * posts + 0.5).astype(int)
    return np.concatenate(
        [
            rng.choice(np.flatnonzero(labels == label), count)
            for label, count in enumerate(counts)
            if count
        ]
    )


def label_shares(labels: Ints) -> Floats:
    """Return the shares (3,) of the labels."""
    return np.asarray(np.bincount(labels, minlength=3) / len(labels))


def _estimate_shares(domain_weeks: Sequence[tuple[Floats, Ints]], sharpness: float) -> Floats:
    """Estimate the shares (weeks, 3) of each week."""
    return np.array(
        [sharpen_posteriors(posteriors, sharpness).mean(axis=0) for posteriors, _ in domain_weeks]
    )


def _mean_error(truths: Sequence[Floats], estimates: Sequence[Floats], weights: Floats) -> float:
    errors = [
        np.abs(truth - estimate).mean() for truth, estimate in zip(truths, estimates, strict=True)
    ]
    return float(np.average(errors, weights=weights))


def _error_second_moment(errors: Sequence[Floats], weights: Floats, set_count: int) -> Matrix:
    """Return the mean product (2, 2) of the errors of negative and positive.

    Times 1 + 1 / sets: as expected of a further set.
    """
    moments = [
        domain_errors[:, [0, 2]].T @ domain_errors[:, [0, 2]] / len(domain_errors)
        for domain_errors in errors
    ]
    return _regularised_matrix(np.average(moments, axis=0, weights=weights) * (1 + 1 / set_count))


def _fit_gain(
    truths: Sequence[Floats], estimates: Sequence[Floats], weights: Floats
) -> tuple[float, float]:
    """Return the gain and its spread.

    The gain is the geometric mean over domains of the slope of true on estimated change between
    weeks; the spread is the standard deviation of its logarithm.
    """
    slopes = []
    for truth, estimate in zip(truths, estimates, strict=True):
        changes = [
            (truth[a] - truth[b], estimate[a] - estimate[b])
            for a, b in combinations(range(len(truth)), 2)
        ]
        informative = [
            (true_change, estimated_change)
            for true_change, estimated_change in changes
            if MIN_SHARE_CHANGE < np.abs(true_change).max() < MAX_SHARE_CHANGE
        ]
        true_change, estimated_change = (
            np.array(column) for column in zip(*informative, strict=True)
        )
        slopes.append(
            np.log(
                max((true_change * estimated_change).sum(), 1e-3 * (estimated_change**2).sum())
                / (estimated_change**2).sum()
            )
        )
    mean = float(np.average(slopes, weights=weights))
    return float(np.exp(mean)), float(
        np.sqrt(np.average((np.array(slopes) - mean) ** 2, weights=weights))
    )


def _weekly_drift(domains: Sequence[LabelledDomain], errors: Sequence[Floats]) -> Matrix:
    """Return the covariance a week: that of the errors of brands within a set, over WEEKS_APART."""
    means = {
        domain.name: domain_errors.mean(axis=0)[[0, 2]]
        for domain, domain_errors in zip(domains, errors, strict=True)
    }
    covariances = []
    for name in sorted({domain.dataset for domain in domains}):
        set_means = np.array([means[domain.name] for domain in domains if domain.dataset == name])
        if len(set_means) > 1:
            covariances.append(np.cov(set_means.T))
    return (
        _regularised_matrix(np.mean(covariances, axis=0) / WEEKS_APART)
        if covariances
        else DomainErrors().drift
    )


def _regularised_matrix(values: Floats) -> Matrix:
    (a, b), (c, d) = (values + _VARIANCE_RIDGE * np.eye(2)).round(6).tolist()
    return (a, b), (c, d)


if __name__ == "__main__":
    main()
