"""From a dataset's tables to the cohort on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from hemocast.dataset.cohort.assemble import build_cohort, save_cohort
from hemocast.dataset.cohort.eligibility import EligibilityConfig
from hemocast.dataset.cohort.matching import MatchConfig
from hemocast.dataset.split.by_patient import split_patients
from hemocast.dataset.split.schemes import split_folds
from hemocast.errors import OutputExists


@pytest.fixture
def dataset(tmp_path: Path, text_of, cohort_rows) -> Path:
    """Return a folder with the tables of 60 patients."""
    for name, table in text_of(**cohort_rows(60)).items():
        if len(table):
            table.to_csv(tmp_path / f"{name}.tsv", sep="\t", index=False)
    return tmp_path


def _table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.tsv", sep="\t", na_values="n/a")


def test_the_cohort_is_written_whole(dataset: Path) -> None:
    cohort = build_cohort(dataset, match=MatchConfig(caliper_years=5))
    save_cohort(cohort, dataset / "cohort")
    folder = dataset / "cohort"
    summary = json.loads((folder / "cohort.json").read_text())
    scans, flow, pairs = (_table(folder, name) for name in ("scans", "flow", "pairs"))
    assert summary["patients"] == 2 * len(pairs) == scans["participant_id"].nunique()
    assert summary["ht"] == len(pairs) == summary["pairs"]
    assert summary["simulated"] is False
    assert flow["patients_left"].iloc[0] == 60
    assert set(scans["label"]) == {0, 1}
    assert "hours_since_thrombolytic" in scans
    assert summary["settings"]["eligibility"]["follow_up_hours"] == 24
    assert set(pairs["ht"]) | set(pairs["no_ht"]) == set(cohort.labels)
    outcomes = _table(folder, "symptomatic")
    assert set(outcomes["participant_id"]) == set(cohort.labels)
    assert len(_table(folder, "unmatched")) + summary["patients"] == 60
    for suffix in ("csv", "html", "tex"):
        assert (folder / f"table1.{suffix}").stat().st_size > 0


def test_its_labels_are_what_the_splits_take(dataset: Path) -> None:
    cohort = build_cohort(dataset)
    assert len(cohort.labels) == 60
    assert len(split_patients(cohort.labels, 0.1, 0).parts["test"]) == 6
    assert len(split_folds(cohort.labels, 5, 0)) == 5


def test_the_same_settings_write_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        cohort = build_cohort(dataset, EligibilityConfig(), MatchConfig(seed=3))
        save_cohort(cohort, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert len(files) == 12 + 2  # the record of what was written, and the lock
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_cohort_replaces_an_earlier_one_and_nothing_of_the_users(
    dataset: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "cohort"
    save_cohort(build_cohort(dataset, EligibilityConfig(), MatchConfig(seed=3)), folder)
    (folder / "notes.txt").write_text("mine")
    save_cohort(build_cohort(dataset), folder)
    assert not (folder / "pairs.tsv").exists()
    assert (folder / "notes.txt").read_text() == "mine"
    (folder / "scans.tsv").write_text("corrected by hand")
    with pytest.raises(OutputExists, match=r"scans\.tsv"):
        save_cohort(build_cohort(dataset), folder)
    assert (folder / "scans.tsv").read_text() == "corrected by hand"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "scans.tsv").write_text("mine")
    with pytest.raises(OutputExists):
        save_cohort(build_cohort(dataset), tmp_path / "full")


def test_reviews_decide_the_labels_and_their_agreement_is_kept(dataset: Path) -> None:
    labels = pd.read_csv(dataset / "labels.tsv", sep="\t", dtype=str, keep_default_na=False)
    reviews = labels[["participant_id", "label", "ht_grade"]]
    both = pd.concat([reviews.assign(reviewer_id=who, role="reviewer") for who in ("r1", "r2")])
    both.to_csv(dataset / "reviews.tsv", sep="\t", index=False)
    labels.assign(label="n/a").to_csv(dataset / "labels.tsv", sep="\t", index=False)
    cohort = build_cohort(dataset)
    save_cohort(cohort, dataset / "cohort")
    assert sum(cohort.labels.values()) == 30
    agreement = json.loads((dataset / "cohort" / "cohort.json").read_text())["agreement"]
    assert agreement["label"]["kappa"]["value"] == 1
    assert agreement["to_committee"] == 0
    assert len(_table(dataset / "cohort", "decisions")) == 60


def test_a_simulated_cohort_says_so(dataset: Path) -> None:
    (dataset / "dataset_description.json").write_text('{"Simulated": true}')
    cohort = build_cohort(dataset)
    save_cohort(cohort, dataset / "cohort")
    assert json.loads((dataset / "cohort" / "cohort.json").read_text())["simulated"] is True
    assert "SIMULATED" in (dataset / "cohort" / "table1.html").read_text()
