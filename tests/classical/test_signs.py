"""Signs of a table and signs just measured are the same numbers; what is missing is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.classical.signs import NAMES, TABLE, VARIABLES, read_signs, signs_of
from hemocast.errors import NoSigns, TableError

COLUMNS = ("scan_id", "status", *NAMES)
CELLS = {"infarct_ml": "12.5", "aspects": "8", "van_swieten": "", "fluid_share": "0.1"}


def write(folder: Path, *rows: dict[str, str]) -> None:
    path = folder / TABLE
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [",".join(COLUMNS)]
    lines += [",".join(row.get(name, "") for name in COLUMNS) for row in rows]
    path.write_text("\n".join(lines) + "\n")


def test_a_row_of_the_table_is_what_was_measured(tmp_path: Path) -> None:
    first = {"scan_id": "sub-A_ses-01", "status": "done", **CELLS}
    second = first | {"scan_id": "sub-B_ses-01", "aspects": "10"}
    write(tmp_path, second, first)
    told = read_signs(tmp_path, ["sub-A_ses-01", "sub-B_ses-01"])
    assert told.variables == VARIABLES
    np.testing.assert_array_equal(told.values[0], signs_of(CELLS).values[0])
    assert told.values[:, NAMES.index("aspects")].tolist() == [8, 10]
    assert np.isnan(told.values[0, NAMES.index("van_swieten")])


def test_what_is_missing_or_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoSigns, match=r"HC507.*hemocast measure"):
        read_signs(tmp_path, ["sub-A_ses-01"])
    row = {"scan_id": "sub-A_ses-01", "status": "done", **CELLS}
    write(tmp_path, row, row | {"scan_id": "sub-B_ses-01", "status": "refused"})
    with pytest.raises(NoSigns, match="1 scan"):
        read_signs(tmp_path, ["sub-A_ses-01", "sub-B_ses-01"])
    write(tmp_path, row, row)
    with pytest.raises(TableError, match="two rows"):
        read_signs(tmp_path, ["sub-A_ses-01"])
    for wrong in ("many", "inf", "1e999"):
        write(tmp_path, row | {"aspects": wrong})
        with pytest.raises(TableError, match="aspects"):
            read_signs(tmp_path, ["sub-A_ses-01"])
    (tmp_path / TABLE).write_text("scan_id,status\nsub-A_ses-01,done\n")
    with pytest.raises(TableError, match="lacks"):
        read_signs(tmp_path, ["sub-A_ses-01"])
