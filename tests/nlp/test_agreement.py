"""Agreement of two raters: the textbook's example and the edges where kappa means nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.stats.agreement import Agreement, count_agreement


def test_kappa_of_a_known_table() -> None:
    """Fifty proposals, each read by two people: kappa = (0.7 - 0.5) / (1 - 0.5)."""
    agreement = Agreement(yes_yes=20, yes_no=5, no_yes=10, no_no=15)
    assert agreement.n == 50
    assert agreement.share == pytest.approx(0.7)
    assert agreement.chance == pytest.approx(0.5)
    assert agreement.kappa == pytest.approx(0.4)
    interval = agreement.kappa_interval()
    assert interval is not None
    low, high = interval
    assert 0.1 < low < 0.4 < high < 0.65


def test_pairs_are_counted_in_their_cells() -> None:
    answers = [(True, True), (True, False), (True, False), (False, False)]
    assert count_agreement(answers) == Agreement(1, 2, 0, 1)


def test_always_agreeing_is_one_with_an_interval_that_shrinks_with_n() -> None:
    few, many = Agreement(3, 0, 0, 3), Agreement(300, 0, 0, 300)
    assert few.kappa == many.kappa == 1
    few_interval, many_interval = few.kappa_interval(), many.kappa_interval()
    assert few_interval is not None
    assert many_interval is not None
    assert few_interval[0] < 0.5 < 0.95 < many_interval[0]
    assert few_interval[1] == many_interval[1] == 1


def test_always_disagreeing_is_minus_one() -> None:
    assert Agreement(0, 5, 5, 0).kappa == -1


@pytest.mark.parametrize("agreement", [Agreement(7, 0, 0, 0), Agreement(0, 0, 0, 4)])
def test_one_class_has_no_kappa(agreement: Agreement) -> None:
    assert agreement.share == 1
    assert agreement.kappa is None
    assert agreement.kappa_interval() is None


def test_nothing_in_common_has_no_agreement() -> None:
    agreement = count_agreement([])
    assert (agreement.n, agreement.share, agreement.chance, agreement.kappa) == (
        0,
        None,
        None,
        None,
    )
    assert agreement.kappa_interval() is None


COUNTS = st.integers(0, 40)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_kappa_is_in_its_interval_and_the_same_whoever_is_first(
    yes_yes: int, yes_no: int, no_yes: int, no_no: int
) -> None:
    agreement = Agreement(yes_yes, yes_no, no_yes, no_no)
    turned = Agreement(yes_yes, no_yes, yes_no, no_no)
    interval = agreement.kappa_interval()
    if agreement.kappa is None or interval is None:
        assert turned.kappa is None
        assert interval is None
        return
    assert turned.kappa == pytest.approx(agreement.kappa)
    assert -1 <= interval[0] <= agreement.kappa + 1e-9
    assert agreement.kappa - 1e-9 <= interval[1] <= 1
