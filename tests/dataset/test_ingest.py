"""DICOM in, a dataset out: pseudonyms, no PHI, only what is new, every refusal with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hemocast.dataset import Dataset, participant_id
from hemocast.dataset import ingest as ingest_module
from hemocast.dataset.ingest import ingest
from hemocast.errors import TableError

KEY = b"k" * 32


@pytest.fixture
def source(tmp_path: Path, write_study: Callable[..., Path]) -> Path:
    """Three patients, one with two studies (written in the wrong order of time)."""
    folder = tmp_path / "source"
    write_study(folder / "x1", "DOE-JANE-77", day=9)
    write_study(folder / "x2", "DOE-JANE-77", day=2)
    write_study(folder / "x3", "ROE-RICHARD-88", day=3)
    write_study(folder / "x4", "POE-EDGAR-99", day=4)
    return folder


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    path.write_text("patient_id,label\nDOE-JANE-77,1\nROE-RICHARD-88,0\n")
    return path


def test_a_dataset_has_its_tables_and_scans(source: Path, labels: Path, tmp_path: Path) -> None:
    report = ingest([source], tmp_path / "out", KEY, labels=labels)
    dataset = Dataset(tmp_path / "out")
    assert (report.added, report.already_there, report.unlabelled) == (4, 0, 1)
    jane = participant_id(KEY, "DOE-JANE-77")
    assert dataset.labels() == {jane: 1, participant_id(KEY, "ROE-RICHARD-88"): 0}
    scans = dataset.table("scans")
    assert len(scans) == 4
    mine = scans[scans["participant_id"] == jane]
    assert list(mine["session"]) == ["ses-01", "ses-02"]
    assert list(mine["hours_from_first"]) == ["0.0", "168.0"]
    assert all((dataset.root / name).is_file() for name in scans["filename"])
    people = dataset.table("participants")
    assert set(people["age"]) == {"71"}
    assert set(people["sex"]) == {"F"}


def test_nothing_in_the_dataset_identifies_a_patient(
    source: Path, labels: Path, tmp_path: Path
) -> None:
    ingest([source], tmp_path / "out", KEY, labels=labels)
    secrets = ["DOE", "ROE", "POE", "SECRET", "2021", "-77"]
    for path in (tmp_path / "out").rglob("*"):
        assert not any(secret in path.name for secret in secrets)
        if path.suffix in {".json", ".tsv"}:
            text = path.read_text()
            assert not any(secret in text for secret in secrets), path


def test_a_second_run_adds_only_what_is_new(
    source: Path, labels: Path, tmp_path: Path, write_study: Callable[..., Path]
) -> None:
    out = tmp_path / "out"
    ingest([source], out, KEY, labels=labels)
    before = {path: path.read_bytes() for path in out.rglob("*.nii.gz")}
    write_study(source / "x5", "ROE-RICHARD-88", day=20)
    report = ingest([source], out, KEY)
    assert (report.added, report.already_there) == (1, 4)
    assert {path: path.read_bytes() for path in before} == before
    assert Dataset(out).labels()[participant_id(KEY, "ROE-RICHARD-88")] == 0


def test_a_run_that_was_killed_ends_the_same(
    source: Path, labels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def contents(out: Path) -> dict[str, bytes]:
        files = (path for path in out.rglob("*") if path.is_file())
        return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    ingest([source], whole, KEY, labels=labels)
    real = ingest_module.write_json
    calls = []

    def die(path: Path, content: dict[str, object]) -> None:
        calls.append(path)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(path, content)

    monkeypatch.setattr(ingest_module, "write_json", die)
    with pytest.raises(KeyboardInterrupt):
        ingest([source], broken, KEY, labels=labels)
    monkeypatch.setattr(ingest_module, "write_json", real)
    ingest([source], broken, KEY, labels=labels)
    assert contents(broken) == contents(whole)


def test_a_refused_study_costs_only_itself(
    source: Path, tmp_path: Path, write_study: Callable[..., Path]
) -> None:
    write_study(source / "x6", "GAP-1", drop=5)
    write_study(source / "x7", "CONTRAST-1", contrast_agent="IODINE")
    report = ingest([source], tmp_path / "out", KEY)
    assert report.added == 4
    assert {item.code for item in report.refused} == {"HC203", "HC207"}
    refused = (tmp_path / "out" / "quality" / "refused.tsv").read_text()
    assert participant_id(KEY, "GAP-1") in refused
    assert "GAP" not in refused


def test_processes_give_the_same_as_one(source: Path, labels: Path, tmp_path: Path) -> None:
    ingest([source], tmp_path / "one", KEY, labels=labels)
    ingest([source], tmp_path / "two", KEY, labels=labels, workers=2)
    for path in (tmp_path / "one").rglob("*.tsv"):
        twin = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == twin.read_bytes()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("patient_id,label\nA,2\nB,\n", "row 2: label '2'; row 3: label ''"),
        ("patient_id,label\nA,1\nA,0\n", "row 3: a patient_id that came before"),
        ("id,outcome\nA,1\n", "no column patient_id; no column label"),
        ("", "could not be read"),
    ],
)
def test_bad_labels_are_refused_before_anything_is_written(
    source: Path, tmp_path: Path, text: str, fault: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(TableError, match=fault):
        ingest([source], tmp_path / "out", KEY, labels=path)
    assert not (tmp_path / "out").exists()


def test_a_simulated_source_makes_a_simulated_dataset(
    tmp_path: Path, write_study: Callable[..., Path]
) -> None:
    write_study(tmp_path / "s", "SIM1", image_comments="SIMULATED - not a patient")
    ingest([tmp_path / "s"], tmp_path / "out", KEY)
    description = json.loads((tmp_path / "out" / "dataset_description.json").read_text())
    assert description["Simulated"] is True
    assert Dataset(tmp_path / "out").is_simulated()
