"""Firth's regression against what is known in closed form; R's numbers are in tests/parity."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from hemocast.classical.firth import fit_firth, restore_mean
from hemocast.errors import StatisticsError


@pytest.mark.parametrize("table", [(10, 0, 0, 8), (90, 3, 40, 9), (300, 1, 200, 0)])
def test_two_by_two_tables_add_half_to_every_cell(table: tuple[int, ...]) -> None:
    x = np.repeat([0.0, 0.0, 1.0, 1.0], table)
    y = np.repeat([0.0, 1.0, 0.0, 1.0], table)
    beta, covariance = fit_firth(np.column_stack([np.ones(x.size), x]), y)
    a, b, c, d = (cell + 0.5 for cell in table)
    assert beta == pytest.approx([np.log(b / a), np.log(d * a / (b * c))], abs=1e-6)
    n0, n1 = table[0] + table[1], table[2] + table[3]
    p0, p1 = b / (a + b), d / (c + d)
    assert covariance[1, 1] == pytest.approx(1 / (n0 * p0 * (1 - p0)) + 1 / (n1 * p1 * (1 - p1)))


def test_the_mean_risk_is_restored() -> None:
    rng = np.random.default_rng(3)
    design = np.column_stack([np.ones(2000), rng.normal(size=(2000, 12))])
    y = (rng.random(2000) < 0.006).astype(float)
    beta, _ = fit_firth(design, y)
    assert expit(design @ beta).sum() > 1.2 * y.sum()
    moved = restore_mean(design, y, beta)
    assert expit(design @ moved).sum() == pytest.approx(y.sum())
    np.testing.assert_array_equal(moved[1:], beta[1:])


def test_predictors_that_depend_on_each_other_are_refused() -> None:
    x = np.arange(20.0)
    with pytest.raises(StatisticsError, match="depend on each other"):
        fit_firth(np.column_stack([np.ones(20), x, 2 * x - 1]), (x > 12).astype(float))
