from __future__ import annotations

import json
from pathlib import Path

import pytest

from hemocast.dataset import Dataset
from hemocast.dataset.split.draw import SplitPlan, draw_splits
from hemocast.dataset.split.saved import read_parts
from hemocast.errors import OutputExists, TableError, TooFewPatients, UsageError


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Return the tables of 24 patients, half of them with HT, at three sites in four years."""
    root = tmp_path / "dataset"
    root.mkdir()
    made = {"GeneratedBy": [{"Name": "hemocast"}], "DatasetType": "raw"}
    (root / "dataset_description.json").write_text(json.dumps(made))
    people = [f"sub-{i:012x}" for i in range(24)]
    rows = [
        f"{one}\t{('North', 'South', 'East')[i // 2 % 3]}\t{2016 + i // 6}"
        for i, one in enumerate(people)
    ]
    for name, lines in {
        "participants": ["participant_id\tsite\tadmission_year", *rows],
        "labels": ["participant_id\tlabel", *(f"{one}\t{i % 2}" for i, one in enumerate(people))],
        "scans": ["participant_id\tscan_id", *(f"{one}\t{one}_ses-01" for one in people)],
    }.items():
        (root / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    return Dataset(root)


def test_by_default_a_tenth_of_each_class_is_tested(dataset: Dataset) -> None:
    (receipt,) = draw_splits(dataset, SplitPlan(test_fraction=0.25))
    parts = read_parts(dataset.root / "splits" / "default.tsv")
    assert (len(parts["train"]), len(parts["test"])) == (18, 6)
    assert receipt["patient_overlap"] == {"train & test": 0}
    kept = json.loads((dataset.root / "splits" / "default.receipt.json").read_text())
    assert kept == receipt
    assert kept["parts"]["test"]["ht"] == 3


def test_folds_test_every_patient_once(dataset: Dataset) -> None:
    receipts = draw_splits(dataset, SplitPlan("folds", "cv", folds=4, seed=3))
    assert [one["split"] for one in receipts] == ["cv-01", "cv-02", "cv-03", "cv-04"]
    assert {one["seed"] for one in receipts} == {3}
    tested = [
        patient
        for one in receipts
        for patient in read_parts(dataset.root / "splits" / f"{one['split']}.tsv")["test"]
    ]
    assert sorted(tested) == sorted(dataset.labels())


def test_every_site_is_left_out_in_turn(dataset: Dataset) -> None:
    receipts = draw_splits(dataset, SplitPlan("site"))
    assert [one["split"] for one in receipts] == ["site-01-East", "site-02-North", "site-03-South"]
    assert {one["parts"]["test"]["patients"] for one in receipts} == {8}
    with pytest.raises(TooFewPatients):
        draw_splits(dataset, SplitPlan("site", "large", min_per_class=5))


def test_the_last_years_are_tested(dataset: Dataset) -> None:
    (receipt,) = draw_splits(dataset, SplitPlan("date", first_test_year=2019))
    assert receipt["split"] == "date"
    assert receipt["parts"]["test"]["patients"] == 6
    table = dataset.path("participants")
    table.write_text(table.read_text().replace("\t2019", "\tn/a"))
    with pytest.raises(TooFewPatients, match="have no date"):
        draw_splits(dataset, SplitPlan("date", "later", first_test_year=2018))


def test_only_the_patients_of_a_table_are_split(dataset: Dataset, tmp_path: Path) -> None:
    chosen = sorted(dataset.labels())[:12]
    table = tmp_path / "scans.tsv"
    table.write_text("participant_id\tscan_id\n" + "".join(f"{p}\tx\n" for p in chosen))
    draw_splits(dataset, SplitPlan(test_fraction=0.5), table)
    parts = read_parts(dataset.root / "splits" / "default.tsv")
    assert sorted((*parts["train"], *parts["test"])) == chosen
    table.write_text("patient\n1\n")
    with pytest.raises(TableError, match="participant_id"):
        draw_splits(dataset, SplitPlan(name="x"), table)


def test_another_split_of_the_name_stays_and_none_is_written(dataset: Dataset) -> None:
    splits = dataset.root / "splits"
    draw_splits(dataset, SplitPlan("folds", folds=3))
    theirs = (splits / "fold-03.tsv").read_bytes()
    (splits / "fold-01.tsv").unlink()
    with pytest.raises(OutputExists):
        draw_splits(dataset, SplitPlan("folds", folds=3, seed=1))
    assert not (splits / "fold-01.tsv").exists()
    assert (splits / "fold-03.tsv").read_bytes() == theirs
    # The same once more is no other split.
    assert len(draw_splits(dataset, SplitPlan("folds", folds=3))) == 3


@pytest.mark.parametrize(
    "plan",
    [
        SplitPlan(name="../x"), SplitPlan(name=""), SplitPlan("date"),
        SplitPlan("folds", first_test_year=2018),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_before_anything_is_read(plan: SplitPlan) -> None:
    with pytest.raises(UsageError):
        draw_splits(Dataset(Path("nowhere")), plan)
