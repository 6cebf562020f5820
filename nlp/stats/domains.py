"""How wrong a model's shares of sentiment are in domains that nobody labelled, as measured on domains left out of training."""

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
    """What `python -m training.quantify` fitted on domains that the model never saw.

    Covariances are of the negative and the positive share, as proportions squared; the neutral
    share takes up the rest. The error of a domain grows with the doubt of the model there, the mean
    over its posts of 1 less the largest posterior (`doubt`). The defaults are for a model that
    nobody tested on such domains: they say that an unaudited share may be anything within some 40
    points.
    """

    sharpness: float = 1.0  # of the quantifier: the power that posteriors are raised to (`nlp.stats.estimation.sharpen_posteriors`)
    gain: float = 1.4  # by how much the truth moves when the quantified share moves by 1
    gain_spread: float = 0.3  # standard deviation of its logarithm between domains
    error: Matrix = (
        (0.5, -0.1),
        (-0.1, 0.5),
    )  # of a share in a domain, divided by the doubt squared
    tail: float = 4.0  # degrees of freedom of Student's t that the error is drawn from
    drift: Matrix = ((0.0006, 0.0), (0.0, 0.0006))  # of the change of the error from week to week
    domains: int = 0  # that all this was fitted on

    def draw_errors(self, uncertainties: Floats, rng: np.random.Generator) -> Floats:
        """Draw errors of the three shares for brands with these `doubts` (brands,): (DRAWS, brands, 3), each summing to 0."""
        scale = np.sqrt(
            rng.chisquare(self.tail, (BOOTSTRAP_DRAWS, len(uncertainties), 1)) / self.tail
        )
        return _of_all_classes(
            _normal(self.error, (BOOTSTRAP_DRAWS, len(uncertainties)), rng)
            / scale
            * uncertainties[:, None]
        )

    def draw_drifts(self, brands: int, weeks: int, rng: np.random.Generator) -> Floats:
        """Draw random walks of the errors over the weeks: (DRAWS, brands, weeks, 3), each summing to 0."""
        return _of_all_classes(
            _normal(self.drift, (BOOTSTRAP_DRAWS, brands, weeks), rng).cumsum(axis=2)
        )

    def draw_gains(self, rng: np.random.Generator) -> Floats:
        """Draw gains (DRAWS,): log-normal, with the median `gain`."""
        return self.gain * np.exp(rng.normal(0, self.gain_spread, BOOTSTRAP_DRAWS))

    def save(self, folder: Path) -> None:
        """Write FILE into the folder of a model."""
        (folder / DOMAIN_ERRORS_FILE).write_text(
            json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8"
        )


def mean_uncertainty(posteriors: Floats) -> float:
    """Mean over rows (n, k) of 1 less the largest posterior: 0 where the model is sure of all, 0.5 where there are none."""
    return float(1 - posteriors.max(axis=1).mean()) if len(posteriors) else 0.5


def load_domain_errors(folder: Path) -> DomainErrors:
    """Read FILE of a model's folder; the wide defaults where there is none. Raises ConfigError where it can't be read."""
    path = folder / DOMAIN_ERRORS_FILE
    if not path.is_file():
        return DomainErrors()
    names = {field.name for field in fields(DomainErrors)}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        if stored.keys() == names and np.shape(stored["error"]) == np.shape(stored["drift"]) == (
            2,
            2,
        ):
            return DomainErrors(**stored)
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigError(f"wanted JSON in {path}, got what can't be read: {error}.") from error
    raise ConfigError(
        f"wanted {', '.join(sorted(names))} in {path}, got other fields: run 'python -m training.quantify' again."
    )


def _normal(covariance: Matrix, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    return rng.standard_normal((*shape, 2)) @ np.linalg.cholesky(np.array(covariance)).T


def _of_all_classes(polar: Floats) -> Floats:
    """Errors of negative, neutral and positive (..., 3) from those of negative and positive (..., 2)."""
    return np.stack([polar[..., 0], -polar.sum(axis=-1), polar[..., 1]], axis=-1)
