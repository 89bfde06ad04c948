import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.stats import METRICS, bootstrap_metrics


def test_perfect_predictions_are_not_certain() -> None:
    label = np.repeat([0, 1], 15)
    result = bootstrap_metrics(label, label.astype(float), 0.5, range(30), 500)
    for name, estimate in zip(METRICS, result.estimates, strict=True):
        worst, best = (estimate.ci_high, estimate.ci_low) if name == "brier" else (
            estimate.ci_low, estimate.ci_high,
        )  # fmt: skip
        assert estimate.ci_method.startswith("exact"), name
        assert best == (0 if name == "brier" else 1), name
        assert 0.05 < worst < 0.95, name
        assert "exact" in str(estimate.warning), name
    assert result["sensitivity"].ci_low == pytest.approx(0.025 ** (1 / 15))
    assert result["auc"].ci_low == pytest.approx(0.025 ** (1 / 15))


@given(st.integers(2, 40), st.integers(2, 40))
def test_more_patients_make_perfect_predictions_surer(few: int, many: int) -> None:
    few, many = min(few, many), max(few, many) + 1

    def lows(n: int) -> np.ndarray:
        label = np.repeat([0, 1], n)
        result = bootstrap_metrics(label, label.astype(float), 0.5, range(2 * n), 100)
        return np.array([1 - e.ci_high if m == "brier" else e.ci_low for m, e in zip(
            METRICS, result.estimates, strict=True)])  # fmt: skip

    assert (lows(few) < lows(many)).all()


def test_scans_of_one_patient_count_once() -> None:
    label = np.repeat([0, 1], 30)
    alone = bootstrap_metrics(label, label.astype(float), 0.5, range(60), 200)
    grouped = bootstrap_metrics(label, label.astype(float), 0.5, np.arange(60) // 3, 200)
    assert grouped["sensitivity"].ci_low == pytest.approx(0.025 ** (1 / 10))
    assert alone["sensitivity"].ci_low == pytest.approx(0.025 ** (1 / 30))


def test_always_wrong_is_not_certain_either() -> None:
    label = np.repeat([0, 1], 12)
    result = bootstrap_metrics(label, 1.0 - label, 0.5, range(24), 200)
    for name in ("accuracy", "sensitivity", "f1", "auc", "macro_f1", "balanced_accuracy"):
        assert result[name].value == result[name].ci_low == 0
        assert 0.1 < result[name].ci_high < 0.6


def test_one_patient_alone_gives_no_narrow_interval() -> None:
    result = bootstrap_metrics([0, 1, 1], [0.2, 0.7, 0.3], 0.5, [7, 7, 7], 100)
    for estimate in result.estimates:
        assert np.isnan(estimate.ci_low) or estimate.ci_high - estimate.ci_low > 0.9
