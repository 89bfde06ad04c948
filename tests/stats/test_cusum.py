"""Risk-adjusted CUSUM: others' printed scores, an exact calculation, alarms by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from hemocast.errors import StatisticsError
from hemocast.stats.cusum import Shift, cusum, cusum_limit, evidence

DOUBLE, HALF = Shift(odds=2.0), Shift(odds=0.5)


@pytest.mark.parametrize("odds", [0.5, 2.0])
def test_scores_are_steiners(odds: float) -> None:
    """As the R packages cusum and vlad write them, in odds instead of risks."""
    risk = np.array([0.02, 0.15, 0.7])
    spared, bled = -np.log(1 - risk + odds * risk), np.log(odds / (1 - risk + odds * risk))
    assert evidence(np.zeros(3), risk, Shift(odds=odds)) == pytest.approx(spared)
    assert evidence(np.ones(3), risk, Shift(odds=odds)) == pytest.approx(bled)


def test_a_score_is_that_printed_by_rigdon_and_fricker() -> None:
    """Health Surveillance, 2015, page 226, as vlad's documentation has it: Parsonnet score 19."""
    told = expit(-3.67 + 0.077 * 19)
    assert evidence([False], [told], HALF)[0] == pytest.approx(0.05083, abs=5e-6)


def test_a_slope_leaves_its_centre_and_halves_the_distance() -> None:
    shift = Shift(slope=0.5, centre=-1.0)
    assert shift.risk(expit(np.array([-1.0, 1.0]))) == pytest.approx(expit(np.array([-1.0, 0.0])))
    assert shift.risk(np.array([0.2])) > 0.2


def test_the_sum_never_falls_below_zero_and_tells_since_when() -> None:
    truth = np.array([0, 0, 0, 1, 0, 1, 1], bool)
    risk = np.full(7, 0.3)
    chart = cusum(truth, risk, DOUBLE, limit=1.0)
    expected, total = [], 0.0
    for step in evidence(truth, risk, DOUBLE):
        total = max(0.0, total + step)
        expected.append(total)
    assert chart.sum == pytest.approx(expected)
    assert chart.alarm == next(k for k, value in enumerate(expected) if value >= 1.0)
    assert chart.since == 3
    assert cusum(truth, risk, DOUBLE, limit=9.0).alarm is None


def exact_alarm(p: float, shift: Shift, limit: float, horizon: int) -> float:
    """Chance of an alarm for one risk, by following every value that the sum can have."""
    down, up = evidence([False, True], [p, p], shift)
    states, alarm = {0.0: 1.0}, 0.0
    for _ in range(horizon):
        after: dict[float, float] = {}
        for value, chance in states.items():
            for step, share in ((down, 1 - p), (up, p)):
                new = round(max(0.0, value + float(step)), 9)
                if new >= limit:
                    alarm += chance * share
                else:
                    after[new] = after.get(new, 0.0) + chance * share
        states = after
    return alarm


@pytest.mark.parametrize("shift", [DOUBLE, HALF, Shift(slope=0.5, centre=-3.0)])
def test_the_limit_is_passed_as_often_as_is_told(shift: Shift) -> None:
    limit = cusum_limit([0.2], shift, horizon=100, level=0.05)
    assert 0.02 < exact_alarm(0.2, shift, limit, 100) <= 0.062


def test_false_alarms_and_detection_of_a_shift() -> None:
    """200 runs of 150 outcomes each: as predicted, and with all odds doubled."""
    rng = np.random.default_rng(4)
    reference = expit(rng.normal(-1.4, 1, 500))
    limit = cusum_limit(reference, DOUBLE, horizon=150, level=0.05)

    def alarms(odds: float) -> float:
        found = []
        for _ in range(200):
            risk = rng.choice(reference, 150)
            truth = rng.random(150) < expit(logit(risk) + np.log(odds))
            found.append(cusum(truth, risk, DOUBLE, limit).alarm is not None)
        return float(np.mean(found))

    assert alarms(1.0) <= 0.09
    assert alarms(2.0) > 0.8


def test_what_is_no_risk_is_refused() -> None:
    for risk in ([1.2], [float("nan")]):
        with pytest.raises(StatisticsError, match="outside 0 to 1"):
            evidence([True], risk, DOUBLE)
    with pytest.raises(StatisticsError, match="no risk"):
        cusum_limit([], DOUBLE, horizon=10, level=0.05)
    assert np.isfinite(evidence([True, False], [0.0, 1.0], DOUBLE)).all()
