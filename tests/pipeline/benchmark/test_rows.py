"""One row: what is measured, and what survives being written and read."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from hemocast.pipeline.benchmark import FreshPatients, Scored
from hemocast.pipeline.benchmark.entries import ALL_POSITIVE, RuleEntry
from hemocast.pipeline.benchmark.rows import COLUMNS, METRICS, Row, label_of, measure
from hemocast.stats import Estimate, Resampling

FEW = Resampling(n=200)


def test_probabilities_twice_as_extreme_have_half_the_slope(cohorts: tuple[Path, Path]) -> None:
    fresh = FreshPatients.of(cohorts[1])
    truth = fresh.cases.score
    extreme = truth**2 / (truth**2 + (1 - truth) ** 2)
    entry = RuleEntry("any")
    once, twice = (
        measure(entry, Scored(one, 0.5), fresh, FEW).estimates for one in (truth, extreme)
    )
    assert math.isclose(twice["calibration_slope"].value, once["calibration_slope"].value / 2)
    assert twice["soft_auc"].value == once["soft_auc"].value
    assert once["soft_share"].value == 1
    assert once["calibration_slope"].ci_low < 1 < once["calibration_slope"].ci_high
    assert once["brier"].value < twice["brier"].value


def test_a_row_survives_json_with_what_is_undefined(cohorts: tuple[Path, Path]) -> None:
    fresh = FreshPatients.of(cohorts[1])
    row = measure(RuleEntry(ALL_POSITIVE), Scored(np.ones(80), 0.5), fresh, FEW)
    assert row.called_positive == 1
    assert math.isnan(row.estimates["calibration_slope"].value)
    again = Row.of_plain(json.loads(json.dumps(row.plain())))
    assert again.cells() == row.cells()
    assert again.estimates["calibration_slope"].warning
    assert set(row.cells()) == set(COLUMNS)
    assert set(row.estimates) == set(METRICS)
    assert row.cells()["peak_on_infarct"] is None


def test_a_row_keeps_where_its_heatmaps_lie(cohorts: tuple[Path, Path]) -> None:
    fresh = FreshPatients.of(cohorts[1])
    assert fresh.findings is None
    maps = {"peak_on_infarct": Estimate(0.5, 0.4, 0.6, "Wilson", 90)}
    row = measure(RuleEntry(ALL_POSITIVE), Scored(np.ones(80), 0.5, maps=maps), fresh, FEW)
    again = Row.of_plain(json.loads(json.dumps(row.plain())))
    assert again.cells()["peak_on_infarct_high"] == 0.6


def test_a_row_is_named_by_model_and_seed() -> None:
    assert label_of("ctnet3d", 2) == "ctnet3d (seed 2)"
    assert label_of("all positive", None) == "all positive"
