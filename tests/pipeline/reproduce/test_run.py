"""The paper in form, small: every table and figure, resumed, and honest about what it is."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from hemocast.config import Config
from hemocast.errors import OutputExists
from hemocast.pipeline.reproduce import run as module
from hemocast.pipeline.reproduce.plan import Plan
from hemocast.pipeline.reproduce.run import reproduce
from hemocast.pipeline.simulated_run import RunOptions
from hemocast.simulate import DEMO

TABLES = {"table1", "table2", "table3"}
FIGURES = {"figure1", "figure2", "figure3", "figureS1", "figureS2", "figureS3", "figureS4"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, config: Config):
    """A reproduction with 16 patients and two epochs; gives its folder."""
    cohort = DEMO.model_copy(update={"n_ht": 8, "n_non": 8, "matrix": 128, "masks": True})

    def tiny(*, fast: bool, seed: int) -> Plan:
        simulate = cohort.model_copy(update={"seed": seed})
        return Plan(simulate=simulate, run=config, test_fraction=0.4)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "make_plan", tiny)
        out = tmp_path_factory.mktemp("paper") / "out"
        reproduce(out, options=RunOptions(seed=3))
        yield out


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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


def test_table_2_sets_the_printed_numbers_beside_ours(small: Path) -> None:
    table = rows(small / "tables" / "table2.csv")
    ours = [row["Rater"] for row in table if row["Source"] == "here, SIMULATED"]
    assert ours == ["CTNet", *(f"C{k}" for k in range(1, 9)), "Average of 8 readers"]
    printed = {row["Rater"]: row for row in table if row["Source"] == "printed by the paper"}
    assert printed["CTNet"]["Sensitivity"] == "71.55 (60.6 to 85.0)"
    assert printed["Average clinician"]["Specificity"] == "80.67"


def test_table_3_shows_that_calling_everybody_positive_needs_no_network(small: Path) -> None:
    table = {(row["Network"], row["Source"]): row for row in rows(small / "tables" / "table3.csv")}
    rule = table["All positive", "here, SIMULATED"]
    assert rule["Sensitivity"].startswith("100.0")
    assert rule["AUC"].startswith("50.0")
    # The paper's 39.22 is a macro-F1, and stands where it belongs.
    theirs = table["The two comparator networks", "printed by the paper"]
    assert (theirs["F1"], theirs["Macro-F1"]) == ("n/a", "39.22")


def test_nobody_is_in_both_parts_and_readers_read_the_test_part(small: Path) -> None:
    tested = {row["scan_id"] for row in rows(small / "predictions.csv")}
    read = rows(small / "readings.csv")
    assert {row["scan_id"] for row in read} == tested
    assert {row["reader_id"] for row in read} == {f"C{k}" for k in range(1, 9)}
    table = rows(small / "tables" / "table1.csv")
    counts = next(row for row in table if row["Overall"] == "16")
    assert int(counts["train"]) + int(counts["test"]) == 16


def test_a_second_run_goes_on_from_what_is_there(small: Path) -> None:
    model = small / "model" / "model.yaml"
    before = model.stat().st_mtime_ns
    page = (small / "tables" / "table2.csv").read_bytes()
    (small / "report.html").unlink()
    reproduce(small, options=RunOptions(seed=3))
    assert model.stat().st_mtime_ns == before
    assert (small / "report.html").is_file()
    assert (small / "tables" / "table2.csv").read_bytes() == page


def test_other_settings_do_not_enter_the_folder(small: Path) -> None:
    with pytest.raises(OutputExists, match="did not make"):
        reproduce(small, options=RunOptions(seed=4))
