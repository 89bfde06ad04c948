import subprocess
import sys

import numpy as np
import pytest

from hemocast.errors import StatisticsError
from hemocast.stats import METRICS, Cases, Resampling, evaluate


def test_the_whole_of_it() -> None:
    rng = np.random.default_rng(0)
    label = rng.random(100) < 0.4
    probability = 1 / (1 + np.exp(-rng.normal(2 * label - 1, 1)))
    patient = rng.integers(0, 80, 100)
    result = evaluate(Cases(label, probability, patient), 0.5, resampling=Resampling(300, seed=2))
    assert (result.n, result.n_patients) == (100, np.unique(patient).size)
    assert result.n_positive == label.sum()
    assert result.prevalence == pytest.approx(label.mean())
    assert result.confusion.tp + result.confusion.fn == label.sum()
    assert [name for name, _ in result.items()] == list(METRICS)
    assert result["sensitivity"].value == pytest.approx(result.confusion.tp / label.sum())
    assert result["auc"].value == pytest.approx(result.auc_delong.value)
    assert result.auc_delong.ci_low == pytest.approx(result["auc"].ci_low, abs=0.05)
    assert "clustered" in result.auc_delong.ci_method
    assert result == evaluate(
        Cases(label, probability, patient), 0.5, resampling=Resampling(300, seed=2)
    )


def test_one_scan_a_patient_is_plain_delong() -> None:
    result = evaluate(
        Cases([0, 1, 0, 1, 1], [0.2, 0.6, 0.7, 0.8, 0.9], range(5)), 0.5, resampling=Resampling(200)
    )
    assert result.auc_delong.ci_method == "DeLong, logit"


def test_one_class_is_answered_with_reasons() -> None:
    result = evaluate(Cases([1, 1, 1], [0.2, 0.6, 0.7], range(3)), 0.5, resampling=Resampling(200))
    assert np.isnan(result["auc"].value)
    assert result["auc"].warning == "undefined: every case has the outcome"
    assert result.auc_delong.warning == "undefined: every case has the outcome"
    assert result["sensitivity"].value == pytest.approx(2 / 3)


def test_bad_rows_are_refused() -> None:
    with pytest.raises(StatisticsError, match="patients of shape"):
        evaluate(Cases([0, 1], [0.1, 0.2], [1]), 0.5)
    with pytest.raises(StatisticsError, match="missing or infinite"):
        evaluate(Cases([0, 1], [0.1, float("nan")], [1, 2]), 0.5)


def test_the_room_needs_numpy_and_scipy_alone() -> None:
    code = "import sys, hemocast.stats; print([m for m in ('torch', 'pandas', 'sklearn', " \
        "'matplotlib', 'pydantic', 'hemocast.volume') if m in sys.modules])"  # fmt: skip
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert printed.stdout.strip() == b"[]"
