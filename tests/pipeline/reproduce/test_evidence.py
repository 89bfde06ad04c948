"""Figure 3 in numbers."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from hemocast.explain import Evidence
from hemocast.pipeline.reproduce.evidence import COLUMNS, Lies, _row


@pytest.mark.slow
def test_the_model_stands_beside_random_weights_on_the_same_scans(small: Path) -> None:
    with (small / "tables" / "figure3.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(COLUMNS)
    assert len(rows) == 6
    model, random = rows[:3], rows[3:]
    assert {row["Heatmaps"] for row in random} == {"random weights"}
    assert [row["n"] for row in model] == [row["n"] for row in random]
    assert [row["Even map, %"] for row in model] == [row["Even map, %"] for row in random]
    counts = [int(row["n"]) for row in model]
    assert counts[0] == counts[1] + counts[2] > 0
    assert (small / "tables" / "figure3.tex").is_file()


def test_rates_have_wilsons_limits_and_shares_their_standard_error() -> None:
    hit, miss = (Lies(True, Evidence(on, 0.1, 0.0, on > 0.5, 0.2)) for on in (0.8, 0.4))
    row = _row("net", "all", [hit] * 5 + [miss] * 5)
    assert row[:4] == ("net", "all", "10", "50 (24 to 76)")
    assert row[4] == "60 (47 to 73)"
    assert row[6] == "20 (20 to 20)"
    assert _row("net", "faint infarct", []) == ("net", "faint infarct", "0", "", "", "", "")
