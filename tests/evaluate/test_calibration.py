from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from hemocast.evaluate import calibration as evaluate_calibration
from hemocast.evaluate import run
from hemocast.evaluate.calibration import evaluate_calibration as calibrated
from hemocast.pipeline.evaluate import EvaluationOptions, Tables, evaluate_files
from hemocast.stats import Cases, Resampling, measure_calibration

LINES = ("calibration_in_the_large", "calibration_slope")
DISTANCES = ("ici", "e50", "e90", "emax")


def cohort(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    risk = expit(rng.normal(0, 1.3, n))
    return rng.random(n) < risk, risk


def test_every_measure_has_limits_and_the_curve_a_band() -> None:
    label, risk = cohort(200)
    part = calibrated(Cases(label, risk), Resampling(100))
    metrics, others = dict(part.metrics), dict(part.others)
    assert list(metrics) == [*LINES, *DISTANCES]
    assert list(others) == list(LINES)
    plain = measure_calibration(Cases(label, risk))
    assert metrics["calibration_slope"] == plain.slope
    assert metrics["ici"].value == plain.ici.value
    for estimate in metrics.values():
        assert estimate.ci_low < estimate.ci_high
        assert estimate.warning is None
    assert part.low is not None
    assert part.high is not None
    assert part.at.shape == part.curve.shape == part.low.shape == part.high.shape


def test_scans_of_one_patient_make_the_bootstrap_the_headline() -> None:
    label, risk = cohort(150)
    several = calibrated(Cases(label, risk).part(np.repeat(np.arange(150), 2)), Resampling(100))
    headline = dict(several.metrics)["calibration_slope"]
    other = dict(several.others)["calibration_slope"]
    assert headline.ci_method == "bootstrap of patients, percentile"
    assert other.ci_method == "Wald"
    assert "independent" in str(other.warning)
    # Copies are no new patients.
    assert headline.ci_high - headline.ci_low > 1.2 * (other.ci_high - other.ci_low)


def test_where_resamples_fail_the_values_stay_and_say_why_they_have_no_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from importlib import import_module

    monkeypatch.setattr(import_module("hemocast.stats.calibration.curve"), "_MIN_USABLE", 1.01)
    label, risk = cohort(60)
    part = calibrated(Cases(label, risk), Resampling(50))
    metrics = dict(part.metrics)
    assert part.low is None
    assert part.at.size == 60
    assert metrics["calibration_slope"].ci_method == "Wald"
    assert np.isnan(metrics["ici"].ci_low)
    assert "no interval: only 50 of 50 resamples" in str(metrics["ici"].warning)


def test_what_has_no_calibration_has_a_reason_and_groups() -> None:
    part = calibrated(Cases(np.arange(20) % 2 == 1, np.arange(20) % 2 / 1.0), Resampling(50))
    assert part.metrics == ()
    assert "exactly 0 or 1" in part.reason
    assert part.groups


def test_of_many_scans_a_random_part_is_taken_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (run, evaluate_calibration):
        monkeypatch.setattr(module, "MOST_FOR_CURVE", 100)
    label, risk = cohort(160)
    path = tmp_path / "a.csv"
    rows = [f"p{i},s{i},{label[i]:d},{risk[i]:.5f}" for i in range(160)]
    path.write_text("\n".join(["participant_id,scan_id,label,probability", *rows]) + "\n")
    result = evaluate_files(
        Tables(path), tmp_path / "out", options=EvaluationOptions(resampling=Resampling(100))
    )
    assert any("random 100 scans" in note for note in result.notes)
    ici = dict(result.models[0].calibration.metrics)["ici"]
    assert (ici.n, ici.warning) == (100, "from a random 100 of 160 scans")
    with (tmp_path / "out" / "calibration.csv").open(encoding="utf-8", newline="") as file:
        loess = [row for row in csv.DictReader(file) if row["kind"] == "loess"]
    assert loess
    assert all(float(row["ci_low"]) <= float(row["ci_high"]) for row in loess)
    with (tmp_path / "out" / "metrics.csv").open(encoding="utf-8", newline="") as file:
        slope = [row for row in csv.DictReader(file) if row["metric"] == "calibration_slope"]
    assert [row["headline"] for row in slope] == ["1", "0"]
