"""``fuse_files``: one row a patient, the increment, gaps and treatments told."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from hemocast.errors import OutputExists, UsageError
from hemocast.pipeline.fuse import MODELS, FusedPatients, fuse_files

pytestmark = pytest.mark.usefixtures("undrawn")

N = 300


def write_tables(folder: Path) -> tuple[Path, Path]:
    """Write patients whose risk lies half in the NIHSS, half in the scan; some have two scans."""
    rng = np.random.default_rng(0)
    nihss, scan = rng.integers(0, 30, N), rng.normal(0, 1, N)
    label = (rng.random(N) < expit((nihss - 15) / 7 + scan)).astype(int)
    rows, record = ["participant_id,scan_id,label,probability"], ["participant_id,nihss,treatment"]
    for at in range(N):
        for session in range(1 + (at % 5 == 0)):
            risk = expit(scan[at] + 0.1 * session)
            rows.append(f"p{at:03d},p{at:03d}_{session},{label[at]},{risk:.5f}")
        if at % 20:
            given = "thrombolytic" if at % 3 else "none"
            record.append(f"p{at:03d},{nihss[at]},{given}")
    (folder / "p.csv").write_text("\n".join(rows) + "\n")
    (folder / "c.csv").write_text("\n".join(record) + "\n")
    return folder / "p.csv", folder / "c.csv"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FusedPatients]:
    """Return the folder of a run, and what it returned."""
    folder = tmp_path_factory.mktemp("fuse")
    return folder / "out", fuse_files(*write_tables(folder), folder / "out", 100)


def test_the_image_adds_and_everybody_has_one_row(done: tuple[Path, FusedPatients]) -> None:
    out, result = done
    assert len(result.participant) == N
    assert result.increment.auc.ci_low > 0
    assert result.increment.p < 1e-4
    said = json.loads((out / "increment.json").read_text())
    assert said["n"] == N
    assert said["auc_increment"]["value"] == pytest.approx(result.increment.auc.value)
    assert len(said["net_benefit_increment"]) == 5
    with (out / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [sum(row["model"] == name for row in rows) for name in MODELS] == [N - 15, N, N]


def test_gaps_and_treatments_are_told(done: tuple[Path, FusedPatients]) -> None:
    out, result = done
    assert result.fused.image_alone.sum() == 15
    said = json.loads((out / "increment.json").read_text())
    assert said["image_alone"] == 15
    assert {one["treatment"] for one in said["by_treatment"]} == {"none", "thrombolytic", "unknown"}
    assert "unknown" in said["treatment_interaction"]["warning"]
    assert said["treatment_interaction"]["df"] == 2


def test_several_models_and_somebodys_folder_are_refused(tmp_path: Path) -> None:
    predictions, clinical = write_tables(tmp_path)
    head, *rows = predictions.read_text().splitlines()
    two = [f"{row},{name}" for name in "ab" for row in rows]
    (tmp_path / "two.csv").write_text("\n".join([head + ",model", *two]) + "\n")
    with pytest.raises(UsageError, match="2 models"):
        fuse_files(tmp_path / "two.csv", clinical, tmp_path / "out", 10)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "notes.txt").write_text("mine")
    with pytest.raises(OutputExists):
        fuse_files(predictions, clinical, tmp_path / "theirs", 10)


def test_simulated_predictions_stay_called_so(tmp_path: Path) -> None:
    predictions, clinical = write_tables(tmp_path)
    head, *rows = predictions.read_text().splitlines()
    marked = [head + ",simulated", *(f"{row},1" for row in rows)]
    predictions.write_text("\n".join(marked) + "\n")
    assert fuse_files(predictions, clinical, tmp_path / "out", 10).simulated
    assert json.loads((tmp_path / "out" / "increment.json").read_text())["simulated"] is True
    assert "probability,simulated\n" in (tmp_path / "out" / "predictions.csv").read_text()
