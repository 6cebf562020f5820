import numpy as np
import pytest

from nlp.stats.correspondence import (
    bootstrap_row_coordinates,
    confidence_ellipse,
    correspondence_analysis,
    positions_differ,
    procrustes_rotation,
)

TABLE = np.array([[40, 5, 10, 20], [6, 50, 12, 20], [9, 11, 60, 20], [20, 22, 21, 20]], dtype=float)


def test_distances_on_the_map_are_chi_squared_distances_of_the_profiles() -> None:
    """Greenacre 2017, chapter 8; exact where two axes show all: a table of rank three."""
    table = TABLE[:3]
    profiles, masses = table / table.sum(1, keepdims=True), table.sum(0) / table.sum()
    found = correspondence_analysis(table)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        chi_squared = (((profiles[one] - profiles[other]) ** 2) / masses).sum()
        assert (
            (found.row_coordinates[one] - found.row_coordinates[other]) ** 2
        ).sum() == pytest.approx(chi_squared)
    assert found.inertia_shares.sum() == pytest.approx(1)


def test_a_row_lies_towards_the_column_that_it_has_most_of() -> None:
    found = correspondence_analysis(TABLE)
    for place in range(3):
        assert np.argmax(found.column_coordinates @ found.row_coordinates[place]) == place


def test_a_turned_or_mirrored_map_is_turned_back() -> None:
    found = correspondence_analysis(TABLE)
    turn = np.array([[np.cos(2), np.sin(2)], [np.sin(2), -np.cos(2)]])
    assert found.coordinates @ turn @ procrustes_rotation(
        found.coordinates @ turn, found.coordinates
    ) == pytest.approx(found.coordinates)


def test_rows_with_much_behind_them_stand_apart_and_others_do_not() -> None:
    rng = np.random.default_rng(4)
    same = np.array([[30, 30, 30], [30, 30, 30], [60, 10, 20]], dtype=float)
    places = bootstrap_row_coordinates(
        rng.poisson(same, (300, 3, 3)).astype(float) + 0.1, correspondence_analysis(same)
    )
    assert positions_differ(places[:, 0], places[:, 2])
    assert not positions_differ(places[:, 0], places[:, 1])


def test_most_places_lie_within_the_ellipse() -> None:
    rng = np.random.default_rng(5)
    places = rng.multivariate_normal([1, 2], [[2, 1], [1, 1]], 4000)
    outline = confidence_ellipse(places, np.array([1.0, 2.0])) - [1, 2]
    inverse = np.linalg.inv(np.cov(places.T))
    assert np.einsum("ni,ij,nj->n", outline, inverse, outline) == pytest.approx(5.991, rel=1e-3)


@pytest.mark.parametrize(
    "table", [np.ones((2, 5)), np.ones((5, 2)), np.array([[1, 1, 1], [0, 0, 0], [1, 2, 3]])]
)
def test_no_plane_of_too_little(table: np.ndarray) -> None:
    with pytest.raises(ValueError, match="wanted at least 3 rows and columns"):
        correspondence_analysis(table)
