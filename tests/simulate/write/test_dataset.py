from __future__ import annotations

import shutil
import stat
from dataclasses import replace

import pandas as pd
import pytest

from hemocast.dataset import Dataset
from hemocast.dataset.cohort.choose import read_tables
from hemocast.dataset.ingest.run import IngestReport
from hemocast.dataset.maps import FOLDER, find_map
from hemocast.dataset.stacks import scans_of
from hemocast.dicom.files.nifti import read_map_of, read_nifti
from hemocast.errors import ConfigError, OutputExists
from hemocast.left_out import RefusedStudy
from hemocast.simulate import TINY, simulate_cohort, simulate_maps
from hemocast.simulate.write import dataset as as_dataset
from hemocast.simulate.write.study import write_study
from hemocast.simulate.write.writer import UNFINISHED
from hemocast.version import SIMULATOR_VERSION

CONFIG = TINY.model_copy(
    update={"seed": 4, "n_ht": 1, "n_non": 1, "scans_per_patient": 1.5, "masks": True}
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two patients as a dataset, written by one process."""
    return simulate_cohort(CONFIG, tmp_path_factory.mktemp("one") / "cohort", format="dataset")


def test_a_dataset_holds_every_scan_and_says_that_it_is_simulated(made):
    dataset = Dataset(made.visible)
    assert dataset.is_simulated()
    assert dataset.simulator_version() == SIMULATOR_VERSION
    assert len(scans_of(dataset)) == sum(len(p.scans) for p in made.patients)
    assert sorted(dataset.labels().values()) == [0, 1]
    assert (made.folder / "README.txt").read_text().startswith("SIMULATED")
    read = read_tables(made.visible)
    assert read.scans["hours_from_onset"].notna().all()
    assert len(read.reviews) >= 4
    assert set(read.participants["site"]) == {"A"}


def test_the_truth_names_its_scans_as_the_dataset_does(made):
    truth = pd.read_csv(made.folder / "truth" / "scans.csv")
    scans = Dataset(made.visible).table("scans")
    assert set(truth["scan_id"]) == set(scans["scan_id"])
    merged = truth.merge(read_tables(made.visible).scans, on="scan_id")
    assert merged["hours"].to_numpy() == pytest.approx(
        merged["hours_from_onset"].to_numpy(), abs=0.03
    )
    people = pd.read_csv(made.folder / "truth" / "patients.csv")
    labels = Dataset(made.visible).labels()
    assert dict(zip(people["participant_id"], people["label"], strict=True)) == labels


def test_key_and_truth_lie_outside_the_dataset(made, hidden, visible_names):
    assert visible_names(made.folder) == {
        "README.txt", "simulation.yaml", "dataset", "dataset.key", "truth",
    }  # fmt: skip
    assert stat.S_IMODE((made.folder / "dataset.key").stat().st_mode) == 0o600
    key = (made.folder / "dataset.key").read_bytes().strip()
    names = [p.patient_id.encode() for p in made.patients]
    grades = [b"label", b"HI1", b"HI2", b"PH1", b"PH2"]
    for path in made.visible.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        assert not any(text in content for text in (key, *names, *hidden(made))), path
        if path.name not in ("labels.tsv", "reviews.tsv") and path.suffix != ".gz":
            assert not any(word in content for word in grades), path
    assert not list(made.visible.rglob("*mask*"))
    assert len(list((made.folder / "truth" / "masks").iterdir())) == len(
        scans_of(Dataset(made.visible))
    )


def test_a_simulated_study_that_the_dataset_refuses_stops_the_run(tmp_path, monkeypatch):
    refused = RefusedStudy("sub-1", "HC205", "HC205 too few slices", "n/a")
    report = IngestReport(0, 0, (refused, refused), 0)
    monkeypatch.setattr(as_dataset, "ingest", lambda *args, **kwargs: report)
    monkeypatch.setattr(as_dataset, "write_patient", _no_scans)
    with pytest.raises(ConfigError, match=r"refused 2 of the .* first with HC205"):
        simulate_cohort(CONFIG, tmp_path / "cohort", format="dataset")
    assert not (tmp_path / "cohort" / "dataset" / "labels.tsv").exists()


def _no_scans(config, patient, out, dicom):
    return len(patient.scans)


def test_what_a_user_adds_to_the_tables_stays_and_another_label_is_refused(made, tmp_path):
    out = tmp_path / "cohort"
    shutil.copytree(made.folder, out)
    table = pd.read_csv(out / "dataset" / "participants.tsv", sep="\t", dtype=str)
    table["smoker"] = "1"
    table.drop(columns="site").to_csv(out / "dataset" / "participants.tsv", sep="\t", index=False)
    simulate_cohort(CONFIG, out, format="dataset")
    again = Dataset(out / "dataset").table("participants")
    assert set(again["smoker"]) == {"1"}
    assert set(again["site"]) == {"A"}
    labels = out / "dataset" / "labels.tsv"
    labels.write_text(labels.read_text().replace("none", "PH2"))
    before = labels.read_bytes()
    with pytest.raises(OutputExists, match=r"labels\.tsv .* another ht_grade"):
        simulate_cohort(CONFIG, out, format="dataset")
    assert labels.read_bytes() == before


def test_a_patient_who_was_lost_is_made_again_and_added_columns_stay(made, contents, tmp_path):
    out = tmp_path / "cohort"
    shutil.copytree(made.folder, out)
    lost = sorted((out / "dataset").glob("sub-*"))[0]
    shutil.rmtree(lost)
    table = pd.read_csv(out / "dataset" / "labels.tsv", sep="\t", dtype=str, keep_default_na=False)
    table["note"] = "mine"
    table.to_csv(out / "dataset" / "labels.tsv", sep="\t", index=False)
    simulate_cohort(CONFIG, out, format="dataset")
    again = Dataset(out / "dataset").table("labels")
    assert set(again.pop("note")) == {"mine"}
    before, after = contents(made.folder), contents(out)
    assert before.keys() == after.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"dataset/labels.tsv"}
    assert again.equals(Dataset(made.visible).table("labels"))


def test_a_run_killed_between_scans_and_tables_is_finished(made, contents, tmp_path):
    out = tmp_path / "cohort"
    shutil.copytree(made.folder, out)
    patient = made.patients[0]
    for scan in patient.scans:  # rendered, taken in; the tables were to come
        write_study(CONFIG, patient, scan, out / UNFINISHED / "dicom" / scan.folder, out)
    for table in ("participants", "labels", "scans", "clinical", "reviews"):
        (out / "dataset" / f"{table}.tsv").unlink()
    simulate_cohort(CONFIG, out, format="dataset")
    assert contents(out) == contents(made.folder)


@pytest.mark.slow
def test_one_and_two_workers_write_the_same_bytes(made, contents, tmp_path):
    simulate_cohort(CONFIG, tmp_path / "two", format="dataset", workers=2)
    assert contents(tmp_path / "two") == contents(made.folder)


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_with_the_same_bytes(made, begin, contents, tmp_path):
    out = tmp_path / "cohort"
    begin(CONFIG, out, format="dataset")
    calls = []
    simulate_cohort(
        CONFIG, out, format="dataset", progress=lambda done, of: calls.append((done, of))
    )
    assert contents(out) == contents(made.folder)
    total = 2 * sum(len(p.scans) for p in made.patients)
    assert calls[-1] == (total, total)


def test_maps_lie_on_the_grid_of_their_scans(made, tmp_path):
    out = tmp_path / "cohort"
    shutil.copytree(made.folder, out)
    folder = simulate_maps(replace(made, folder=out))
    dataset = Dataset(out / "dataset")
    assert folder == dataset.root / FOLDER
    for scan in scans_of(dataset):
        values, simulated = read_map_of(find_map(folder, scan.scan_id), read_nifti(scan.path))
        assert simulated
        assert values.max() > 100
