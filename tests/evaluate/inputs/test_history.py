"""What the hospital exports: every scan that arrived, and outcomes as they come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.errors import NobodyMatched, TableError
from hemocast.evaluate.inputs.history import read_history, read_reference

HEAD = "scan_id,participant_id,arrived_at,predicted_at,status,code,probability,scanner,infarct_ml\n"
ROWS = (
    "s2,p1,2026-03-02T10:00:00,2026-03-02T10:01:00,delivered,,0.30,GE,4\n"
    "s1,p1,2026-03-01 09:00,2026-03-01 09:02,done,,0.20,GE,n/a\n"
    "s3,,2026-03-03T08:00,n/a,refused,HC303,,Siemens,\n"
)


def write(folder: Path, text: str, name: str = "history.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_scans_come_in_the_order_of_arrival_with_their_features(tmp_path: Path) -> None:
    history = read_history(write(tmp_path, HEAD + ROWS))
    assert history.status.tolist() == ["done", "done", "refused"]
    assert history.scans.patient.tolist() == ["p1", "p1", "s3"]
    assert history.arrived[0] == np.datetime64("2026-03-01T09:00")
    assert np.isnat(history.predicted[2])
    assert np.isnat(history.last_slice).all()
    scanner, infarct = history.scans.features
    assert (scanner.name, infarct.name) == ("scanner", "infarct_ml")
    assert scanner.values.tolist() == ["GE", "GE", "Siemens"]
    assert np.array_equal(infarct.values, [np.nan, 4, np.nan], equal_nan=True)
    assert (scanner.is_number, infarct.is_number) == (False, True)
    assert history.scans.feature("site") is None
    assert np.array_equal(history.scans.probability, [0.2, 0.3, np.nan], equal_nan=True)


def test_outcomes_join_by_scan_and_those_of_others_are_counted(tmp_path: Path) -> None:
    outcomes = write(
        tmp_path,
        "scan_id,label,grade,observed_at\ns1,HT,PH1,2026-03-04T10:00\nx9,no ht,,\ns3,0,,\n",
        "outcomes.csv",
    )
    found = read_history(write(tmp_path, HEAD + ROWS), outcomes).outcomes
    assert found is not None
    assert np.array_equal(found.label, [1, np.nan, 0], equal_nan=True)
    assert found.grade.tolist() == ["PH1", "", ""]
    assert found.known_at[0] == np.datetime64("2026-03-04T10:00")
    assert found.known_at[2] == np.datetime64("2026-03-03T08:00")
    assert found.unmatched == 1
    strangers = write(tmp_path, "scan_id,label\n77,1\n", "outcomes.csv")
    with pytest.raises(NobodyMatched):
        read_history(tmp_path / "history.csv", strangers)


def test_times_with_an_offset_are_one_clock(tmp_path: Path) -> None:
    rows = "a,,2026-03-01T09:00+08:00,,waiting,,,,\nb,,2026-03-01T00:30Z,,waiting,,,,\n"
    history = read_history(write(tmp_path, HEAD + rows))
    assert history.scans.patient.tolist() == ["b", "a"]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("a,,2026-13-01T09:00,,waiting,,,,\n", "arrived_at"),
        ("a,,2026-03-01T09:00Z,,waiting,,,,\nb,,2026-03-01T09:00,,waiting,,,,\n", "arrived_at"),
        ("a,,yesterday,,waiting,,,,\n", "arrived_at"),
        ("a,,2026-03-01T09:00,,done,,,,\n", "probability"),
        ("a,,2026-03-01T09:00,,refused,HC1,0.4,,\n", "probability"),
        ("a,,2026-03-01T09:00,,lost,,,,\n", "status"),
        ("s2,,2026-03-01T09:00,,waiting,,,,\n" * 2, "scan_id"),
    ],
)
def test_what_cannot_be_is_refused_by_row_and_column(tmp_path: Path, row: str, column: str) -> None:
    with pytest.raises(TableError, match=f"row.*{column}"):
        read_history(write(tmp_path, HEAD + row))


def test_a_reference_needs_no_time(tmp_path: Path) -> None:
    scans = read_reference(
        write(tmp_path, "probability,scanner,age,simulated\n0.1,GE,70,1\n0.4,GE,66,1\n", "r.csv")
    )
    assert scans.simulated
    age = scans.feature("age")
    assert age is not None
    assert age.values.tolist() == [70, 66]
    assert len(set(scans.patient)) == 2
