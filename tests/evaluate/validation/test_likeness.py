"""Scans of a new place against those that a model learned from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from hemocast.errors import StatisticsError
from hemocast.evaluate.validation.likeness import compare_tables, count_doubted


def test_more_doubted_scans_than_chance_gives_are_drift() -> None:
    usual, many = count_doubted(200, 3), count_doubted(200, 9)
    assert usual
    assert many
    assert not usual.drifted
    assert many.drifted
    assert many.p == pytest.approx(binom.sf(8, 200, 0.01))
    assert count_doubted(0, 0) is None


def write(path: Path, shift: float, n: int = 120) -> Path:
    """Write scans, of one patient each but for the first two, whose infarcts are larger."""
    rng = np.random.default_rng(int(shift * 10))
    rows = [
        f"p{max(i, 1)},s{i},{rng.beta(2, 8):.4f},{rng.normal(30 + shift, 5):.2f}" for i in range(n)
    ]
    path.write_text("\n".join(["participant_id,scan_id,probability,infarct_ml", *rows]) + "\n")
    return path


def test_a_sign_that_moved_is_told_and_one_that_did_not_is_not(tmp_path: Path) -> None:
    found = compare_tables(write(tmp_path / "a.csv", 0), write(tmp_path / "b.csv", 6))
    told = {one.feature: one for one in found}
    assert told["infarct_ml"].alarm
    assert not told["probability"].alarm
    drift = told["infarct_ml"].drift
    assert drift
    assert (drift.n_reference, drift.n) == (119, 119)  # one scan a patient


def test_a_reference_of_few_scans_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StatisticsError, match="holds 29 scans"):
        compare_tables(write(tmp_path / "a.csv", 0, 30), write(tmp_path / "b.csv", 0))
