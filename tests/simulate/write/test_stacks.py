from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from hemocast.config import PrepareConfig
from hemocast.dataset import Dataset
from hemocast.dataset.cohort.choose import read_tables
from hemocast.simulate import TINY, simulate_cohort
from hemocast.simulate.write.tables import FOUND
from hemocast.version import VERSION

CONFIG = TINY.model_copy(update={"seed": 4, "n_ht": 1, "n_non": 1, "scans_per_patient": 1.5})
PREPARE = PrepareConfig(size=96, pixel_mm=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two patients as stacks, written by one process."""
    out = tmp_path_factory.mktemp("one") / "cohort"
    return simulate_cohort(CONFIG, out, format="stacks", prepare=PREPARE)


def test_training_maps_the_array_by_the_tables(made):
    from hemocast.train import StackTable

    scans, labels = Dataset(made.visible).table("scans"), Dataset(made.visible).labels()
    table = StackTable(
        made.visible / "stacks.npy",
        tuple(scans["participant_id"]),
        tuple(scans["scan_id"]),
        tuple(labels[person] for person in scans["participant_id"]),
        tuple(scans["row"].astype(int)),
    )
    array = table.open()
    assert array.shape == (sum(len(p.scans) for p in made.patients), 28, 96, 96)
    assert array.dtype == np.uint8
    inside = np.count_nonzero(array, axis=(1, 2, 3)) * 2 * 2 * 5 / 1000
    assert np.all((inside > 700) & (inside < 2000))  # mL of head that is no background
    assert table.patient_labels() == {f"sub-{p.patient_id}": p.label for p in made.patients}


def test_the_tables_are_a_datasets(made):
    read = read_tables(made.visible)
    hours = [round(s.hours, 2) for p in made.patients for s in p.scans]
    assert read.scans["hours_from_onset"].tolist() == pytest.approx(hours)
    assert Dataset(made.visible).is_simulated()
    assert (made.folder / "README.txt").read_text().startswith("SIMULATED")


def test_the_truth_lies_apart(made, hidden, visible_names):
    assert visible_names(made.folder) == {
        "README.txt", "findings", "simulation.yaml", "stacks", "truth",
    }  # fmt: skip
    for path in made.visible.iterdir():
        content = path.read_bytes()
        assert not any(text in content for text in hidden(made)), path
        # The array's bytes may spell a word by chance.
        if path.name not in ("labels.tsv", "reviews.tsv", "stacks.npy"):
            assert b"label" not in content
            assert b"ht_" not in content


def test_a_folder_of_the_version_before_is_run_again(made, contents, tmp_path):
    out = tmp_path / "cohort"
    shutil.copytree(made.folder, out)
    for path in out.glob(".hemocast*"):  # it kept no record
        path.unlink()
    description = out / "stacks" / "dataset_description.json"
    description.write_text(description.read_text().replace(VERSION, "0.0.9"))
    before = contents(out)
    simulate_cohort(CONFIG, out, format="stacks", prepare=PREPARE)
    assert contents(out) == before


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_with_the_same_bytes(made, begin, contents, tmp_path):
    out = tmp_path / "cohort"
    begin(CONFIG, out, format="stacks", prepare=PREPARE)
    assert not (out / "stacks" / "stacks.npy").exists()
    simulate_cohort(CONFIG, out, format="stacks", prepare=PREPARE)
    assert contents(out) == contents(made.folder)


@pytest.mark.slow
def test_one_and_two_workers_write_the_same_bytes(made, contents, tmp_path):
    simulate_cohort(CONFIG, tmp_path / "two", format="stacks", prepare=PREPARE, workers=2)
    assert contents(tmp_path / "two") == contents(made.folder)


def test_findings_say_where_the_infarct_is_and_nothing_of_the_outcome(made):
    bits = np.load(made.folder / "findings" / "lesions.npy", mmap_mode="r")
    lesions = np.unpackbits(bits, axis=-1).astype(bool)
    array = np.load(made.visible / "stacks.npy")
    assert lesions.shape == array.shape
    assert np.all(array[lesions] > 0) or array[lesions].mean() > 0.2 * 255
    found = pd.read_csv(made.folder / "findings" / "findings.tsv", sep="\t")
    scans = [(p, s) for p in made.patients for s in p.scans]
    assert found["row"].tolist() == list(range(len(scans)))
    assert list(found) == ["scan_id", "row", *FOUND]
    for (patient, scan), row, lesion in zip(scans, found.itertuples(), lesions, strict=True):
        infarct = patient.infarct
        left, right = lesion[..., 48:].sum(), lesion[..., :48].sum()
        assert (left > right) == (infarct.side == "left")
        assert lesion.sum() * 2 * 2 * 5 / 1000 == pytest.approx(infarct.volume_ml, rel=0.35)
        assert row.water_uptake == pytest.approx(scan.uptake_rendered, abs=1e-4)
        assert row.volume_ml == pytest.approx(infarct.volume_ml, abs=1e-3)
        assert row.scan_id.startswith(f"sub-{patient.patient_id}_")


def test_the_true_risk_lies_with_the_truth_alone(made):
    truth = pd.read_csv(made.folder / "truth" / "patients.csv")
    risks = [p.risk_image for p in made.patients]
    assert truth["risk_image"].tolist() == pytest.approx(risks, rel=1e-8)
    assert set(truth["participant_id"]) == {f"sub-{p.patient_id}" for p in made.patients}


def test_a_folder_without_findings_gets_them(made, contents, tmp_path):
    out = tmp_path / "cohort"
    shutil.copytree(made.folder, out)
    shutil.rmtree(out / "findings")
    simulate_cohort(CONFIG, out, format="stacks", prepare=PREPARE)
    assert contents(out) == contents(made.folder)
