import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from hemocast.errors import StatisticsError
from hemocast.stats import (
    Cases,
    OperatingPoint,
    Widths,
    auc,
    logits_from_c,
    measure_calibration,
    validation_size,
)
from hemocast.stats.planning.validation import net_benefit_variance, newcombe_se


def test_as_pmvalsampsize_gives_it() -> None:
    # Version 0.1.0: prevalence .2, C .78, logits N(-1.75, 1.22); its slope is simulated, and its
    # O/E counts up the standard error in steps.
    size = validation_size(0.2, 0.78, -1.75, 1.22)
    assert size.observed_expected == pytest.approx(1538, rel=0.005)
    assert size.calibration_slope == pytest.approx(2958, rel=0.005)
    assert size.c_statistic == 511
    assert size.required == size.calibration_slope
    assert size.net_benefit is None


def test_o_e_as_riley_has_it() -> None:
    # A standard error of .051 of ln(O/E) is his for a width of .2: n = (1 - p) / (p x .051^2).
    for prevalence in (0.018, 0.1, 0.43):
        expected = (1 - prevalence) / (prevalence * 0.051**2)
        size = validation_size(prevalence, 0.8, *logits_from_c(0.8, prevalence))
        assert size.observed_expected == pytest.approx(expected, rel=0.005)


LOGITS = logits_from_c(0.8, 0.3)


def simulated(n: int, rng: np.random.Generator) -> tuple:
    logits = rng.normal(*LOGITS, n)
    return rng.random(n) < expit(logits), logits


@pytest.mark.parametrize(("c", "prevalence"), [(0.8, 0.3), (0.7, 0.05), (0.95, 0.5)])
def test_logits_have_the_c_statistic_and_prevalence(c: float, prevalence: float) -> None:
    rng = np.random.default_rng(0)
    mean, sd = logits_from_c(c, prevalence)
    logits = rng.normal(mean, sd, 400_000)
    label = rng.random(400_000) < expit(logits)
    assert label.mean() == pytest.approx(prevalence, abs=0.003)
    assert auc(Cases(label, logits)) == pytest.approx(c, abs=0.004)


def test_the_slope_is_as_precise_as_promised() -> None:
    rng = np.random.default_rng(1)
    size = validation_size(0.3, 0.8, *LOGITS, Widths(slope=0.4))
    label, logits = simulated(size.calibration_slope, rng)
    slope = measure_calibration(Cases(label, expit(logits))).slope
    assert slope.ci_high - slope.ci_low == pytest.approx(0.4, rel=0.12)


def test_the_c_statistic_is_as_precise_as_promised() -> None:
    rng = np.random.default_rng(2)
    areas = [auc(Cases(*simulated(400, rng))) for _ in range(1500)]
    assert np.std(areas) == pytest.approx(newcombe_se(0.8, 0.3, 400), rel=0.1)


@settings(max_examples=20, deadline=None)
@given(
    st.floats(0.1, 0.9), st.floats(0.1, 0.6), st.floats(0.1, 0.9), st.floats(0.1, 0.9),
)  # fmt: skip
def test_variance_of_net_benefit_is_that_of_its_derivatives(
    prevalence: float, threshold: float, sensitivity: float, specificity: float
) -> None:
    point = OperatingPoint(threshold, sensitivity, specificity)
    odds = threshold / (1 - threshold)

    def benefit(tp: float, fp: float, events: float) -> float:
        return (tp - odds * fp) / events

    # Cells of one patient are multinomial: TP, FP, FN; delta method with numerical derivatives.
    cells = np.array(
        [
            sensitivity * prevalence,
            (1 - specificity) * (1 - prevalence),
            (1 - sensitivity) * prevalence,
        ]
    )
    covariance = np.diag(cells) - np.outer(cells, cells)
    step = 1e-6

    def at(c: np.ndarray) -> float:
        return benefit(c[0], c[1], c[0] + c[2])

    slope = np.array(
        [(at(cells + step * e) - at(cells - step * e)) / (2 * step) for e in np.eye(3)]
    )
    assert net_benefit_variance(prevalence, point) == pytest.approx(
        slope @ covariance @ slope, rel=1e-4
    )


def test_net_benefit_adds_a_criterion() -> None:
    size = validation_size(
        0.3, 0.8, *LOGITS, Widths(net_benefit=0.05), OperatingPoint(0.3, 0.7, 0.7)
    )
    variance = net_benefit_variance(0.3, OperatingPoint(0.3, 0.7, 0.7))
    assert size.net_benefit == pytest.approx(variance * (1.96 / 0.025) ** 2, rel=0.001)
    assert size.required == size.net_benefit


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"prevalence": 0.0}, "prevalence is 0"),
        ({"c_statistic": 0.5}, "C statistic is 0.5"),
        ({"logit_sd": 0.0}, "standard deviation is 0"),
        ({"widths": Widths(c_statistic=-0.1)}, "width of c statistic"),
        ({"widths": Widths(c_statistic=1e-9)}, "not enough for the C statistic"),
        ({"point": OperatingPoint(1.0, 0.5, 0.5)}, "threshold is 1"),
        ({"point": OperatingPoint(0.3, 50, 0.5)}, "sensitivity is 50"),
    ],
)
def test_refusals(change: dict, seen: str) -> None:
    given = {
        "prevalence": 0.2, "c_statistic": 0.78, "logit_mean": -1.75, "logit_sd": 1.22, **change
    }  # fmt: skip
    with pytest.raises(StatisticsError, match=seen):
        validation_size(**given)


def test_a_nearly_perfect_c_statistic_has_no_normal_logits() -> None:
    with pytest.raises(StatisticsError, match=r"below 0.99"):
        logits_from_c(0.999, 0.3)
