"""The tables go through the label engine and the choice of scans as anyone's would."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from hemocast.config import SimulateConfig
from hemocast.dataset.cohort.assemble import build_cohort
from hemocast.dataset.cohort.choose import check_tables, read_tables
from hemocast.dataset.cohort.eligibility import EligibilityConfig, select_scans
from hemocast.dataset.cohort.labels import apply_reviews, decide_labels
from hemocast.simulate.epidemiology.patients import draw_cohort
from hemocast.simulate.write import tables

CONFIG = SimulateConfig(seed=2, n_ht=100, n_non=200, thrombectomy_share=0.3)


@pytest.fixture(scope="module")
def patients():
    return draw_cohort(CONFIG)


@pytest.fixture(scope="module")
def root(patients, tmp_path_factory):
    """A dataset's tables without its scans."""
    root = tmp_path_factory.mktemp("tables")
    people, scans = [], []
    for patient in patients:
        name = f"sub-{patient.patient_id}"
        people.append({"participant_id": name, **tables.person_row(patient)})
        names = [f"{name}_ses-{k:02d}" for k in range(len(patient.scans))]
        scans += [{"participant_id": name, **r} for r in tables.scan_rows(patient, names)]
    (root / "participants.tsv").write_text(tables.tsv_text(people, list(people[0])))
    (root / "scans.tsv").write_text(tables.tsv_text(scans, list(scans[0])))
    named = [(f"sub-{p.patient_id}", p) for p in patients]
    for name, text in tables.patient_tables(CONFIG, named).items():
        (root / name).write_text(text)
    return root


def test_reviewers_and_committee_give_back_the_truth(root, patients):
    read = read_tables(root)
    decided = decide_labels(read.reviews)
    assert 0.08 < decided.n_disagreed / len(patients) < 0.25
    assert 0.6 < decided.on_label.kappa.value < 0.99
    assert not decided.without_grade
    decisions = decided.table.set_index("participant_id")
    for patient in patients:
        row = decisions.loc[f"sub-{patient.patient_id}"]
        assert int(row["label"]) == patient.label
        assert row["ht_grade"] == (patient.grade or "none")


def test_labels_alone_say_what_the_reviews_decide(root):
    read = read_tables(root)
    filled, _ = apply_reviews(read)  # raises where they contradict
    text = {
        name: pd.read_csv(root / f"{name}.tsv", sep="\t", dtype=str, keep_default_na=False)
        for name in ("participants", "scans", "clinical", "labels", "reviews")
    }
    text["labels"]["label"] = "n/a"
    text["labels"]["ht_grade"] = "n/a"
    text["nihss"] = pd.DataFrame(columns=["participant_id", "hours", "nihss"], dtype="str")
    blind, _ = apply_reviews(check_tables(text))
    assert blind.labels["label"].tolist() == filled.labels["label"].tolist()


def test_scans_in_the_window_enter_and_only_they(root, patients):
    eligible = select_scans(read_tables(root), EligibilityConfig())
    expected = {
        f"sub-{p.patient_id}_ses-{k:02d}"
        for p in patients
        for k, scan in enumerate(p.scans)
        if round(scan.hours, 2) <= 72
        and (p.label == 0 or p.follow_up.detected_hours <= 336)
        and (p.label == 1 or p.follow_up.last_imaging_hours <= 336)
    }
    entered = set(eligible.scans["scan_id"])
    assert len(entered & expected) > 0.9 * len(expected)
    assert entered <= expected
    assert eligible.labels == {
        f"sub-{p.patient_id}": p.label for p in patients if f"sub-{p.patient_id}" in eligible.labels
    }


def test_a_cohort_can_be_built_of_them(root):
    cohort = build_cohort(root)
    assert set(cohort.labels.values()) == {0, 1}


def test_csv_has_nine_digits_and_empty_cells():
    text = tables.csv_text([{"a": 1 / 3, "b": None, "c": 7}])
    assert list(csv.reader(io.StringIO(text))) == [["a", "b", "c"], ["0.333333333", "", "7"]]


def test_tsv_writes_floats_in_full_and_what_is_not_known_as_not_available():
    text = tables.tsv_text([{"a": 120.0, "b": None}, {"a": -0.25}], ["a", "b"])
    assert text == "a\tb\n120.0\tn/a\n-0.25\tn/a\n"
