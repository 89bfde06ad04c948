"""Paths in, results out: every scan its folder, every bad case its code, nothing half-written."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from hemocast.evaluate.inputs.predictions import read_predictions
from hemocast.model import Model
from hemocast.pipeline.predict import CaseResult, predict_paths
from hemocast.simulate import MARK, Truth
from hemocast.volume import Source

FILES = {"prediction.json", "montage.png", "report.html", "heatmap.nii.gz"}


def _table(out: Path) -> list[dict[str, str]]:
    with (out / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _run(paths: list[Path], model, out: Path) -> list[CaseResult]:
    return list(predict_paths(paths, model.trained.model, out))


@pytest.fixture
def scan(cohort: Truth) -> Path:
    """A DICOM folder of one simulated scan."""
    return cohort.dicom / cohort.patients[0].scans[0].folder


def test_a_scan_gives_all_its_files(scan: Path, model, tmp_path: Path) -> None:
    (result,) = _run([scan], model, tmp_path)
    assert result.status == "done"
    assert result.folder is not None
    assert {path.name for path in result.folder.iterdir()} == FILES
    content = json.loads((result.folder / "prediction.json").read_text())
    assert content["schema_version"] == 1
    assert content["scan_id"] == result.scan_id
    assert 0 <= content["probability_interval"][0] <= content["probability"] <= 1
    assert content["simulated_training_data"] is True
    page = (result.folder / "report.html").read_text()
    assert "not for clinical use" in page


def test_everything_simulated_says_so(scan: Path, model, tmp_path: Path) -> None:
    (result,) = _run([scan], model, tmp_path)
    assert result.folder is not None
    content = json.loads((result.folder / "prediction.json").read_text())
    assert any("simulated" in flag.lower() for flag in content["flags"])
    assert "SIMULATED" in MARK
    assert result.simulated
    assert _table(tmp_path)[0]["simulated"] == "1"


class _TrainedOnPatients:
    """A model like the given one, whose training data were no simulation."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.description = model.description.model_copy(update={"simulated_training_data": False})

    def __getattr__(self, name: str) -> object:
        return getattr(self._model, name)


@pytest.mark.parametrize("simulated_scan", [True, False])
def test_a_scan_or_its_models_training_makes_a_row_simulated(
    scan: Path, model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, simulated_scan: bool
) -> None:
    if not simulated_scan:
        monkeypatch.setattr(Source, "simulated", property(lambda _: False))
    plain = _TrainedOnPatients(model.trained.model)
    (by_scan,) = predict_paths([scan], plain, tmp_path / "a")  # type: ignore[arg-type]
    (by_model,) = predict_paths([scan], model.trained.model, tmp_path / "b")
    assert (by_scan.simulated, by_model.simulated) == (simulated_scan, True)
    assert _table(tmp_path / "a")[0]["simulated"] == str(int(simulated_scan))


def test_evaluating_a_predicted_table_says_simulated(dataset, model, tmp_path: Path) -> None:
    paths = sorted(dataset.root.glob("sub-*/ses-01/ct/*_ct.nii.gz"))[:4]
    _run(paths, model, tmp_path / "out")
    rows = [row | {"label": i % 2} for i, row in enumerate(_table(tmp_path / "out"))]
    with (tmp_path / "labelled.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    table = read_predictions(tmp_path / "labelled.csv")
    assert table.simulated
    assert table.groupings == ()
    assert table.unused == ()


def test_the_heatmap_lies_on_the_scans_own_grid(scan: Path, model, tmp_path: Path) -> None:
    from hemocast import dicom

    (result,) = _run([scan], model, tmp_path)
    assert result.folder is not None
    heat = nibabel.load(result.folder / "heatmap.nii.gz")
    volume = dicom.read(scan)
    assert heat.shape == volume.hu.shape[::-1]
    assert np.allclose(heat.affine, volume.affine, atol=1e-3)


def test_a_zip_and_its_folder_give_the_same(scan: Path, model, tmp_path: Path) -> None:
    archive = tmp_path / "scan.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for path in scan.iterdir():
            opened.write(path, path.name)
    first, second = _run([scan, archive], model, tmp_path / "out")
    assert first.scan_id == second.scan_id
    assert first.prediction is not None
    assert second.prediction is not None
    assert first.prediction.probability == second.prediction.probability
    assert len(_table(tmp_path / "out")) == 2


def test_a_nifti_of_a_dataset_keeps_its_names(dataset, model, tmp_path: Path) -> None:
    path = next(dataset.root.glob("sub-*/ses-01/ct/*_ct.nii.gz"))
    (result,) = _run([path], model, tmp_path)
    assert result.scan_id == path.name.removesuffix("_ct.nii.gz")
    assert _table(tmp_path)[0]["participant_id"] == path.name.split("_")[0]


def test_bad_cases_cost_only_themselves(cohort: Truth, scan: Path, model, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    text = tmp_path / "text"
    text.mkdir()
    (text / "a.dcm").write_text("not an image")
    gap = tmp_path / "gap"
    shutil.copytree(scan, gap)
    from hemocast import dicom

    middle = dicom.read(scan).slices[15][0]
    _remove_image(gap, middle)
    two = tmp_path / "two"
    shutil.copytree(scan, two / "a")
    shutil.copytree(cohort.dicom / cohort.patients[1].scans[0].folder, two / "b")
    paths = [empty, tmp_path / "missing", text, gap, two, scan]
    results = _run(paths, model, tmp_path / "out")
    assert [result.code for result in results] == ["HC101", "HC101", "HC102", "HC203", "HC202", ""]
    table = _table(tmp_path / "out")
    assert [row["case"] for row in table] == list("123456")
    assert [row["status"] for row in table] == ["refused"] * 5 + ["done"]
    text_of_table = (tmp_path / "out" / "predictions.csv").read_text()
    assert str(tmp_path) not in text_of_table
    assert all(patient.patient_id not in text_of_table for patient in cohort.patients)


def _remove_image(folder: Path, sop_uid: str) -> None:
    import pydicom

    for path in folder.iterdir():
        if pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID == sop_uid:
            path.unlink()
            return
    raise AssertionError("no such image")


def test_nothing_half_written_stays_when_writing_fails(
    scan: Path, model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hemocast import report

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(report, "write_case_page", fail)
    (result,) = _run([scan], model, tmp_path)
    assert result.status == "failed"
    assert result.code == "HC999"
    log = Path(result.message.split("its cause is in ")[1].split()[0].rstrip("."))
    assert "disk full" in log.read_text()
    assert "disk full" not in result.message
    assert {path.name for path in tmp_path.iterdir()} == {"predictions.csv"}


def test_predicting_again_replaces_the_result(scan: Path, model, tmp_path: Path) -> None:
    (first,) = _run([scan], model, tmp_path)
    assert first.folder is not None
    (first.folder / "prediction.json").write_text("old")
    (second,) = _run([scan], model, tmp_path)
    assert second.folder == first.folder
    assert json.loads((first.folder / "prediction.json").read_text())["scan_id"] == first.scan_id
