"""Models against one of them: sign, limits and adjustment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hemocast.pipeline.benchmark import FreshPatients
from hemocast.pipeline.benchmark.compare import compare_with
from hemocast.stats import Resampling


def test_better_is_above_worse_below_and_equal_zero(cohorts: tuple[Path, Path]) -> None:
    fresh = FreshPatients.of(cohorts[1])
    truth, draw = fresh.cases.score, np.random.default_rng(0)
    noisy = [truth + draw.normal(0, 0.4, truth.size) for _ in range(2)]
    coin = [draw.random(truth.size) for _ in range(3)]
    found = compare_with(
        "noisy", {"truth": [truth], "noisy": noisy, "same": noisy, "coin": coin}, fresh,
        Resampling(n=400),
    )  # fmt: skip
    soft = {one.first: one for one in found if one.metric == "soft_auc"}
    assert set(soft) == {"truth", "same", "coin"}
    assert soft["truth"].low > 0 > soft["coin"].high
    assert soft["same"].difference == 0
    assert soft["same"].p == 1
    ordered = sorted(soft.values(), key=lambda one: one.p)
    assert ordered[0].p_holm == pytest.approx(3 * ordered[0].p)
    assert {one.metric for one in found} == {"soft_auc", "auc"}


def test_one_model_has_nothing_to_be_compared_with(cohorts: tuple[Path, Path]) -> None:
    fresh = FreshPatients.of(cohorts[1])
    assert compare_with("a", {"a": [fresh.cases.score]}, fresh, Resampling(n=100)) == ()
