"""Errors of a model's sentiment shares in domains without labels, measured on held-out domains."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from folate.core.errors import ConfigError
from nlp.stats.estimation import BOOTSTRAP_DRAWS, Floats

DOMAIN_ERRORS_FILE = "domains.json"  # beside the weights of a model
Matrix = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class DomainErrors:
    """The error model that `python -m training.quantify` fitted on domains held out of training.

    Covariances are of the negative and the positive share, as proportions squared; the neutral
    share is the rest. The error of a domain grows with the uncertainty of the model there
    (`mean_uncertainty`). The defaults are for a model that was not tested on such domains: under
    them, an unaudited share may be off by some 40 points.
    """

    # The power that the quantifier raises posteriors to (`estimation.sharpen_posteriors`).
    sharpness: float = 1.0
    # By how much the true share moves when the quantified share moves by 1.
    gain: float = 1.4
    # Standard deviation of the logarithm of the gain between domains.
    gain_spread: float = 0.3
    # Covariance of the error of the shares in a domain, divided by the uncertainty squared.
    error: Matrix = ((0.5, -0.1), (-0.1, 0.5))
    # Degrees of freedom of Student's t, from which the error is drawn.
    tail: float = 4.0
    # Covariance of the change of the error from week to week.
    drift: Matrix = ((0.0006, 0.0), (0.0, 0.0006))
    # The number of domains that all this was fitted on.
    domains: int = 0

    def draw_errors(self, uncertainties: Floats, rng: np.random.Generator) -> Floats:
        """Draw errors of the three shares of brands, each summing to 0.

        `uncertainties` (brands,) are `mean_uncertainty`; the result is (`BOOTSTRAP_DRAWS`, brands,
        3).
        """
        shape = (BOOTSTRAP_DRAWS, len(uncertainties))
        scale = np.sqrt(rng.chisquare(self.tail, (*shape, 1)) / self.tail)
        errors = _draw_normal(self.error, shape, rng) / scale * uncertainties[:, None]
        return _add_neutral_class(errors)

    def draw_drifts(self, brands: int, weeks: int, rng: np.random.Generator) -> Floats:
        """Draw random walks of the errors over the weeks, each error summing to 0.

        The result is (`BOOTSTRAP_DRAWS`, brands, weeks, 3).
        """
        changes = _draw_normal(self.drift, (BOOTSTRAP_DRAWS, brands, weeks), rng)
        return _add_neutral_class(changes.cumsum(axis=2))

    def draw_gains(self, rng: np.random.Generator) -> Floats:
        """Draw gains (`BOOTSTRAP_DRAWS`,): log-normal, with the median `gain`."""
        return self.gain * np.exp(rng.normal(0, self.gain_spread, BOOTSTRAP_DRAWS))

    def save(self, folder: Path) -> None:
        """Write `DOMAIN_ERRORS_FILE` into the folder of a model."""
        (folder / DOMAIN_ERRORS_FILE).write_text(
            json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8"
        )


def mean_uncertainty(posteriors: Floats) -> float:
    """Return the mean over rows (n, k) of 1 less the largest posterior; 0.5 without rows.

    It is 0 where the model is sure of all.
    """
    return float(1 - posteriors.max(axis=1).mean()) if len(posteriors) else 0.5


def load_domain_errors(folder: Path) -> DomainErrors:
    """Read `DOMAIN_ERRORS_FILE` of a model's folder, or return the wide defaults without one.

    Raises ConfigError where it can't be read.
    """
    path = folder / DOMAIN_ERRORS_FILE
    if not path.is_file():
        return DomainErrors()
    names = {field.name for field in fields(DomainErrors)}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored.keys() == names:
            shapes = np.shape(stored["error"]), np.shape(stored["drift"])
            if shapes == ((2, 2), (2, 2)):
                return DomainErrors(**stored)
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigError(f"wanted JSON in {path}, got what can't be read: {error}.") from error
    raise ConfigError(
        f"wanted {', '.join(sorted(names))} in {path}, got other fields: "
        "run 'python -m training.quantify' again."
    )


def _draw_normal(covariance: Matrix, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    return rng.standard_normal((*shape, 2)) @ np.linalg.cholesky(np.array(covariance)).T


def _add_neutral_class(two_classes: Floats) -> Floats:
    """Return the errors of all three classes (..., 3) from those of two (..., 2), summing to 0."""
    return np.stack([two_classes[..., 0], -two_classes.sum(axis=-1), two_classes[..., 1]], axis=-1)
