"""What is fitted on domains left out of training, on domains whose errors are planted."""

import json
from pathlib import Path

import numpy as np
import pytest

from folate.core.errors import ConfigError
from nlp.stats.domains import DOMAIN_ERRORS_FILE, DomainErrors, load_domain_errors, mean_uncertainty
from training.quantify import (
    LabelledDomain,
    dataset_weights,
    draw_domain_weeks,
    draw_rows,
    fit_domain_errors,
    label_shares,
    read_domains,
)


def domain(
    name: str, right: float, classes: int = 3, n: int = 600, seed: int = 0
) -> LabelledDomain:
    """Posteriors that give the true class .8 with probability `right`, else another class.

    The neutral class may be missing.
    """
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 1, 2] if classes == 3 else [0, 2], n)
    predictions = np.where(rng.random(n) < right, labels, (labels + 1) % 3)
    return LabelledDomain(name, np.full((n, 3), 0.1) + 0.7 * np.eye(3)[predictions], labels)


def test_the_error_is_larger_where_domains_are_worse() -> None:
    good = fit_domain_errors([domain("a 1", 0.95), domain("b 1", 0.9, seed=1)])
    bad = fit_domain_errors([domain("a 1", 0.95), domain("b 1", 0.5, seed=1)])
    assert bad.error[0][0] > 2 * good.error[0][0]
    assert good.domains == 2
    assert good.gain > 1


def test_a_set_of_many_domains_weighs_the_root_of_their_number() -> None:
    weights = dataset_weights(
        [domain(name, 0.9) for name in ("tweets a", "tweets b", "tweets c", "tweets d", "cars")]
    )
    assert weights[:4].sum() == pytest.approx(2)
    assert weights[4] == 1


def test_weeks_have_the_share_asked_for_also_without_a_neutral_class() -> None:
    for classes in (2, 3):
        labels = domain("a", 0.9, classes).labels
        shares = label_shares(labels[draw_rows(labels, 0.3, 200, np.random.default_rng(0))])
        assert shares[0] == pytest.approx(0.3, abs=0.005)
        assert (shares[1] == 0) == (classes == 2)
    assert len(list(draw_domain_weeks(domain("a", 0.9)))) == 7


def test_what_was_fitted_is_read_back_and_draws_sum_to_nothing(tmp_path: Path) -> None:
    fitted = fit_domain_errors([domain("a 1", 0.9), domain("b 1", 0.7, 2, seed=1)])
    fitted.save(tmp_path)
    stored = load_domain_errors(tmp_path)
    assert json.loads((tmp_path / DOMAIN_ERRORS_FILE).read_text())["domains"] == 2
    assert np.array(stored.error) == pytest.approx(np.array(fitted.error))
    errors = stored.draw_errors(np.array([0.1, 0.3]), np.random.default_rng(0))
    assert errors.sum(axis=2) == pytest.approx(np.zeros(errors.shape[:2]), abs=1e-9)
    assert errors[:, 1, 0].std() > 2 * errors[:, 0, 0].std()
    walks = stored.draw_drifts(1, 9, np.random.default_rng(0))[:, 0, :, 0].std(axis=0)
    assert walks[8] == pytest.approx(3 * walks[0], rel=0.2)


def test_a_model_that_nobody_tested_is_wide_and_a_damaged_file_is_refused(tmp_path: Path) -> None:
    assert load_domain_errors(tmp_path) == DomainErrors()
    for text in ("{", "[]", '{"sharpness": 1}'):
        (tmp_path / DOMAIN_ERRORS_FILE).write_text(text)
        with pytest.raises(ConfigError, match=DOMAIN_ERRORS_FILE):
            load_domain_errors(tmp_path)


def test_domains_are_read_from_a_file(tmp_path: Path) -> None:
    posteriors = np.array([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]])
    np.savez(
        tmp_path / "left.npz",
        **{"a x|c": posteriors, "a x|p": posteriors, "a x|y": np.array([0, 2])},
    )
    (domain_read,) = read_domains(tmp_path / "left.npz")
    assert (domain_read.name, domain_read.dataset, domain_read.labels.tolist()) == (
        "a x",
        "a",
        [0, 2],
    )
    assert (domain_read.posteriors > 0).all()
    assert mean_uncertainty(domain_read.posteriors) == pytest.approx(0.25, abs=1e-4)
