from __future__ import annotations

import csv
import shutil

import numpy as np
import pytest

from hemocast import dicom
from hemocast.errors import NothingThere, OutputExists
from hemocast.simulate import MARK, read_truth, scan_patient, simulate_cohort
from hemocast.simulate.scanner.vendors import VENDORS


@pytest.mark.slow
def test_one_and_two_workers_write_the_same_bytes(cohort, small_config, contents, tmp_path):
    calls = []
    simulate_cohort(
        small_config,
        tmp_path / "two",
        workers=2,
        progress=lambda done, of: calls.append((done, of)),
    )
    assert contents(tmp_path / "two") == contents(cohort.folder)
    total = sum(p.n_scans for p in cohort.patients)
    assert calls[-1] == (total, total)


def test_an_interrupted_cohort_is_finished_not_begun_again(
    cohort, small_config, contents, tmp_path
):
    class StoppedError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done:
            raise StoppedError

    out = tmp_path / "cohort"
    with pytest.raises(StoppedError):
        simulate_cohort(small_config, out, progress=stop)
    assert not (out / "labels.csv").exists()
    finished = {p: p.stat().st_mtime_ns for p in (out / "dicom").rglob("*") if p.is_file()}
    assert finished
    (out / "unfinished" / "left").mkdir(parents=True)  # as a kill would leave it
    simulate_cohort(small_config, out)
    assert contents(out) == contents(cohort.folder)
    assert all(p.stat().st_mtime_ns == then for p, then in finished.items())


def test_another_cohort_or_other_work_is_not_overwritten(cohort, small_config, tmp_path):
    with pytest.raises(OutputExists):
        simulate_cohort(small_config.model_copy(update={"seed": 6}), cohort.folder)
    with pytest.raises(OutputExists):
        simulate_cohort(small_config, cohort.folder, format="dataset")
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputExists):
        simulate_cohort(small_config, tmp_path)


def test_dicom_reads_back_with_the_geometry_it_was_made_with(cohort, small_config):
    checked_tilt = False
    for patient in cohort.patients:
        for scan in patient.scans:
            volume = dicom.read(cohort.dicom / scan.folder)
            frames = scan_patient(small_config, patient, scan)
            assert volume.spacing == pytest.approx(
                (small_config.slice_mm, 230 / 64, 230 / 64), abs=0.01
            )
            assert len(volume.hu) == len(frames.hu)
            if scan.protocol.tilt_degrees:
                checked_tilt = True
                assert any("tilt" in text for text in volume.source.corrected)
            else:
                kept = np.clip(np.rint(frames.hu), -1024, 3071)
                assert np.array_equal(volume.hu, kept)
                corner = frames.positions[0] * [-1, -1, 1]
                assert volume.affine[:3, 3] == pytest.approx(corner, abs=0.01)
    assert checked_tilt


def test_everything_says_that_it_is_simulated(cohort):
    import pydicom

    files = [
        p for part in ("dicom", "bleeds") for p in (cohort.folder / part).rglob("*") if p.is_file()
    ]
    assert files
    assert not any(p.suffix for p in files)
    for path in files:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        assert str(header.PatientName).startswith("SIMULATED^")
        assert header.SeriesDescription.startswith(MARK)
        assert header.ImageComments == MARK
        assert header.InstitutionName == "SIMULATED"
    assert (cohort.folder / "README.txt").read_text().startswith("SIMULATED")


