from __future__ import annotations

import csv
from pathlib import Path

import pytest

from hemocast.config import SimulateConfig
from hemocast.simulate import draw_cohort
from hemocast.simulate.write.dicom import DicomWriter
from hemocast.simulate.write.writer import dicom_bytes

CONFIG = SimulateConfig(seed=5, n_ht=2, n_non=1, matrix=64, slice_mm=10, bleeds=True)


@pytest.fixture
def steps() -> list[tuple[int, int]]:
    return []


@pytest.fixture
def writer(tmp_path: Path, steps) -> DicomWriter:
    return DicomWriter(CONFIG, draw_cohort(CONFIG), tmp_path, 1, lambda *step: steps.append(step))


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_tables_have_a_row_for_every_patient_and_the_outcome_apart(writer):
    tables = {name: _rows(text) for name, text in writer.tables().items()}
    assert set(tables) == {"labels.csv", "clinical.csv", "followup.csv", "reviews.csv"}
    ids = [p.patient_id for p in writer.patients]
    for name in ("labels.csv", "clinical.csv", "followup.csv"):
        assert [row["patient_id"] for row in tables[name]] == ids
    assert [int(row["label"]) for row in tables["labels.csv"]] == [p.label for p in writer.patients]
    assert {row["patient_id"] for row in tables["reviews.csv"]} == set(ids)
    assert not {"label", "ht_grade"} & tables["clinical.csv"][0].keys()
    for row, patient in zip(tables["clinical.csv"], writer.patients, strict=True):
        assert row["sex"] == ("M" if patient.male else "F")
        assert float(row["onset_to_first_scan_hours"]) == round(patient.scans[0].hours, 2)


def test_patients_and_studies_are_called_what_the_truth_calls_them(writer):
    patient = writer.patients[0]
    assert writer.name(patient) == patient.patient_id
    assert writer.sessions(patient) == [scan.folder for scan in patient.scans]


def test_every_study_is_written_once_and_what_is_there_needs_no_space(writer, steps):
    expected = sum(
        dicom_bytes(scan) for p in writer.patients for scan in (*p.scans, p.bleed) if scan
    )
    assert writer.space() == pytest.approx(expected)
    (writer.out / "dicom" / ".hemocast-1" / "half").mkdir(parents=True)  # of a killed run
    writer.render()
    total = sum(p.n_scans for p in writer.patients)
    assert (steps[0], steps[-1]) == ((0, total), (total, total))
    assert writer.space() == 0
    assert {p.name for p in (writer.out / "dicom").iterdir()} == {
        scan.folder for p in writer.patients for scan in p.scans
    }
    before = {p: p.stat().st_mtime_ns for p in writer.out.rglob("*") if p.is_file()}
    writer.render()
    assert {p: p.stat().st_mtime_ns for p in writer.out.rglob("*") if p.is_file()} == before
