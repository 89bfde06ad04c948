"""Labels that a user brings."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemocast.dataset.tables.labels import read_labels
from hemocast.errors import NothingThere, TableError


@pytest.mark.parametrize(
    "text",
    [
        "patient_id,label\nDOE 1,1\n007,0\n",
        "label\tpatient_id\tnote\n1\t DOE 1 \tx\n 0\t007\ty\n",
        "\ufeffpatient_id,label\r\nDOE 1,1\r\n007,0\r\n\r\n",
    ],
)
def test_they_are_read_whatever_program_wrote_them(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode())
    assert read_labels(path) == {"DOE 1": 1, "007": 0}


def test_all_faults_are_named_at_once_and_no_identifier(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("patient_id,label\nDOE,1\nDOE,0\n,1\nROE,maybe\n")
    with pytest.raises(TableError, match=r"3 fault\(s\)") as caught:
        read_labels(path)
    for part in (
        "row 3, column patient_id: every row once",
        "row 4, column patient_id: text",
        "row 5, column label: 0 or 1 (1 HT, 0 no HT)",
    ):
        assert part in str(caught.value)
    assert "DOE" not in str(caught.value)
    assert "maybe" not in str(caught.value)
    with pytest.raises(NothingThere):
        read_labels(tmp_path / "none.csv")
