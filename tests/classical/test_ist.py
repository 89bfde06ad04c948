"""`benchmarks/ist.py` on made-up tables of the trial's format: what it tells and refuses."""

from __future__ import annotations

import gzip
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def ist() -> Iterator[ModuleType]:
    """Return the benchmark as a module."""
    if not BENCHMARKS.is_dir():
        pytest.skip("benchmarks/ist.py is not there: not a whole source tree")
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("ist")
    sys.path.remove(str(BENCHMARKS))


def make_table(countries: tuple[str, ...], n: int = 300, seed: int = 0) -> pd.DataFrame:
    """Return patients as the trial's table has them; bleeds follow AF and heparin."""
    rng = np.random.default_rng(seed)
    size = n * len(countries)
    table = pd.DataFrame({"COUNTRY": np.repeat(countries, n), "DDIAGISC": "Y", "HOSPNUM": "1"})
    table["AGE"] = rng.integers(40, 95, size).astype(str)
    table["RSBP"] = rng.integers(100, 220, size).astype(str)
    table["RDELAY"] = rng.integers(1, 48, size).astype(str)
    for name in ("RSLEEP", "RATRIAL", "RCT", "RVISINF", "RHEP24", "RASP3", "RXASP"):
        table[name] = rng.choice(["Y", "N"], size)
    for number in range(1, 9):
        table[f"RDEF{number}"] = rng.choice(["Y", "N", "C"], size)
    table["SEX"] = rng.choice(["M", "F"], size)
    table["RCONSC"] = rng.choice(["F", "D", "U"], size)
    table["STYPE"] = rng.choice(["PACS", "TACS", "LACS", "POCS", "OTH"], size)
    table["RXHEP"] = rng.choice(["N", "L", "M", "H"], size)
    risk = 0.02 + 0.1 * (table["RATRIAL"] == "Y") + 0.08 * table["RXHEP"].isin(["M", "H"])
    bled = rng.random(size) < risk
    table["H14"] = np.where(bled, "1", "0")
    table["HTI14"] = np.where(bled & (rng.random(size) < 0.5), "1", "0")
    table.loc[: size // 20, ["RATRIAL", "RASP3"]] = ""
    return table


def run(ist: ModuleType, monkeypatch: pytest.MonkeyPatch, path: Path, *more: str | Path) -> int:
    """Run it as from the command line."""
    monkeypatch.setenv("HEMOCAST_TEST_DATA", "/nowhere")
    arguments = ["ist.py", str(path), "--resamples", "20", *map(str, more)]
    monkeypatch.setattr(sys, "argv", arguments)
    code: int = ist.main()
    return code


@pytest.mark.slow
def test_countries_are_left_out_and_everything_has_its_interval(
    ist: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = make_table(("A", "B", "C"))
    table.loc[table["COUNTRY"] == "C", ["H14", "HTI14"]] = "0"
    table.loc[0, "H14"] = ""
    with gzip.open(tmp_path / "three.csv.gz", "wt") as file:
        table.to_csv(file, index=False)
    page = tmp_path / "page.md"
    assert run(ist, monkeypatch, tmp_path / "three.csv.gz", "--out", page) == 0
    text = page.read_text(encoding="utf-8")
    assert "1 patients without H14 left out" in text
    assert "RATRIAL missing in 5.1 %" in text
    assert text.count("No event in 1 countries: C.") == 2
    assert "these 3 countries alone" in text
    for row in ("ridge", "Firth", "boosting", "as fitted", "set to the average", "updated with"):
        (first, *_) = (line for line in text.splitlines() if line.startswith(f"| {row}"))
        assert first.count(" to ") >= 4
    assert text.count("| 0.2 % |") == text.count("| 5.0 % |") == 2
    assert "| C | 300 | 0 |" in text


@pytest.mark.slow
def test_models_of_other_countries_are_tried_on_new_ones(
    ist: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_table(("A", "B")).to_csv(tmp_path / "old.csv", index=False)
    new = make_table(("D",), 400, seed=1)
    new.to_csv(tmp_path / "new.csv", index=False)
    old = tmp_path / "old.csv"
    assert run(ist, monkeypatch, tmp_path / "new.csv", "--developed-on", old) == 0
    told = capsys.readouterr().out
    assert "models of the other table in these countries" in told
    assert "Not done: HC403 All patients belong to one group" in told
    assert run(ist, monkeypatch, old, "--developed-on", old) == 2
    assert "Both tables have patients of 2 countries: A, B" in capsys.readouterr().err
    assert run(ist, monkeypatch, tmp_path / "new.csv") == 4
    assert "Neither outcome" in capsys.readouterr().err


def test_some_countries_teach_and_the_others_are_tried(
    ist: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = make_table(("A", "B", "C"), 200)
    table.to_csv(tmp_path / "three.csv", index=False)
    given = (tmp_path / "three.csv", "--new-only", "--learn-in")
    assert run(ist, monkeypatch, *given, "A") == 0
    told = capsys.readouterr().out
    assert told.count("400 patients of 2 countries") == 2
    assert "left out in turn" not in told
    # Two countries have twice 50 and twice 100 patients, and none twice 200.
    rows = [line.split(" | ")[:2] for line in told.splitlines()]
    assert rows.count(["| 50", "2"]) == rows.count(["| 100", "2"]) == 2
    assert not rows.count(["| 200", "2"])
    assert "| SITS-SICH | " in told
    assert told.count("| one factor for all new countries, from half |") == 2
    assert "| HAT |" not in told
    assert run(ist, monkeypatch, *given, "X") == 2
    assert "some of A, B, C" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("RCONSC", "Z", "Column RCONSC has 1 cells"),
        ("AGE", "old", "Column AGE has 1 cells"),
        ("AGE", "7", "from 15 to 110"),
        ("H14", "2", "Column H14"),
        ("RDEF3", "X", "Column RDEF3"),
        ("COUNTRY", "", "1 patients have no country"),
    ],
)
def test_wrong_cells_are_refused_by_their_column(
    ist: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    column: str,
    cell: str,
    said: str,
) -> None:
    table = make_table(("A", "B"), 20)
    table.loc[3, column] = cell
    table.to_csv(tmp_path / "bad.csv", index=False)
    assert run(ist, monkeypatch, tmp_path / "bad.csv") == 4
    assert said in capsys.readouterr().err


def test_files_that_are_no_such_table_are_refused(
    ist: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = make_table(("A", "B"), 20)
    table.drop(columns=["RSBP", "HTI14"]).to_csv(tmp_path / "lacks.csv", index=False)
    table.iloc[:0].to_csv(tmp_path / "header.csv", index=False)
    table.assign(DDIAGISC="N").to_csv(tmp_path / "none.csv", index=False)
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "noise.csv.gz").write_bytes(b"\x00\xff" * 50)
    expected = {
        "lacks.csv": "lacks 2 columns: RSBP, HTI14",
        "header.csv": "no rows",
        "none.csv": "None of 40 patients",
        "empty.csv": "empty or no table",
        "noise.csv.gz": "empty or no table",
        "absent.csv": "no such file",
    }
    for name, said in expected.items():
        assert run(ist, monkeypatch, tmp_path / name) == 4
        assert said in capsys.readouterr().err
