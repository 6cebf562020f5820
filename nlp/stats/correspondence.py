"""Correspondence analysis: brands and what is said of them on one plane, with uncertainty.

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
    """Coordinates of the rows and columns of a table on its first two axes."""

    row_coordinates: Floats
    """Principal coordinates (r, 2)."""
    column_coordinates: Floats
    """Principal coordinates (c, 2)."""
    inertia_shares: Floats
    """The share (2,) of the table's inertia that each axis explains."""

    def rotated(self, rotation: Floats) -> "CorrespondenceMap":
        """Return the map with all coordinates multiplied by a rotation (2, 2)."""
        return CorrespondenceMap(
            self.row_coordinates @ rotation, self.column_coordinates @ rotation, self.inertia_shares
        )

    @property
    def coordinates(self) -> Floats:
        """Return the coordinates of the rows, then of the columns (r + c, 2)."""
        return np.concatenate([self.row_coordinates, self.column_coordinates])


def correspondence_analysis(table: Floats) -> CorrespondenceMap:
    """Compute the first two axes of a table of counts (r, c).

    Every row and column must have a positive sum, and r and c be at least 3. Singular vectors have
    no sign: each axis points to where its farthest column is. Raises ValueError otherwise.
    """
    if min(table.shape) < MAP_DIMENSIONS + 1 or not _has_no_empty_line(table):
        raise ValueError(
            f"wanted at least {MAP_DIMENSIONS + 1} rows and columns of counts, none empty, "
            f"got a table of {table.shape}."
        )
    share = table / table.sum()
    row = share.sum(1)
    column = share.sum(0)
    expected = np.outer(row, column)
    left, values, right = np.linalg.svd((share - expected) / np.sqrt(expected), full_matrices=False)
    columns = right[:MAP_DIMENSIONS].T / np.sqrt(column)[:, None] * values[:MAP_DIMENSIONS]
    signs = np.where(columns[np.abs(columns).argmax(0), range(MAP_DIMENSIONS)] < 0, -1.0, 1.0)
    rows = left[:, :MAP_DIMENSIONS] / np.sqrt(row)[:, None] * values[:MAP_DIMENSIONS]
    inertia = values**2
    return CorrespondenceMap(
        rows * signs, columns * signs, inertia[:MAP_DIMENSIONS] / max(float(inertia.sum()), 1e-300)
    )


def _has_no_empty_line(table: Floats) -> bool:
    """Return whether every row and every column of a table has a positive sum."""
    return bool((table.sum(0) > 0).all() and (table.sum(1) > 0).all())


def procrustes_rotation(points: Floats, reference: Floats) -> Floats:
    """Return the rotation or reflection (2, 2) that brings points nearest to a reference (n, 2).

    Orthogonal Procrustes problem (Schönemann 1966).
    """
    from scipy.linalg import orthogonal_procrustes

    rotation, _ = orthogonal_procrustes(points, reference)
    return np.asarray(rotation)


def bootstrap_row_coordinates(table_draws: Floats, reference: CorrespondenceMap) -> Floats:
    """Return the coordinates (d, r, 2) of the rows in bootstrap draws (d, r, c) of the table.

    The map of each draw is rotated onto `reference`. A draw with an empty row or column has no map
    and is left out.
    """
    draws = []
    for table in filter(_has_no_empty_line, table_draws):
        draw = correspondence_analysis(table)
        rotation = procrustes_rotation(draw.coordinates, reference.coordinates)
        draws.append(draw.rotated(rotation).row_coordinates)
    return np.array(draws).reshape(-1, len(reference.row_coordinates), MAP_DIMENSIONS)


def confidence_ellipse(draws: Floats, centre: Floats, corners: int = 48) -> Floats:
    """Return the 95 % region (corners, 2) around a point (2,).

    Its bootstrap draws (d, 2) are taken as normally distributed.
    """
    values, axes = np.linalg.eigh(np.cov(draws.T))
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.asarray(centre + circle * np.sqrt(CHI2_95 * np.clip(values, 0, None)) @ axes.T)


def positions_differ(first: Floats, second: Floats) -> bool:
    """Return whether the positions of two rows differ beyond chance.

    They do when the 95 % region of their difference over the draws (d, 2) does not contain 0.
    """
    difference = first - second
    mean = difference.mean(0)
    covariance = np.cov(difference.T)
    return bool(mean @ np.linalg.pinv(covariance) @ mean > CHI2_95)
