"""Predictions, cell by cell: every fault at once, with its row."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemocast.errors import TableError
from hemocast.evaluate.inputs.predictions import read_predictions

HEAD = "participant_id,scan_id,label,probability"


def write(path: Path, *rows: str, head: str = HEAD) -> Path:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(TableError) as caught:
        read_predictions(path)
    return str(caught.value)


def test_all_faults_are_named_at_once_with_row_column_and_reason(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        "p1,s1,1,0.9",
        "p2,s2,maybe,0.2",  # 3: label
        "p3,s3,0,87",  # 4: probability
        "p4,s4,0,",  # 5: missing
        "p1,s1,1,0.8",  # 6: a scan twice
        "p1,s5,0,0.8",  # 7: two labels of a participant
        ",s6,0,0.8",  # 8: no participant
        "p9,s2,1,0.4",  # 9: another participant's scan
        "p7,s7,,0.4",  # 10: no label
        "p8,s8,1,nan",  # 11: not a number
    )
    text = refused(path)
    # A bad cell and a blank one are told the same.
    assert "rows 3, 10, column label: 0 or 1 (1 HT, 0 no HT);" in text
    assert "rows 4, 5, 11, column probability: a number from 0 to 1 (divide" in text
    assert "divide percentages by 100" in text
    assert "n/a" not in text
    assert "rows 6, 9, column model + scan_id" in text
    assert "rows 2, 6, 7, column label: one label for all scans of a participant" in text
    assert "row 8, column participant_id: text of 1 to 200 printable characters" in text
    assert "rows 3, 9, column participant_id: one participant for a scan" in text


def test_a_missing_participant_column_says_what_it_is_for(tmp_path: Path) -> None:
    text = refused(write(tmp_path / "a.csv", "s1,1,0.3", head="scan_id,label,probability"))
    assert "a.csv, column participant_id: the column is missing; it has scan_id, label" in text
    assert "repeat scan_id" in text


def test_a_missing_label_column_says_where_labels_may_come_from(tmp_path: Path) -> None:
    text = refused(
        write(tmp_path / "a.csv", "p1,s1,0.3", head="participant_id,scan_id,probability")
    )
    assert "column label: the column is missing" in text
    assert "--labels" in text


def test_several_models_share_the_scans_and_have_their_own_thresholds(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        "p1,s1,1,0.9,A,0.4",
        "p2,s2,0,0.1,A,0.4",
        "p2,s2,0,0.3,B,",
        "p1,s1,1,0.7,B,",
        head=HEAD + ",model,threshold",
    )
    found = read_predictions(path)
    a, b = found.models
    assert (a.name, a.threshold, a.threshold_source) == ("A", 0.4, "column")
    assert (b.name, b.threshold, b.threshold_source) == ("B", 0.5, "default")
    assert b.rows.tolist() == [1, 0]
    assert found.scan.size == 2
    assert {m.threshold for m in read_predictions(path, threshold=0.2).models} == {0.2}


def test_far_from_even_the_share_with_the_outcome_is_the_threshold(tmp_path: Path) -> None:
    rows = [f"p{i},s{i},{int(i == 0)},0.{i}" for i in range(10)]
    (rare,) = read_predictions(write(tmp_path / "a.csv", *rows)).models
    assert (rare.threshold, rare.threshold_source) == (0.1, "prevalence")
    (asked,) = read_predictions(tmp_path / "a.csv", threshold=0.5).models
    assert (asked.threshold, asked.threshold_source) == (0.5, "option")
    (even,) = read_predictions(write(tmp_path / "b.csv", *rows[:4])).models
    assert (even.threshold, even.threshold_source) == (0.5, "default")


def test_a_threshold_that_changes_within_a_model_is_a_fault(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "p1,s1,1,0.9,0.4", "p2,s2,0,0.1,0.5", head=HEAD + ",threshold")
    assert "rows 2, 3, column threshold: one threshold" in refused(path)


def test_scans_that_prediction_refused_are_counted_not_blamed(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        "p1,s1,1,0.9,done",
        "p2,s2,0,,refused",
        "p3,s3,,,failed",
        "p4,s4,0,,done",
        head=HEAD + ",status",
    )
    text = refused(path)
    assert "row 5, column probability" in text
    assert "rows" not in text.split("column probability")[0].split("fault(s)")[1]
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:4]) + "\n")
    found = read_predictions(path)
    assert (found.scan.tolist(), found.n_refused) == (["s1"], 2)


def test_paths_in_which_prediction_found_no_scan_are_left_out_too(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        "p1,s1,1,0.9,done",
        "n/a,n/a,,,refused",
        "n/a,n/a,,,failed",
        "p1,s1,,,refused",  # the same scan under a second path
        head=HEAD + ",status",
    )
    found = read_predictions(path)
    assert (found.scan.tolist(), found.n_refused) == (["s1"], 3)


def test_simulated_is_a_column(tmp_path: Path) -> None:
    rows = ("p1,s1,1,0.9,1", "p2,s2,0,0.1,1")
    assert read_predictions(write(tmp_path / "a.csv", *rows, head=HEAD + ",simulated")).simulated
    assert not read_predictions(write(tmp_path / "b.csv", "p1,s1,1,0.9")).simulated


def test_names_with_control_characters_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "p1,s1,1,0.9,\x1b[31mred", head=HEAD + ",model")
    assert "row 2, column model" in refused(path)


def test_a_row_for_all_scans_of_a_patient_speaks_for_the_patient_alone(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        "p1,s1,1,0.9",
        "p1,s2,1,0.5",
        "p1,all,1,0.7",
        "p2,s3,0,0.2",
        "p3,s4,0,0.1",
        "p3,s5,0,0.3",
        "p3,all,0,0.2",
    )
    scans = read_predictions(path)
    assert scans.scan.tolist() == ["s1", "s2", "s3", "s4", "s5"]
    patients = read_predictions(path, level="patient")
    assert patients.scan.tolist() == ["p1", "p2", "p3"]
    assert patients.models[0].cases.score.tolist() == [0.7, 0.2, 0.2]


def test_several_scans_without_a_row_for_all_cannot_be_judged_by_patient(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "p1,s1,1,0.9", "p1,s2,1,0.5", "p2,s3,0,0.2")
    with pytest.raises(TableError, match="1 patient"):
        read_predictions(path, level="patient")
    assert len(read_predictions(path).scan) == 3
