from __future__ import annotations

import csv
from pathlib import Path

import pytest

from hemocast.report.evaluation.tables import estimate_json, write_csv
from hemocast.stats import Estimate

NAN = float("nan")


def test_undefined_and_infinite_are_null_with_their_reason() -> None:
    found = estimate_json(Estimate(float("inf"), NAN, NAN, "none", 5, "infinite: no error"))
    assert (found["value"], found["ci_low"], found["warning"]) == (None, None, "infinite: no error")


@pytest.mark.parametrize("cell", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\tx", "\rx"])
def test_no_text_is_a_formula(tmp_path: Path, cell: str) -> None:
    write_csv(tmp_path / "a.csv", ("a", "b"), [[cell, -0.5]])
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        row = list(csv.reader(file))[1]
    assert row == ["'" + cell.replace("\r", " "), "-0.5"]


def test_simulated_data_say_so_in_every_row(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", ("a",), [["x"], ["y"]], simulated=True)
    assert (tmp_path / "a.csv").read_text().splitlines() == ["a,simulated", "x,1", "y,1"]


def test_a_table_that_fails_half_way_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_csv(path, ("a",), [["old"]])

    def rows() -> object:
        yield ["new"]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_csv(path, ("a",), rows())
    assert "old" in path.read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
