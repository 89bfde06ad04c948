from __future__ import annotations

import csv
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast import dicom
from hemocast.errors import InUse, NoSpace, NothingThere, NotWritable, OutputExists
from hemocast.simulate import MARK, read_truth, scan_patient, simulate_cohort
from hemocast.simulate.scanner.vendors import VENDORS
from hemocast.simulate.write.dicom import DicomWriter
from hemocast.version import SIMULATOR_VERSION


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
    cohort, small_config, begin, contents, tmp_path
):
    out = tmp_path / "cohort"
    begin(small_config, out)
    assert not (out / "labels.csv").exists()
    finished = {p: p.stat().st_mtime_ns for p in (out / "dicom").rglob("*") if p.is_file()}
    assert finished
    (out / "dicom" / ".hemocast-12" / "left").mkdir(parents=True)  # as a kill would leave it
    simulate_cohort(small_config, out)
    assert contents(out) == contents(cohort.folder)
    assert all(p.stat().st_mtime_ns == then for p, then in finished.items())


def test_another_cohort_or_format_is_not_written_over_one(cohort, small_config, contents):
    before = contents(cohort.folder)
    with pytest.raises(OutputExists):
        simulate_cohort(small_config.model_copy(update={"seed": 6}), cohort.folder)
    with pytest.raises(OutputExists):
        simulate_cohort(small_config, cohort.folder, format="dataset")
    assert contents(cohort.folder) == before


NAMES = st.sampled_from(
    ["notes.txt", "simulation.yaml", "labels.csv", "unfinished/scan.dcm", "dicom/a/b", "truth/x",
     "dataset/participants.tsv", "stacks/stacks.npy", "README.txt", ".hemocast-1/kept"]
)  # fmt: skip


@settings(max_examples=20)
@given(
    files=st.dictionaries(NAMES, st.binary(max_size=20), min_size=1),
    format=st.sampled_from(["dicom", "dataset", "stacks"]),
)
def test_nothing_of_a_users_folder_changes(small_config, contents, files, format):
    config = small_config.model_copy(update={"masks": False})
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        for path, content in files.items():
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            (out / path).write_bytes(content)
        before = {p: p.read_bytes() for p in out.rglob("*") if p.is_file()}
        with pytest.raises(OutputExists):
            simulate_cohort(config, out, format=format)
        assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file()} == before


def test_what_a_user_adds_to_a_cohort_stays_and_what_was_changed_is_refused(
    cohort, small_config, contents, tmp_path
):
    out = tmp_path / "cohort"
    shutil.copytree(cohort.folder, out)
    (out / "unfinished").mkdir()
    (out / "unfinished" / "notes.txt").write_text("mine")
    (out / "truth" / "plot.py").write_text("mine")
    simulate_cohort(small_config, out)
    assert contents(out) == contents(cohort.folder) | {
        "unfinished/notes.txt": b"mine", "truth/plot.py": b"mine",
    }  # fmt: skip
    (out / "labels.csv").write_text("patient_id,label\nSIM0001,0\n")
    shutil.rmtree(out / "dicom" / cohort.patients[0].scans[0].folder)
    with pytest.raises(OutputExists, match=r"labels\.csv"):
        simulate_cohort(small_config, out)
    assert (out / "labels.csv").read_text().endswith("SIM0001,0\n")
    assert not (out / "dicom" / cohort.patients[0].scans[0].folder).exists()  # before any work


def test_a_folder_of_the_version_before_is_finished(cohort, small_config, contents, tmp_path):
    out = tmp_path / "cohort"
    shutil.copytree(cohort.folder, out)
    for path in out.glob(".hemocast*"):  # it kept no record
        path.unlink()
    (out / "labels.csv").unlink()
    shutil.rmtree(out / "bleeds")
    simulate_cohort(small_config, out)
    assert contents(out) == contents(cohort.folder)


def test_an_output_that_is_a_file_is_refused(small_config, tmp_path):
    (tmp_path / "cohort").write_text("mine")
    with pytest.raises(NotWritable) as refused:
        simulate_cohort(small_config, tmp_path / "cohort")
    assert refused.value.code == "HC005"
    assert (tmp_path / "cohort").read_text() == "mine"


def test_two_at_once_are_refused(small_config, tmp_path):
    def again(done: int, total: int) -> None:
        with pytest.raises(InUse):
            simulate_cohort(small_config, tmp_path / "cohort")
        raise StoppedError

    class StoppedError(Exception):
        pass

    with pytest.raises(StoppedError):
        simulate_cohort(small_config, tmp_path / "cohort", progress=again)


@pytest.mark.parametrize("format", ["dicom", "dataset", "stacks"])
def test_a_full_disk_is_foreseen(small_config, tmp_path, monkeypatch, format):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=100_000))
    config = small_config.model_copy(update={"masks": False})
    with pytest.raises(NoSpace):
        simulate_cohort(config, tmp_path / "cohort", format=format)
    assert not [p for p in (tmp_path / "cohort").iterdir() if not p.name.startswith(".")]


def test_the_space_asked_for_is_about_what_is_written(cohort):
    missing = DicomWriter(cohort.config, cohort.patients, Path("nowhere"), 1, lambda *_: None)
    parts = [cohort.folder / part for part in ("dicom", "bleeds")]
    written = sum(p.stat().st_size for part in parts for p in part.rglob("*") if p.is_file())
    assert written / 2 < missing.space() < written * 2
    there = DicomWriter(cohort.config, cohort.patients, cohort.folder, 1, lambda *_: None)
    assert there.space() == 0


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
    readme = (cohort.folder / "README.txt").read_text()
    assert readme.startswith(f"SIMULATED by version {SIMULATOR_VERSION} of the simulator")
    ceilings = (cohort.folder / "truth" / "ceilings.csv").read_text().splitlines()
    assert ceilings[0].endswith(",simulator")
    assert all(row.endswith(f",{SIMULATOR_VERSION}") for row in ceilings[1:])


def test_a_cohort_of_the_first_simulator_is_not_finished_by_this_one(cohort, tmp_path):
    """Its pixels are others: one folder never holds both, and its truth can still be read."""
    old = tmp_path / "old"
    shutil.copytree(cohort.folder, old)
    settings = old / "simulation.yaml"
    settings.write_text("\n".join(settings.read_text().splitlines()[1:]) + "\n")  # names none
    assert read_truth(old).patients == cohort.patients
    with pytest.raises(OutputExists, match="version of the simulator"):
        simulate_cohort(cohort.config, old)


def test_the_truth_lies_apart_from_what_a_model_may_see(cohort, hidden, visible_names):
    assert visible_names(cohort.folder) == {
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


def test_the_ceilings_are_written_and_returned(cohort):
    with (cohort.folder / "truth" / "ceilings.csv").open() as opened:
        rows = {r["ceiling"]: r for r in csv.DictReader(opened)}
    assert list(rows) == ["true", "image", "clinical"]
    assert float(rows["image"]["expected"]) == pytest.approx(0.9, abs=0.01)
    best = {auc.ceiling: auc.cohort for auc in cohort.ceilings()}
    assert float(rows["true"]["cohort"]) == pytest.approx(best["true"])


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
