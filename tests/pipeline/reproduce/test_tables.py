"""The paper's tables, each line beside what the paper printed."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from hemocast.pipeline.benchmark.rows import METRICS, Row
from hemocast.pipeline.reproduce.tables import NO_VALUE, printed, table1, table3_of
from hemocast.stats import Estimate


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_printed_numbers_stand_as_printed_with_their_limits() -> None:
    assert printed("Table 2", "CTNet", "sensitivity") == "71.55 (60.6 to 85.0)"
    assert printed("Table 1", "patients", "test") == "61"
    assert printed("Table 1", "patients", "total", "sex: male") == "351"
    assert printed("Table 9", "CTNet", "sensitivity") == NO_VALUE


def test_table_1_ends_with_the_counts_that_the_paper_prints() -> None:
    columns = ["Characteristic", "Level", "Missing", "Overall", "test", "train", "SMD"]
    frame = pd.DataFrame([["Age, years", "", "0", "60", "61", "59", "-0.1"]], columns=columns)
    table = table1(frame)
    assert table.columns == tuple(columns)
    whole, male, female = (dict(zip(columns, row, strict=True)) for row in table.rows[1:])
    assert (whole["Overall"], whole["train"], whole["test"]) == ("474", "437", "61")
    assert (male["Level"], male["test"], female["test"]) == ("male", "47", "14")
    assert whole["SMD"] == NO_VALUE


@pytest.mark.slow
def test_table_2_sets_the_printed_numbers_beside_ours(small: Path) -> None:
    table = rows(small / "tables" / "table2.csv")
    ours = [row["Rater"] for row in table if row["Source"] == "here, SIMULATED"]
    assert ours == ["CTNet", *(f"C{k}" for k in range(1, 9)), "Average of 8 readers"]
    printed = {row["Rater"]: row for row in table if row["Source"] == "printed by the paper"}
    assert printed["CTNet"]["Sensitivity"] == "71.55 (60.6 to 85.0)"
    assert printed["Average clinician"]["Specificity"] == "80.67"
    assert printed["C1"]["Sensitivity"] == "48.90 (30.6 to 61.9)"
    assert {f"C{k}" for k in range(1, 9)} <= set(printed)


@pytest.mark.slow
def test_table_3_shows_that_calling_everybody_positive_needs_no_network(small: Path) -> None:
    table = {(row["Network"], row["Source"]): row for row in rows(small / "tables" / "table3.csv")}
    rule = table["All positive", "here, SIMULATED"]
    assert rule["Sensitivity"].startswith("100.0")
    assert rule["AUC"].startswith("50.0")
    # The paper's 39.22 is a macro-F1, and stands where it belongs.
    theirs = table["Wozniak", "printed by the paper"]
    assert table["Soundari", "printed by the paper"] == theirs | {"Network": "Soundari"}
    assert (theirs["F1"], theirs["Macro-F1"]) == ("n/a", "39.22")


def test_a_benchmark_becomes_table_3_with_the_printed_lines_below() -> None:
    estimates = {name: Estimate(0.7, 0.6, 0.8, "test", 9) for name in METRICS}
    row = Row("resnet10", 0, "", 5, 9, 0.5, 0.25, 3, 1234, 60.0, estimates)
    table = table3_of([row])
    lines = [dict(zip(table.columns, line, strict=True)) for line in table.rows]
    ours, ctnet, theirs, _ = lines
    assert (ours["Network"], ours["Source"]) == ("resnet10", "here, SIMULATED")
    assert ours["AUC"] == ours["Accuracy"] == "70.0 (60.0 to 80.0)"
    assert ours["Calibration slope"] == "0.700 (0.600 to 0.800)"
    assert ctnet["Sensitivity"] == "71.55 (60.6 to 85.0)"
    assert ctnet["Brier score"] == NO_VALUE
    assert (theirs["F1"], theirs["Macro-F1"], theirs["Specificity"]) == (NO_VALUE, "39.22", "0.00")
    assert any("fresh" in note for note in table.notes)
