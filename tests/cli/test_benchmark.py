"""``hemocast benchmark`` tells every row, refuses by a code, and makes its cohorts when asked."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import pytest

from hemocast.cli.main import run

pytestmark = pytest.mark.usefixtures("tables_are_listed")

PLACE = Path(__file__).parents[1] / "pipeline" / "benchmark" / "conftest.py"


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    spec = importlib.util.spec_from_file_location("benchmark_cohorts", PLACE)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    root = tmp_path_factory.mktemp("cohorts")
    return made.write_cohort(root / "a", 40, 3), made.write_cohort(root / "b", 30, 4)


def end(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        run(["benchmark", *map(str, arguments)])
    return int(ended.value.code or 0)


def test_rows_are_told_and_written(
    cohorts: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ("--cohort", cohorts[0], "--fresh", cohorts[1], "--out", tmp_path / "out")
    assert end("--row", "soundari-style", "--seeds", 1, "--epochs", 1, *given) == 0
    told = capsys.readouterr().out
    assert "SIMULATED patients and outcomes" in told
    assert "soundari-style (seed 0)" in told
    assert "all positive" in told
    with (tmp_path / "out" / "benchmark.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 5
    run_again = ("--row", "soundari-style", "--seeds", 2, "--epochs", 1, *given)
    assert end(*run_again) == 0
    assert "soundari-style (seed 1)" in capsys.readouterr().out


def test_what_cannot_be_has_a_code(
    cohorts: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end("--row", "nonsense", "--out", tmp_path / "out") == 2
    assert capsys.readouterr().err.startswith("HC0")
    given = ("--cohort", cohorts[0], "--fresh", tmp_path, "--out", tmp_path / "out")
    assert end(*given) == 4
    assert not (tmp_path / "out" / "rows").exists()


@pytest.mark.slow
def test_the_cohorts_are_simulated_where_none_is_given(tmp_path: Path) -> None:
    words = ("--patients", 24, "--test-patients", 6, "--row", "wozniak-style + mirror")
    assert end(*words, "--seeds", 1, "--epochs", 1, "--out", tmp_path) == 0
    with (tmp_path / "benchmark.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["patients"] for row in rows} == {"6"}
