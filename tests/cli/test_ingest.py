"""``hemocast ingest``: a dataset with its quality report, and an exit code that tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemocast.simulate import TINY, simulate_cohort


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory):
    """Two simulated patients as DICOM."""
    config = TINY.model_copy(update={"n_ht": 1, "n_non": 1, "scans_per_patient": 1.0})
    return simulate_cohort(config, tmp_path_factory.mktemp("simulated") / "cohort")


def test_ingest_leaves_a_dataset_and_its_quality_report(cohort, tmp_path: Path, hemocast) -> None:
    out = tmp_path / "data"
    command = ["ingest", cohort.dicom, "--out", out, "--labels", cohort.labels]
    done = hemocast(*command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 scan(s) added" in done.stdout
    assert "SIMULATED" in (out / "quality" / "report.html").read_text().upper()
    assert (tmp_path / "data.key").is_file()
    strangers = tmp_path / "strangers.csv"
    strangers.write_text("patient_id,label\nX1,1\nX2,0\n")
    command[-1] = strangers
    again = hemocast(*command)
    assert "0 scan(s) added, 2 already there" in again.stdout
    assert again.returncode == 5
    assert "0 of 2 row(s) of strangers.csv matched; its ids look like 'A0', " in again.stderr
    assert "those of the scans like 'AAA0000'" in again.stderr


def test_a_source_with_nothing_usable_exits_with_4(tmp_path: Path, hemocast) -> None:
    (tmp_path / "empty").mkdir()
    done = hemocast("ingest", tmp_path / "empty", "--out", tmp_path / "data")
    assert done.returncode == 4
    assert "Traceback" not in done.stdout + done.stderr
