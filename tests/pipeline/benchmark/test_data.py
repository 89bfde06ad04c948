"""Cohorts that are none, or the same twice, are refused; risks find their patients."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from hemocast.errors import NothingThere, TableError
from hemocast.pipeline.benchmark import BenchmarkData, FreshPatients


def test_risks_find_their_patients_in_any_order(cohorts: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "fresh"
    shutil.copytree(cohorts[1], other)
    path = other / "truth" / "patients.csv"
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, *reversed(rows)]) + "\n")
    first, second = FreshPatients.of(cohorts[1]), FreshPatients.of(other)
    np.testing.assert_array_equal(first.image_risk, second.image_risk)
    assert first.cases.n == 80
    assert first.known().patient.max() == 59


@pytest.mark.parametrize("fault", ["column", "patient", "word"])
def test_a_truth_that_does_not_fit_is_refused(
    fault: str, cohorts: tuple[Path, Path], tmp_path: Path
) -> None:
    other = tmp_path / "fresh"
    shutil.copytree(cohorts[1], other)
    path = other / "truth" / "patients.csv"
    text = path.read_text()
    changed = {
        "column": text.replace("risk_image", "something"),
        "patient": text.replace("sub-003", "sub-903"),
        "word": text.replace("sub-003,0", "sub-003,x0"),
    }
    path.write_text(changed[fault])
    with pytest.raises(TableError):
        FreshPatients.of(other)


def test_a_cohort_without_truth_or_a_copy_of_the_other(
    cohorts: tuple[Path, Path], tmp_path: Path
) -> None:
    shutil.copytree(cohorts[0], tmp_path / "copy")
    with pytest.raises(TableError, match="are the same"):
        BenchmarkData.of(cohorts[0], tmp_path / "copy")
    (tmp_path / "copy" / "truth" / "patients.csv").unlink()
    with pytest.raises(NothingThere):
        FreshPatients.of(tmp_path / "copy")
