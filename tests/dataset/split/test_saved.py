"""Splits on the disk: receipts, splits that somebody brings, and none that replaces another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hemocast.dataset.split.by_patient import Split, split_patients
from hemocast.dataset.split.saved import read_parts, read_split, save_split, save_splits
from hemocast.dataset.split.schemes import split_folds
from hemocast.errors import LeakageError, NothingThere, OutputExists, TableError


def _labels(n_ht: int, n_non: int) -> dict[str, int]:
    return {f"sub-{i:04d}": int(i < n_ht) for i in range(n_ht + n_non)}


def test_the_receipt_counts_and_proves_no_overlap(tmp_path: Path) -> None:
    labels = _labels(20, 30)
    scans = [*labels, *list(labels)[:5]]
    split = split_patients(labels, 0.2, 3)
    receipt = save_split(split, labels, scans, tmp_path)
    assert receipt["patient_overlap"] == {"train & test": 0}
    parts = receipt["parts"]
    assert isinstance(parts, dict)
    assert parts["test"]["patients"] == 10
    assert parts["test"]["ht"] == 4
    assert parts["train"]["scans"] + parts["test"]["scans"] == 55
    assert json.loads((tmp_path / "default.receipt.json").read_text()) == receipt
    rows = (tmp_path / "default.tsv").read_text().splitlines()
    assert len(rows) == 51


def test_every_split_leaves_a_receipt(tmp_path: Path) -> None:
    labels = _labels(10, 10)
    receipts = save_splits(split_folds(labels, 4, 9), labels, [*labels, *labels], tmp_path)
    assert len(receipts) == 4
    for number, receipt in enumerate(receipts, start=1):
        assert receipt["patient_overlap"] == {"train & test": 0}
        assert receipt["seed"] == 9
        assert (tmp_path / f"fold-{number:02d}.receipt.json").is_file()
        split = read_split(tmp_path / f"fold-{number:02d}.tsv")
        assert split.parts == split_folds(labels, 4, 9)[number - 1].parts


def test_a_split_by_scan_is_read_as_the_patients_it_is_of(tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    path.write_text("scan_id,part\nsub-a_ses-01,train\nsub-a_ses-02,test\nsub-b_ses-01,test\n")
    assert read_parts(path) == {"train": ("sub-a",), "test": ("sub-a", "sub-b")}
    with pytest.raises(LeakageError, match="sub-a"):
        read_split(path)


@pytest.mark.parametrize("text", ["", "who,part\na,b\n", "participant_id,part\nsub-a,\n"])
def test_what_is_no_split_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "split.csv"
    path.write_text(text)
    with pytest.raises(TableError):
        read_parts(path)
    with pytest.raises(NothingThere):
        read_parts(tmp_path / "nothing.tsv")


def test_a_split_keeps_its_other_parts_its_seed_and_its_bytes(tmp_path: Path) -> None:
    """What version 0.1 lost: training with a split of three parts wrote it back with two."""
    labels = _labels(20, 30)
    drawn = split_patients(labels, 0.2, 7, name="x").parts
    whole = Split("x", {**drawn, "validation": ("sub-9998", "sub-9999")}, 7)
    save_split(whole, labels, labels, tmp_path)
    path, receipt = tmp_path / "x.tsv", tmp_path / "x.receipt.json"
    receipt.write_text(json.dumps(json.loads(receipt.read_text()) | {"approved_by": "A"}))
    before = path.read_bytes()
    again = read_split(path)
    assert (again.seed, dict(again.parts)) == (7, dict(whole.parts))
    told = save_split(Split("x", again.parts, None), labels, [*labels, *labels], tmp_path)
    assert path.read_bytes() == before
    assert told == json.loads(receipt.read_text())
    assert (told["seed"], told["approved_by"]) == (7, "A")
    assert told["parts"]["validation"] == told["parts"]["validation"] | {
        "patients": 2, "ht": 0, "unlabelled": 2,
    }  # fmt: skip


def test_another_split_of_the_same_name_is_refused(tmp_path: Path) -> None:
    labels = _labels(20, 30)
    save_split(split_patients(labels, 0.2, 7), labels, labels, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(OutputExists, match="default"):
        save_split(split_patients(labels, 0.2, 8), labels, labels, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_receipt_that_does_not_fit_tells_no_seed(tmp_path: Path) -> None:
    labels = _labels(20, 30)
    save_split(split_patients(labels, 0.2, 7), labels, labels, tmp_path)
    path = tmp_path / "default.tsv"
    path.write_text(path.read_text().replace("\ttest", "\ttrain", 1))
    assert read_split(path).seed is None
    (tmp_path / "default.receipt.json").write_text("{")
    assert read_split(path).seed is None
