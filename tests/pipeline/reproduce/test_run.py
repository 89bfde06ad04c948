"""The paper in form, small: every table and figure, resumed, and honest about what it is."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from hemocast.errors import OutputExists
from hemocast.pipeline.reproduce.plan import Plan
from hemocast.pipeline.reproduce.run import reproduce, reproduce_plan
from hemocast.pipeline.simulated_run import RunOptions

TABLES = {"table1", "table2", "table3"}
FIGURES = {"figure1", "figure2", "figure3", "figureS1", "figureS2", "figureS3", "figureS4"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_every_table_and_figure_is_there_for_print_and_on_the_page(small: Path) -> None:
    page = (small / "report.html").read_text(encoding="utf-8")
    for name in TABLES:
        assert (small / "tables" / f"{name}.csv").stat().st_size > 100
        assert r"\begin{tabular}" in (small / "tables" / f"{name}.tex").read_text(encoding="utf-8")
        assert f'id="{name}"' in page
    for name in FIGURES:
        assert (small / "figures" / f"{name}.svg").is_file()
        assert (small / "figures" / f"{name}.png").stat().st_size > 10_000
        assert f'id="{name}"' in page
    assert page.count("SIMULATED") > 10
    assert 'src="http' not in page


@pytest.mark.slow
def test_nobody_is_in_both_parts_and_readers_read_the_test_part(small: Path) -> None:
    tested = {row["scan_id"] for row in rows(small / "predictions.csv")}
    read = rows(small / "readings.csv")
    assert {row["scan_id"] for row in read} == tested
    assert {row["reader_id"] for row in read} == {f"C{k}" for k in range(1, 9)}
    table = rows(small / "tables" / "table1.csv")
    counts = next(row for row in table if row["Overall"] == "10")
    assert int(counts["train"]) + int(counts["test"]) == 10


@pytest.mark.slow
def test_a_second_run_goes_on_from_what_is_there(small: Path, plan: Plan) -> None:
    model = small / "model" / "model.yaml"
    before = model.stat().st_mtime_ns
    page = (small / "tables" / "table2.csv").read_bytes()
    (small / "report.html").unlink()
    reproduce_plan(small, plan, RunOptions(seed=3))
    assert model.stat().st_mtime_ns == before
    assert (small / "report.html").is_file()
    assert (small / "tables" / "table2.csv").read_bytes() == page


@pytest.mark.slow
def test_other_settings_do_not_enter_the_folder(small: Path) -> None:
    with pytest.raises(OutputExists, match="did not make"):
        reproduce(small, options=RunOptions(seed=4))
