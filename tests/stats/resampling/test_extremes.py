import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.stats import METRICS, Cases, Resampling, bootstrap_metrics
from hemocast.stats.resampling.extremes import _least_precision


def test_perfect_predictions_are_not_certain() -> None:
    label = np.repeat([0, 1], 15)
    result = bootstrap_metrics(
        Cases(label, label.astype(float), range(30)), 0.5, resampling=Resampling(500)
    )
    for name, estimate in zip(METRICS, result.estimates, strict=True):
        downward = name in ("brier", "lr_negative")
        worst, best = (estimate.ci_high, estimate.ci_low) if downward else (
            estimate.ci_low, estimate.ci_high,
        )  # fmt: skip
        assert estimate.ci_method.startswith("exact"), name
        assert best == (0 if downward else np.inf if name == "lr_positive" else 1), name
        assert 1.5 < worst < 10 if name == "lr_positive" else 0.05 < worst < 0.95, name
        assert "exact" in str(estimate.warning), name
    assert result["sensitivity"].ci_low == pytest.approx(0.025 ** (1 / 15))
    assert result["auc"].ci_low == pytest.approx(0.025 ** (1 / 15))


@given(st.integers(2, 40), st.integers(2, 40))
def test_more_patients_make_perfect_predictions_surer(few: int, many: int) -> None:
    few, many = min(few, many), max(few, many) + 1

    def lows(n: int) -> np.ndarray:
        label = np.repeat([0, 1], n)
        result = bootstrap_metrics(
            Cases(label, label.astype(float), range(2 * n)), 0.5, resampling=Resampling(100)
        )
        ends = [
            1 - one.ci_high if name in ("brier", "lr_negative") else one.ci_low
            for name, one in zip(METRICS, result.estimates, strict=True)
        ]
        return np.array(ends)

    assert (lows(few) < lows(many)).all()


def test_scans_of_one_patient_count_once() -> None:
    label = np.repeat([0, 1], 30)
    alone = bootstrap_metrics(
        Cases(label, label.astype(float), range(60)), 0.5, resampling=Resampling(200)
    )
    grouped = bootstrap_metrics(
        Cases(label, label.astype(float), np.arange(60) // 3), 0.5, resampling=Resampling(200)
    )
    assert grouped["sensitivity"].ci_low == pytest.approx(0.025 ** (1 / 10))
    assert alone["sensitivity"].ci_low == pytest.approx(0.025 ** (1 / 30))


def test_always_wrong_is_not_certain_either() -> None:
    label = np.repeat([0, 1], 12)
    result = bootstrap_metrics(
        Cases(label, 1.0 - label, range(24)), 0.5, resampling=Resampling(200)
    )
    for name in ("accuracy", "sensitivity", "f1", "auc", "macro_f1", "balanced_accuracy"):
        assert result[name].value == result[name].ci_low == 0
        assert 0.1 < result[name].ci_high < 0.6


def test_one_patient_alone_gives_no_narrow_interval() -> None:
    result = bootstrap_metrics(
        Cases([0, 1, 1], [0.2, 0.7, 0.3], [7, 7, 7]), 0.5, resampling=Resampling(100)
    )
    for estimate in result.estimates:
        assert np.isnan(estimate.ci_low) or estimate.ci_high - estimate.ci_low > 0.5


def test_an_infinite_likelihood_ratio_has_a_lower_limit_and_a_reason() -> None:
    # 12 of 20 found, no false alarm among 20.
    label = np.repeat([1, 0], 20)
    score = np.concatenate([np.linspace(0.3, 0.8, 20), np.linspace(0, 0.29, 20)])
    score[:8] = 0.2
    estimate = bootstrap_metrics(Cases(label, score, range(40)), 0.3, resampling=Resampling(300))[
        "lr_positive"
    ]
    assert estimate.value == estimate.ci_high == np.inf
    assert 1 < estimate.ci_low < 12
    assert "no case without the outcome was called positive" in str(estimate.warning)


@given(st.floats(0.01, 0.99), st.floats(0.05, 0.95))
def test_no_roc_curve_has_less_average_precision_than_its_area_allows(
    area: float, prevalence: float
) -> None:
    least = _least_precision(area, prevalence)
    assert 0 < least <= 1
    odds = (1 - prevalence) / prevalence
    hits = (np.arange(4000) + 0.5) / 4000
    lost = 1 - area
    for power in (0.0, 0.5, 1.0, 3.0):  # false alarms as a power of sensitivity
        alarms = lost * (power + 1) * hits**power
        if alarms.max() <= 1:
            assert np.mean(hits / (hits + odds * alarms)) >= least - 1e-3
