"""Scans that no model can be judged on: refused, or their outcome never observed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.errors import TableError
from hemocast.evaluate.inputs.predictions import PredictionTable, read_predictions
from hemocast.stats.incidence import CENSORED, COMPETING, EVENT

ROWS = (
    "p1,a,0.9,done,,F", "p2,b,0.2,done,,M", "p3,c,0.4,done,,F", "p4,d,0.7,done,,M",
    "p5,e,,refused,HC303,F", "p6,f,,failed,n/a,F",
)  # fmt: skip
LABELS = (
    "p1,1,observed,30,40,n/a", "p2,0,,,60,90", "p3,n/a,death,,,50", "p4,n/a,lost,,20,",
    "p5,1,observed,25,,", "p6,n/a,no_later_scan,,,",
)  # fmt: skip


def write(path: Path, head: str, *rows: str) -> Path:
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def read(tmp_path: Path, *labels: str, rows: tuple[str, ...] = ROWS) -> PredictionTable:
    head = "participant_id,scan_id,probability,status,code,sex"
    predictions = write(tmp_path / "p.csv", head, *rows)
    columns = "label,outcome_status,ht_detected_hours,last_imaging_hours,death_hours"
    own = write(tmp_path / "l.csv", f"participant_id,{columns}", *(labels or LABELS))
    return read_predictions(predictions, labels=own)


def test_what_was_not_observed_stands_apart_with_its_reason(tmp_path: Path) -> None:
    table = read(tmp_path)
    assert table.scan.tolist() == ["a", "b"]
    assert table.truth.tolist() == [True, False]
    refused, unseen = table.left_out_of("model")
    assert refused.kind == "refused"
    assert refused.reason.tolist() == ["HC303", "failed"]
    assert refused.participant.tolist() == ["p5", "p6"]
    assert refused.truth[0] == 1
    assert np.isnan(refused.truth[1])
    assert unseen.kind == "outcome not observed"
    assert unseen.reason.tolist() == ["death", "lost"]
    assert unseen.score.tolist() == [0.4, 0.7]
    assert unseen.rows.tolist() == [2, 3]
    assert [part.tolist() for part in table.everyone] == [["p1", "p2", "p3", "p4"], list("abcd")]
    (sex,) = table.groupings
    assert sex.values == ("F", "M", "F", "M")


def test_time_runs_to_ht_to_death_without_it_or_to_the_last_scan(tmp_path: Path) -> None:
    found = read(tmp_path).follow_up
    assert found is not None
    assert found.hours.tolist() == [30, 90, 50, 20]
    assert found.kind.tolist() == [EVENT, COMPETING, COMPETING, CENSORED]
    assert found.n_unknown == 0
    later = [row.replace("death,,,50", "death,,45,") for row in LABELS]
    found = read(tmp_path, *later).follow_up
    assert found is not None
    assert (found.hours.tolist(), found.n_unknown) == ([30, 90, 20], 1)


def test_without_a_death_there_is_no_competing_event(tmp_path: Path) -> None:
    alive = [",".join([*row.split(",")[:-1], ""]) for row in LABELS]
    assert read(tmp_path, *alive).follow_up is None


def test_a_missing_label_without_a_reason_is_still_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="outcome_status that says why not"):
        read(tmp_path, *(row.replace("n/a,lost", "n/a,") for row in LABELS))
    with pytest.raises(TableError, match="one of observed, no_later_scan, death, lost"):
        read(tmp_path, *(row.replace("n/a,lost", "n/a,moved") for row in LABELS))


def test_a_label_that_was_not_observed_contradicts_itself(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no label where the outcome was not observed"):
        read(tmp_path, *(row.replace("n/a,lost", "0,lost") for row in LABELS))


def test_the_predictions_may_hold_the_reasons_themselves(tmp_path: Path) -> None:
    head = "participant_id,scan_id,label,probability,model,outcome_status"
    rows = ("p1,a,1,.9,A,", "p1,a,1,.8,B,", "p2,b,n/a,.3,A,death", "p2,b,n/a,.2,B,death")
    table = read_predictions(write(tmp_path / "p.csv", head, *rows))
    assert [part.model for part in table.left_out] == ["A", "B"]
    assert table.unseen[1].tolist() == ["b"]
    assert table.groupings == ()
    contradiction = (*rows[:3], "p2,b,0,.2,B,")
    with pytest.raises(TableError, match="observed, or was not, whatever the model"):
        read_predictions(write(tmp_path / "p.csv", head, *contradiction))


def test_simulated_scans_without_an_outcome_make_the_table_simulated(tmp_path: Path) -> None:
    head = "participant_id,scan_id,label,probability,outcome_status,simulated"
    rows = ("p1,a,1,.9,,0", "p2,b,0,.2,,0", "p3,c,n/a,.4,lost,1")
    assert read_predictions(write(tmp_path / "p.csv", head, *rows)).simulated


def test_a_table_whose_outcomes_were_all_not_observed_is_refused(tmp_path: Path) -> None:
    head = "participant_id,scan_id,label,probability,outcome_status"
    with pytest.raises(TableError, match="no outcome was observed"):
        read_predictions(write(tmp_path / "p.csv", head, "p1,a,,.9,lost"))
