"""Labels of a table of their own, joined to predictions without: by scan, else by participant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hemocast.errors import TableError
from hemocast.evaluate.inputs.predictions import read_predictions

HEAD = "participant_id,scan_id,probability"
ROWS = ("sub-1,a,0.9", "sub-1,b,0.8", "sub-2,c,0.1")


def write(path: Path, head: str, *rows: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    return write(tmp_path / "predictions.csv", HEAD, *ROWS)


def refused(predictions: Path, labels: Path) -> str:
    with pytest.raises(TableError) as caught:
        read_predictions(predictions, labels=labels)
    return str(caught.value)


def test_labels_of_participants_go_to_all_their_scans(predictions: Path, tmp_path: Path) -> None:
    labels = write(
        tmp_path / "labels.tsv",
        "participant_id\tlabel\tht_grade",
        "sub-2\t0\tn/a",
        "sub-1\t1\tPH1",
        "sub-3\tn/a\tn/a",
    )
    found = read_predictions(predictions, labels=labels)
    assert found.truth.tolist() == [True, True, False]
    assert found.groupings == ()
    assert not found.simulated


def test_labels_of_scans_tell_the_participants_that_prediction_did_not_know(
    tmp_path: Path,
) -> None:
    rows = ("n/a,77ab,0.9,done", "n/a,88cd,0.2,done", "n/a,n/a,,refused")
    path = write(tmp_path / "predictions.csv", HEAD + ",status", *rows)
    labels = write(
        tmp_path / "l.csv", "scan_id,participant_id,label", "88cd,second,0", "77ab,first,1"
    )
    found = read_predictions(path, labels=labels)
    assert found.participant.tolist() == ["first", "second"]
    assert found.truth.tolist() == [True, False]
    assert found.n_refused == 1
    alone = write(tmp_path / "alone.csv", "scan_id,label", "88cd,0", "77ab,1")
    text = refused(path, alone)
    assert "rows 2, 3, column participant_id: text of 1 to 200 printable characters" in text
    assert "repeat scan_id there" in text


def test_all_scans_without_a_label_are_named_at_once(predictions: Path, tmp_path: Path) -> None:
    labels = write(tmp_path / "l.csv", "participant_id,label", "sub-1,n/a", "sub-9,1")
    text = refused(predictions, labels)
    assert "3 fault(s)" in text
    assert "predictions.csv, rows 2, 3, 4, column participant_id: a participant to which" in text
    assert "sub-" not in text


def test_labels_that_disagree_are_refused_and_those_that_agree_are_not(tmp_path: Path) -> None:
    path = write(
        tmp_path / "p.csv", HEAD + ",label", "sub-1,a,0.9,1", "sub-2,b,0.1,0", "sub-3,c,0.2,"
    )
    head = "scan_id,participant_id,label"
    good = write(tmp_path / "good.csv", head, "a,sub-1,1", "b,sub-2,n/a", "c,sub-3,0")
    assert read_predictions(path, labels=good).truth.tolist() == [True, False, False]
    bad = write(tmp_path / "bad.csv", head, "a,sub-1,0", "b,sub-7,0", "c,sub-3,0")
    text = refused(path, bad)
    assert "row 2, column label: the label that bad.csv gives" in text
    assert "row 3, column participant_id: the participant that bad.csv gives" in text


@pytest.mark.parametrize(
    ("head", "rows", "said"),
    [
        ("patient,label", ("sub-1,1",), "column participant_id: the column is missing, and scan"),
        ("participant_id,outcome", ("sub-1,1",), "secret.csv, column label: the column is missing"),
        ("participant_id,label", ("sub-1,1", "sub-1,1"), "row 3, column participant_id: every row"),
        ("participant_id,label", ("sub-1,maybe", ",1"), "row 2, column label: 0 or 1, or n/a"),
        ("participant_id,label", (",1",), "row 2, column participant_id: text of 1 to 200"),
    ],
)
def test_faults_of_the_labels_are_named(
    predictions: Path, tmp_path: Path, head: str, rows: tuple[str, ...], said: str
) -> None:
    assert said in refused(predictions, write(tmp_path / "sub-1_secret.csv", head, *rows))


def test_predictions_without_the_key_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", "participant_id,probability", "sub-1,0.5")
    labels = write(tmp_path / "l.csv", "scan_id,label", "a,1")
    assert "p.csv, column scan_id: the column is missing; l.csv" in refused(path, labels)


def test_labels_of_simulated_patients_make_the_evaluation_simulated(
    predictions: Path, tmp_path: Path
) -> None:
    rows = ("sub-1,1,0", "sub-2,0,1")
    told = write(tmp_path / "l.csv", "participant_id,label,simulated", *rows)
    assert read_predictions(predictions, labels=told).simulated
    labels = write(tmp_path / "set" / "labels.tsv", "participant_id\tlabel", "sub-1\t1", "sub-2\t0")
    assert not read_predictions(predictions, labels=labels).simulated
    (labels.parent / "dataset_description.json").write_text(json.dumps({"Simulated": True}))
    assert read_predictions(predictions, labels=labels).simulated


def test_spare_labels_serve_only_predictions_without_a_label_column(
    predictions: Path, tmp_path: Path
) -> None:
    spare = write(tmp_path / "labels.tsv", "participant_id\tlabel", "sub-1\t1", "sub-2\t0")
    found = read_predictions(predictions, spare_labels=spare)
    assert found.truth.tolist() == [True, True, False]
    own = write(tmp_path / "own.csv", HEAD + ",label", "sub-1,a,0.9,0", "sub-2,b,0.1,1")
    assert read_predictions(own, spare_labels=spare).truth.tolist() == [False, True]
