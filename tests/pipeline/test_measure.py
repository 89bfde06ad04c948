"""One row a scan, whole after each; a bad path costs that one alone."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from hemocast.dicom import write_nifti
from hemocast.errors import OutputExists
from hemocast.pipeline.measure import COLUMNS, MeasuredScan, measure_cases
from hemocast.pipeline.predictions.cases import cases_of
from hemocast.simulate import Edema, Infarct, Person, Protocol, Stroke, render_head
from hemocast.volume import Volume


@pytest.fixture(scope="module")
def swollen() -> Volume:
    """Return a head whose infarct, on the left, pushes the midline to the right."""
    stroke = Stroke(Infarct("MCA", "left", 200.0), Edema(0.3, 8.0))
    return render_head(4, Person(70), stroke, protocol=Protocol(noise_hu=3.0))


@pytest.fixture(scope="module")
def scan(swollen: Volume, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scan") / "head.nii.gz"
    write_nifti(swollen.hu, swollen.affine, path, description="SIMULATED")
    return path


def test_every_scan_has_a_row_and_a_bad_path_a_code(scan: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    results = []
    for result in measure_cases(cases_of([scan, tmp_path / "missing"]), out):
        results.append(result)
        assert len(pd.read_csv(out / "measurements.csv")) == len(results)
    assert [result.status for result in results] == ["done", "refused"]
    table = pd.read_csv(out / "measurements.csv", keep_default_na=False)
    assert tuple(table.columns) == COLUMNS
    done, refused = table.to_dict("records")
    assert done["midline_shift_to"] == "right", "away from the swollen infarct"
    assert float(done["slice_mm"]) == pytest.approx(5)
    low, size, high = (float(done[f"midline_shift_{n}"]) for n in ("low_mm", "mm", "high_mm"))
    assert 0 <= low < size < high
    assert 0 < float(done["fluid_share"]) < 1
    assert done["simulated"] == 1
    assert done["infarct_seen"] == "1"
    assert done["infarct_side"] == "left"
    assert done["infarct_territory"] == "MCA"
    mask = nib.nifti1.load(out / "masks" / f"{done['scan_id']}.nii.gz")
    scanned = nib.nifti1.load(scan)
    assert mask.shape == scanned.shape
    np.testing.assert_allclose(mask.affine, scanned.affine, atol=1e-4)
    ml = float(mask.get_fdata().sum()) * np.prod(mask.header.get_zooms()) / 1000
    assert 0.6 * float(done["infarct_ml"]) < ml < 1.6 * float(done["infarct_ml"])
    assert done["scan_id"].startswith("scan-")
    assert refused["code"] == "HC101"
    assert str(scan) not in (out / "measurements.csv").read_text()
    assert (out / "names.json").stat().st_mode & 0o077 == 0


def test_a_table_that_somebody_changed_is_refused_before_work(tmp_path: Path) -> None:
    cases = cases_of([tmp_path / "missing"])
    assert [result.code for result in measure_cases(cases, tmp_path / "out")] == ["HC101"]
    (tmp_path / "out" / "measurements.csv").write_text("mine")
    with pytest.raises(OutputExists):
        next(iter(measure_cases(cases, tmp_path / "out")))
    assert (tmp_path / "out" / "measurements.csv").read_text() == "mine"


def test_another_run_keeps_other_scans_and_what_users_wrote(scan: Path, tmp_path: Path) -> None:
    path = tmp_path / "out" / "measurements.csv"
    list(measure_cases(cases_of([scan]), path.parent))
    first = pd.read_csv(path, dtype=str, keep_default_na=False).assign(reader="me")
    first.to_csv(path, index=False)
    list(measure_cases(cases_of([tmp_path / "missing"]), path.parent))
    now = pd.read_csv(path, dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(now[now["status"] == "done"], first)
    assert list(now["code"]) == ["", "HC101"]


def test_what_cannot_be_measured_is_an_empty_cell() -> None:
    row = MeasuredScan(1, "refused", "HC302", "no\nbrain").row()
    assert row["message"] == "no brain"
    assert "midline_shift_mm" not in row
    assert set(row) < set(COLUMNS)


def test_a_run_that_goes_on_leaves_what_is_done(scan: Path, tmp_path: Path) -> None:
    cases = cases_of([scan])
    list(measure_cases(cases, tmp_path / "out"))
    before = (tmp_path / "out" / "measurements.csv").read_bytes()
    assert [one.status for one in measure_cases(cases, tmp_path / "out", resume=True)] == [
        "skipped"
    ]
    assert (tmp_path / "out" / "measurements.csv").read_bytes() == before
