"""Patients of a made-up trial: few events, missing values, groups that differ."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from hemocast.classical.learning import Cohort
from hemocast.classical.measurements import Measurements, Variable

VARIABLES = (
    Variable("age", "spline"),
    Variable("delay", "linear"),
    Variable("af", "binary"),
    Variable("syndrome", "category", ("partial", "total", "lacunar")),
)


def make_cohort(n: int, groups: int, seed: int = 0) -> Cohort:
    """Return patients whose risk grows with age and doubles with AF; AF is missing in some."""
    rng = np.random.default_rng(seed)
    age = rng.normal(72, 10, n)
    af = (rng.random(n) < 0.3).astype(float)
    syndrome = rng.integers(0, 3, n).astype(float)
    eta = -2.2 + 0.06 * (age - 72) + 1.2 * af + 0.8 * (syndrome == 1)
    outcome = (rng.random(n) < expit(eta)).astype(float)
    shown = np.where(rng.random(n) < 0.1, np.nan, af)
    values = np.column_stack([age, rng.uniform(0, 48, n), shown, syndrome])
    return Cohort(Measurements(VARIABLES, values), outcome, rng.integers(0, groups, n))


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    """Return 800 patients of 12 groups."""
    return make_cohort(800, 12)


@pytest.fixture(scope="session")
def others() -> Cohort:
    """Return 2,000 others like them, to test on."""
    return make_cohort(2000, 12, seed=1)
