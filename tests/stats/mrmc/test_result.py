import numpy as np
import pytest
from scipy.stats import norm, t

from hemocast.stats.mrmc.result import (
    contrast,
    mean_accuracy,
    satterthwaite,
    t_quantile,
    two_sided_p,
)


def test_infinite_degrees_of_freedom_mean_the_normal() -> None:
    assert t_quantile(0.95, float("inf")) == pytest.approx(norm.ppf(0.975))
    assert t_quantile(0.95, 7) == pytest.approx(t.ppf(0.975, 7))
    assert two_sided_p(-1.96, float("inf")) == pytest.approx(2 * norm.sf(1.96))
    assert two_sided_p(2.0, 7) == pytest.approx(2 * t.sf(2.0, 7))


def test_a_variance_that_was_all_estimated_keeps_its_degrees_of_freedom() -> None:
    assert satterthwaite(0.02, 0.02, 4) == 4
    assert satterthwaite(0.04, 0.02, 4) == 16
    assert satterthwaite(0.04, 0.0, 4) == float("inf")


def test_an_accuracy_stays_within_0_and_1() -> None:
    found = mean_accuracy("A", 0.97, 0.0004, 9, 0.95)
    assert (found.ci_high, found.warning) == (1.0, None)
    assert found.ci_low == pytest.approx(0.97 - t.ppf(0.975, 9) * 0.02)


def test_a_difference_has_its_interval_and_test() -> None:
    found = contrast("A", "B", 0.06, 0.0004, float("inf"), 0.95)
    assert (found.se, found.statistic) == pytest.approx((0.02, 3.0))
    assert found.p == pytest.approx(2 * norm.sf(3))
    assert (found.ci_low + found.ci_high) / 2 == pytest.approx(0.06)


def test_no_variance_is_not_certainty() -> None:
    for found in (mean_accuracy("A", 1.0, 0.0, 3, 0.95), contrast("A", "B", 0.0, 0.0, 3, 0.95)):
        assert np.isnan([found.ci_low, found.ci_high]).all()
        assert "no variance" in str(found.warning)
