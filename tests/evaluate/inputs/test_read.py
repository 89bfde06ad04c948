from pathlib import Path

import pytest

from hemocast.errors import NothingThere, TableError
from hemocast.evaluate.inputs.read import Tables, read_inputs


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_all_tables_are_read_against_each_other(tmp_path: Path) -> None:
    predictions = write(
        tmp_path / "p.csv", "participant_id,scan_id,label,probability,site",
        "sub-1,a,1,0.9,x", "sub-2,b,0,0.2,y",
    )  # fmt: skip
    clinical = write(
        tmp_path / "clinical.tsv", "participant_id\tsex\tsite", "sub-1\tF\tz", "sub-2\tM\tz"
    )
    readings = write(
        tmp_path / "r.csv", "reader_id,participant_id,scan_id,probability,decision,simulated",
        "A,sub-2,b,0.3,0,1",
    )  # fmt: skip
    found = read_inputs(Tables(predictions, readings, clinical), threshold=0.3)
    assert found.predictions.models[0].threshold == 0.3
    # The table's own column comes before that of the same name in the clinical table.
    assert {one.name: one.values for one in found.groupings} == {
        "site": ("x", "y"), "sex": ("F", "M")
    }  # fmt: skip
    assert found.readings is not None
    assert (found.readings.row.tolist(), found.readings.truth.tolist()) == ([1], [False])
    assert found.simulated
    assert Tables(predictions, clinical=clinical).paths == (predictions, clinical)


def test_the_labels_beside_the_clinical_table_serve_where_there_are_none(tmp_path: Path) -> None:
    predictions = write(tmp_path / "p.csv", "participant_id,scan_id,probability", "sub-1,a,0.9")
    with pytest.raises(TableError):
        read_inputs(Tables(predictions))
    clinical = write(tmp_path / "clinical.tsv", "participant_id\tage", "sub-1\t70")
    write(tmp_path / "labels.tsv", "participant_id\tlabel", "sub-1\t1")
    found = read_inputs(Tables(predictions, clinical=clinical))
    assert found.predictions.models[0].cases.truth.tolist() == [True]
    assert not found.simulated


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingThere):
        read_inputs(Tables(tmp_path / "none.csv"))
