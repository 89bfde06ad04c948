"""The benchmark as a whole: rows one by one, kept at once, gone on with, and refused."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hemocast.errors import NothingThere, OutputExists, TableError
from hemocast.pipeline.benchmark import (
    BenchmarkData,
    Benchmarked,
    BenchmarkOptions,
    Cohorts,
    Entry,
    Scored,
    entries_of,
    read_rows,
    run_benchmark,
)
from hemocast.pipeline.benchmark.entries import RULES
from hemocast.stats import Resampling

NETWORKS = ("wozniak-style + mirror", "soundari-style + mirror")


def options_of(cohorts: tuple[Path, Path]) -> BenchmarkOptions:
    return BenchmarkOptions(
        Cohorts(learned=cohorts[0], fresh=cohorts[1]), resampling=Resampling(n=200)
    )


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def done(
    cohorts: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Benchmarked]:
    out = tmp_path_factory.mktemp("benchmark") / "out"
    entries = entries_of(NETWORKS, seeds=1, epochs=6)
    return out, run_benchmark(out, entries, options_of(cohorts))


def test_every_model_has_its_row_with_intervals(done: tuple[Path, Benchmarked]) -> None:
    out, result = done
    assert [row.model for row in result.rows] == [*RULES, *NETWORKS]
    rows = {row["model"]: row for row in lines(out / "benchmark.csv")}
    assert rows["all positive"]["sensitivity"] == "1"
    assert rows["all positive"]["specificity"] == "0"
    assert rows["all positive"]["calibration_slope"] == ""
    assert float(rows["prevalence alone"]["soft_share"]) == 0
    assert float(rows["ceiling: true risk given the image"]["soft_share"]) == 1
    for name in NETWORKS:
        row = rows[name]
        assert float(row["soft_auc_low"]) < float(row["soft_auc"]) < float(row["soft_auc_high"])
        assert float(row["auc_low"]) <= float(row["auc"]) <= float(row["auc_high"])
        assert int(row["parameters"]) > 10_000
        assert float(row["cpu_seconds"]) > 0
        assert row["patients"] == "60"


def test_predictions_and_comparisons_lie_beside(done: tuple[Path, Benchmarked]) -> None:
    out, result = done
    predictions = lines(out / "predictions.csv")
    assert len(predictions) == 80 * 6
    assert {row["model"] for row in predictions} >= {f"{name} (seed 0)" for name in NETWORKS}
    assert [one.metric for one in result.contrasts] == ["soft_auc", "auc"]
    assert all(one.low <= one.difference <= one.high for one in result.contrasts)
    assert all(one.p_holm >= one.p for one in result.contrasts)
    table = lines(out / "table3.csv")
    assert [row["Network"] for row in table] == [*RULES, *NETWORKS]


def test_a_second_run_measures_nothing_again_and_adds_what_is_new(
    done: tuple[Path, Benchmarked], cohorts: tuple[Path, Path]
) -> None:
    out, before = done
    stamp = (out / "rows" / "all_positive.json").stat().st_mtime_ns

    class Coin:
        """A model of another kind."""

        name, seed, settings = "coin", 3, "fair"

        def check(self, data: BenchmarkData) -> None: ...

        def score(self, data: BenchmarkData, folder: Path, progress: object) -> Scored:
            draw = np.random.default_rng(0)
            return Scored(draw.uniform(0.1, 0.9, len(data.fresh.table)), 0.5)

    class Never(Coin):
        """One that must not be asked again."""

        name, seed, settings = "all positive", None, "all positive"

        def score(self, data: BenchmarkData, folder: Path, progress: object) -> Scored:
            raise AssertionError

    extra: tuple[Entry, ...] = (Never(), Coin())
    after = run_benchmark(out, extra, options_of(cohorts))
    assert [row.model for row in after.rows] == [*(row.model for row in before.rows), "coin"]
    assert (out / "rows" / "all_positive.json").stat().st_mtime_ns == stamp
    assert abs(after.rows[-1].estimates["soft_share"].value) < 0.6


def test_a_killed_run_keeps_its_rows(cohorts: tuple[Path, Path], tmp_path: Path) -> None:
    class Killed:
        name, seed, settings = "killed", 0, ""

        def check(self, data: BenchmarkData) -> None: ...

        def score(self, data: BenchmarkData, folder: Path, progress: object) -> Scored:
            raise KeyboardInterrupt

    out = tmp_path / "out"
    entries: tuple[Entry, ...] = (*entries_of(NETWORKS[:1], 1, 1)[:2], Killed())
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(out, entries, options_of(cohorts))
    assert [row.model for row in read_rows(out)] == list(RULES[:2])
    assert len(lines(out / "benchmark.csv")) == 2


def test_others_are_refused(
    done: tuple[Path, Benchmarked], cohorts: tuple[Path, Path], tmp_path: Path
) -> None:
    out, _ = done
    with pytest.raises(OutputExists, match="other settings"):
        run_benchmark(out, entries_of(NETWORKS, 1, epochs=3), options_of(cohorts))
    swapped = Cohorts(learned=cohorts[1], fresh=cohorts[0])
    with pytest.raises(OutputExists, match="other patients"):
        run_benchmark(out, (), replace(options_of(cohorts), cohorts=swapped))
    same = Cohorts(learned=cohorts[0], fresh=cohorts[0])
    with pytest.raises(TableError, match="are the same"):
        run_benchmark(tmp_path / "a", (), BenchmarkOptions(same))
    missing = Cohorts(learned=cohorts[0], fresh=tmp_path)
    with pytest.raises(NothingThere):
        run_benchmark(tmp_path / "b", (), BenchmarkOptions(missing))
    with pytest.raises(TableError, match="no row"):
        read_rows(tmp_path)
