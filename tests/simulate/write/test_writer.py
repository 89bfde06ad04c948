from __future__ import annotations

import pytest

from hemocast.config import SimulateConfig
from hemocast.simulate import draw_cohort
from hemocast.simulate.write.dicom import DicomWriter
from hemocast.simulate.write.writer import CohortWriter, dicom_bytes

CONFIG = SimulateConfig(seed=5, n_ht=1, n_non=1, matrix=64, slice_mm=10, bleeds=True)
PATIENTS = draw_cohort(CONFIG)


class Named(DicomWriter):
    """A writer that names scans as the base does."""

    sessions = CohortWriter.sessions


@pytest.fixture
def writer(tmp_path):
    return Named(CONFIG, PATIENTS, tmp_path, 1, lambda *_: None)


def test_sessions_are_numbered_in_the_order_of_time(writer):
    for patient in PATIENTS:
        names = writer.sessions(patient)
        assert names[0] == f"{patient.patient_id}_ses-01"
        assert len(set(names)) == len(patient.scans)


def test_what_is_missing_is_found_by_its_folder(writer):
    every = [s for p in PATIENTS for s in (*p.scans, p.bleed) if s]
    assert list(writer.missing("dicom")) == every
    for scan in every[1:]:
        part = "bleeds" if scan.bleed else "dicom"
        (writer.out / part / scan.folder).mkdir(parents=True)
    assert list(writer.missing("dicom")) == every[:1]


def test_only_our_own_leftovers_are_removed(writer):
    for part in ("dicom", "bleeds", "truth/masks"):
        (writer.out / part / ".hemocast-12" / "x").mkdir(parents=True)
        (writer.out / part / "mine").mkdir()
        (writer.out / part / ".mine").write_text("mine")
    writer.clean("dicom")
    left = {p.name for part in ("dicom", "bleeds", "truth/masks")
            for p in (writer.out / part).iterdir()}  # fmt: skip
    assert left == {"mine", ".mine"}


def test_a_finer_matrix_and_thinner_slices_need_more_space(writer):
    scan = PATIENTS[0].scans[0]
    fine = draw_cohort(CONFIG.model_copy(update={"matrix": 128, "slice_mm": 5}))[0].scans[0]
    assert dicom_bytes(fine) == 8 * dicom_bytes(scan)


def test_every_patient_is_worked_on_and_progress_adds_up(writer):
    told, seen = [], []
    counting = Named(CONFIG, PATIENTS, writer.out, 1, lambda *step: told.append(step))
    counting.render_each(lambda patient: seen.append(patient) or patient.n_scans)
    total = sum(p.n_scans for p in PATIENTS)
    assert seen == list(PATIENTS)
    assert told[0] == (0, total)
    assert told[-1] == (total, total)
