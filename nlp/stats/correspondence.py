"""Correspondence analysis: brands and what is said of them on one plane, with the uncertainty of each place.

Greenacre, Correspondence Analysis in Practice (3rd ed. 2017): chapters 4 and 8 for the map, 29 for
bootstrap and Procrustes.
"""

from dataclasses import dataclass

import numpy as np

from nlp.stats.estimation import Floats

MAP_DIMENSIONS = 2
CHI2_95 = 5.991464547107979  # 95 % quantile of chi-squared with two degrees of freedom


@dataclass(frozen=True)
class CorrespondenceMap:
    """Principal coordinates of rows (r, 2) and columns (c, 2), and the share (2,) of the table's inertia that each axis shows."""

    row_coordinates: Floats
    column_coordinates: Floats
    inertia_shares: Floats

    def rotated(self, rotation: Floats) -> "CorrespondenceMap":
        return CorrespondenceMap(
            self.row_coordinates @ rotation, self.column_coordinates @ rotation, self.inertia_shares
        )

    @property
    def coordinates(self) -> Floats:
        return np.concatenate([self.row_coordinates, self.column_coordinates])


def correspondence_analysis(table: Floats) -> CorrespondenceMap:
    """The first two axes of a table of counts (r, c), every row and column with a positive sum; r and c are at least 3.

    Singular vectors have no sign: each axis points to where its farthest column is. Raises
    ValueError otherwise.
    """
    if (
        min(table.shape) < MAP_DIMENSIONS + 1
        or not (table.sum(0) > 0).all()
        or not (table.sum(1) > 0).all()
    ):
        raise ValueError(
            f"wanted at least {MAP_DIMENSIONS + 1} rows and columns of counts, none empty, got a table of {table.shape}."
        )
    share = table / table.sum()
    row, column = share.sum(1), share.sum(0)
    expected = np.outer(row, column)
    left, values, right = np.linalg.svd((share - expected) / np.sqrt(expected), full_matrices=False)
    columns = right[:MAP_DIMENSIONS].T / np.sqrt(column)[:, None] * values[:MAP_DIMENSIONS]
    signs = np.where(columns[np.abs(columns).argmax(0), range(MAP_DIMENSIONS)] < 0, -1.0, 1.0)
    rows = left[:, :MAP_DIMENSIONS] / np.sqrt(row)[:, None] * values[:MAP_DIMENSIONS]
    inertia = values**2
    return CorrespondenceMap(
        rows * signs, columns * signs, inertia[:MAP_DIMENSIONS] / max(float(inertia.sum()), 1e-300)
    )


def procrustes_rotation(points: Floats, reference: Floats) -> Floats:
    """Return the rotation or reflection (2, 2) that brings points nearest to a reference (n, 2).

    Orthogonal Procrustes problem (Schönemann 1966).
    """
    from scipy.linalg import orthogonal_procrustes

    rotation, _ = orthogonal_procrustes(points, reference)
    return np.asarray(rotation)


def bootstrap_row_coordinates(table_draws: Floats, reference: CorrespondenceMap) -> Floats:
    """Where each row falls in every bootstrap draw (d, r, c) of the table: (d, r, 2), each draw turned onto `kept`.

    A draw in which a row or column has nothing says nothing of places and is left out.
    """
    planes = [
        correspondence_analysis(table)
        for table in table_draws
        if (table.sum(0) > 0).all() and (table.sum(1) > 0).all()
    ]
    return np.array(
        [
            one.rotated(procrustes_rotation(one.coordinates, reference.coordinates)).row_coordinates
            for one in planes
        ]
    ).reshape(-1, len(reference.row_coordinates), MAP_DIMENSIONS)


def confidence_ellipse(draws: Floats, centre: Floats, corners: int = 48) -> Floats:
    """The 95 % region (corners, 2) around a place (2,), as wide as its bootstrap places (d, 2) spread, taken as normal."""
    values, axes = np.linalg.eigh(np.cov(draws.T))
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(centre + circle * np.sqrt(CHI2_95 * np.clip(values, 0, None)) @ axes.T)


def positions_differ(first: Floats, second: Floats) -> bool:
    """Whether two rows' places differ beyond chance: the 95 % region of their difference over the draws (d, 2) leaves out 0."""
    difference = first - second
    mean, covariance = difference.mean(0), np.cov(difference.T)
    return bool(mean @ np.linalg.pinv(covariance) @ mean > CHI2_95)
