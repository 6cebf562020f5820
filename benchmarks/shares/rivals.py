"""Short reference forms of other quantifiers, which learn how labels look from the other sets."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

from nlp.stats.estimation import Floats, Ints, emq_prevalences

# Of the Gaussian kernel, in units of probability.
KERNEL_BANDWIDTH = 0.1
# Reference rows of each class at most.
MAX_REFERENCE_ROWS = 400
# Bins of the histogram of one class's probability.
HISTOGRAM_BINS = 10


class KdeyQuantifier:
    """KDEy-ML: maximum likelihood over kernel densities of the classes' posteriors.

    Moreo, González & del Coz 2024.
    """

    def __init__(self, posteriors: Floats, labels: Ints) -> None:
        rng = np.random.Generator(np.random.PCG64(1))
        self.references = [
            rng.permutation(posteriors[labels == label])[:MAX_REFERENCE_ROWS] for label in range(3)
        ]

    def __call__(self, posteriors: Floats) -> Floats:
        kernels = [
            np.exp(-(cdist(posteriors, rows) ** 2) / (2 * KERNEL_BANDWIDTH**2)).mean(axis=1)
            for rows in self.references
        ]
        densities = np.stack(kernels, axis=1) + 1e-9
        return emq_prevalences(densities / densities.sum(axis=1, keepdims=True), np.full(3, 1 / 3))


class DysQuantifier:
    """DyS: the mixture of the classes' histograms that is nearest to the week's.

    The distance is Hellinger's (Maletzke et al. 2019).
    """

    def __init__(self, posteriors: Floats, labels: Ints) -> None:
        self.classes = np.stack([_histograms(posteriors[labels == label]) for label in range(3)])

    def __call__(self, posteriors: Floats) -> Floats:
        observed = _histograms(posteriors)

        def distance(logits: Floats) -> float:
            mixed = _softmax(logits) @ self.classes
            return -float(np.sqrt(mixed * observed).sum())

        return _softmax(minimize(distance, np.zeros(3), method="Nelder-Mead").x)


def _histograms(posteriors: Floats) -> Floats:
    """Return the shares of rows by bin of each class's probability, (3 * HISTOGRAM_BINS,)."""
    counts: Sequence[Floats] = [
        np.histogram(column, bins=HISTOGRAM_BINS, range=(0, 1))[0] for column in posteriors.T
    ]
    return np.concatenate(counts) / max(len(posteriors), 1)


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())