def test_the_truth_lies_apart_from_what_a_model_may_see(cohort, hidden):
    names = {p.name for p in cohort.folder.iterdir()}
    assert names == {
        "README.txt", "simulation.yaml", "labels.csv", "clinical.csv", "followup.csv",
        "reviews.csv", "dicom", "bleeds", "truth",
    }  # fmt: skip
    assert {p.name for p in (cohort.folder / "truth").iterdir()} == {
        "patients.csv", "scans.csv", "ceilings.csv", "masks",
    }  # fmt: skip
    inside = {p.name for p in cohort.dicom.iterdir()}
    assert inside == {s.folder for p in cohort.patients for s in p.scans}
    with cohort.clinical.open() as opened:
        columns = set(next(csv.reader(opened)))
    assert not columns & {
        "label", "risk", "volume_ml", "uptake", "territory", "side", "ht_grade", "aspects",
    }  # fmt: skip
    seen = [p for p in cohort.dicom.rglob("*") if p.is_file()]
    for path in [*seen, cohort.clinical]:
        content = path.read_bytes()
        assert not any(text in content for text in hidden(cohort)), path


def test_the_ceilings_are_written_and_told(cohort):
    with (cohort.folder / "truth" / "ceilings.csv").open() as opened:
        rows = {r["ceiling"]: r for r in csv.DictReader(opened)}
    assert list(rows) == ["true", "image", "clinical"]
    assert float(rows["image"]["expected"]) == pytest.approx(0.9, abs=0.01)
    told = {best.ceiling: best.cohort for best in cohort.ceilings()}
    assert float(rows["true"]["cohort"]) == pytest.approx(told["true"])


def test_numbers_of_the_truth_have_nine_digits(cohort):
    with (cohort.folder / "truth" / "patients.csv").open() as opened:
        for row, patient in zip(csv.DictReader(opened), cohort.patients, strict=True):
            for name in ("risk", "risk_image", "risk_clinical"):
                assert row[name] == f"{getattr(patient, name):.9g}"
                assert len(row[name].split("e")[0].replace("0.", "").replace(".", "")) <= 12


def test_tables_agree_with_the_truth(cohort):
    with cohort.labels.open() as opened:
        rows = list(csv.DictReader(opened))
    assert [(r["patient_id"], int(r["label"])) for r in rows] == [
        (p.patient_id, p.label) for p in cohort.patients
    ]
    with (cohort.folder / "truth" / "scans.csv").open() as opened:
        studies = {r["study"] for r in csv.DictReader(opened)}
    assert studies == {
        p.name for part in ("dicom", "bleeds") for p in (cohort.folder / part).iterdir()
    }
    assert read_truth(cohort.folder).patients == cohort.patients


def test_masks_hold_the_infarct(cohort):
    import nibabel

    patient = max(cohort.patients, key=lambda p: p.infarct.volume_ml)
    mask = nibabel.load(cohort.folder / "truth" / "masks" / f"{patient.scans[0].folder}.nii.gz")
    voxel_ml = abs(np.linalg.det(mask.affine[:3, :3])) / 1000
    volume = np.asarray(mask.dataobj).sum() * voxel_ml
    assert volume == pytest.approx(patient.infarct.volume_ml, rel=0.25)  # coarse images


def test_bleeds_are_written_for_ht_patients_only(cohort):
    bled = {p.bleed.folder for p in cohort.patients if p.bleed}
    assert len(bled) == sum(p.label for p in cohort.patients)
    assert {p.name for p in (cohort.folder / "bleeds").iterdir()} == bled


def test_no_cohort_there(tmp_path):
    with pytest.raises(NothingThere):
        read_truth(tmp_path)


def test_vendors_write_their_own_headers(cohort):
    import pydicom

    for patient in cohort.patients:
        for scan in patient.scans:
            first = next((cohort.dicom / scan.folder).iterdir())
            header = pydicom.dcmread(first, stop_before_pixels=True)
            assert header.Manufacturer == VENDORS[scan.vendor].manufacturer


def test_a_study_that_was_lost_is_made_again(cohort, small_config, contents, tmp_path):
    out = tmp_path / "cohort"
    shutil.copytree(cohort.folder, out)
    shutil.rmtree(out / "dicom" / cohort.patients[0].scans[0].folder)
    simulate_cohort(small_config, out)
    assert contents(out) == contents(cohort.folder)
