import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from hemocast.errors import StatisticsError
from hemocast.stats import Cases, delong_test, noninferior_auc, noninferior_share, tango_limits

Z = 1.959963984540054


def score_statistic(b: int, c: int, n: int, at: float) -> float:
    """The score test of a difference, with the other parameter maximised numerically."""
    rest = n - b - c

    def loss(second: float) -> float:
        first = second + at
        cells = [(b, first), (c, second), (rest, 1 - first - second)]
        return -sum(k * np.log(max(p, 1e-300)) for k, p in cells if k)

    low, high = max(0.0, -at), (1 - at) / 2
    second = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    variance = n * (2 * second + at - at**2)
    return (b - c - n * at) / np.sqrt(variance)


@settings(max_examples=60)
@given(st.integers(0, 12), st.integers(0, 12), st.integers(1, 40))
def test_tangos_limits_solve_the_score_equation(b: int, c: int, rest: int) -> None:
    n = b + c + rest
    low, high = tango_limits(b, c, n)
    assert -1 <= low < (b - c) / n + 1e-9
    assert (b - c) / n - 1e-9 < high <= 1
    assert low < high
    for limit, side in ((low, 1), (high, -1)):
        if abs(limit) < 0.999:
            assert side * score_statistic(b, c, n, limit) == pytest.approx(Z, abs=2e-3)
    back = tango_limits(c, b, n)
    assert (-back.high, -back.low) == pytest.approx((low, high), abs=1e-9)


def test_all_discordant_one_way_is_not_certain() -> None:
    low, high = tango_limits(10, 0, 10)
    assert high == 1
    assert 0.3 < low < 0.9


def test_a_share_is_not_inferior_where_the_lower_limit_is_above_the_margin() -> None:
    new, old = [1] * 40 + [0] * 10, [1] * 38 + [0] * 12
    for margin in (0.01, 0.03, 0.05, 0.2):
        found = noninferior_share(new, old, margin)
        assert found.shown == (found.difference.ci_low > -margin)
        assert found.difference.value == pytest.approx(0.04)
    assert noninferior_share(new, old, 0.2).p < noninferior_share(new, old, 0.05).p
    assert "rests on 4 cases" in str(
        noninferior_share([1, 0, 1, 1], [1] * 4, 0.1).difference.warning
    )


def test_an_auc_is_compared_by_delong() -> None:
    rng = np.random.default_rng(0)
    label = rng.random(150) < 0.4
    new, old = rng.normal(1.4 * label, 1, (2, 150))
    test = delong_test(Cases(label, [new, old]))
    found = noninferior_auc(Cases(label, [new, old]), 0.1)
    assert found.difference.ci_low == pytest.approx(test.ci_low)
    error = (test.ci_high - test.ci_low) / (2 * Z)
    assert found.p == pytest.approx(norm.sf((test.difference + 0.1) / error))
    assert found.shown == (found.difference.ci_low > -0.1)
    patients = np.tile(np.arange(150), 2)
    twice = noninferior_auc(Cases(label, [new, old]).part(patients), 0.1)
    assert twice.p == pytest.approx(found.p)


def test_what_cannot_be_tested_is_refused() -> None:
    for margin, alpha in ((0, 0.025), (1.2, 0.025), (0.1, 0.6)):
        with pytest.raises(StatisticsError, match="margin"):
            noninferior_share([0, 1], [0, 1], margin, alpha)
    with pytest.raises(StatisticsError, match="no variance"):
        noninferior_auc(Cases([0, 1, 0, 1], [[1, 2, 3, 4], [1, 2, 3, 4]]), 0.1)
    with pytest.raises(StatisticsError, match="decisions"):
        noninferior_share([0, 1], [0, 1, 1], 0.1)
    with pytest.raises(StatisticsError, match="discordant"):
        tango_limits(5, 6, 10)
    with pytest.raises(StatisticsError, match="level"):
        tango_limits(1, 2, 10, 95)
