"""A fitted model says what moved its answer, and what was missing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logit

from hemocast.classical.boosting import learn_boosting
from hemocast.classical.images import VOXELS
from hemocast.classical.learning import Cohort
from hemocast.classical.logistic import learn_ridge
from hemocast.classical.measured import MeasuredModel
from hemocast.classical.measurements import Measurements, Variable
from hemocast.classical.recipes import measure
from hemocast.classical.record import VARIABLES
from hemocast.errors import NoRecord


def record(n: int, seed: int = 0) -> Measurements:
    """Return patients; the order is that of VARIABLES."""
    rng = np.random.default_rng(seed)
    numbers = [
        rng.normal(70, 9, n), rng.integers(0, 30, n), rng.normal(7, 1, n),
        rng.normal(150, 20, n), rng.uniform(0, 48, n),
    ]  # fmt: skip
    flags = rng.integers(0, 2, (6, n))
    return Measurements(VARIABLES, np.column_stack([*numbers, *flags]).astype(float))


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """Return patients whose risk rises with the NIHSS."""
    patients = record(300)
    rng = np.random.default_rng(1)
    risk = 1 / (1 + np.exp(-0.25 * (patients.values[:, 1] - 15)))
    return Cohort(patients, (rng.random(300) < risk) * 1.0, np.arange(300))


def test_reasons_add_up_to_the_answer(cohort: Cohort) -> None:
    fitted = learn_ridge(cohort)
    model = MeasuredModel(("record",), fitted)
    one = record(1, seed=3)
    reasons = model.reasons(one)
    total = sum(reason.log_odds for reason in reasons)
    assert total + fitted.intercept == pytest.approx(logit(fitted.risk(one))[0])
    assert model.log_odds(one)[0] == pytest.approx(total + fitted.intercept)
    assert reasons[0].name == "NIHSS"
    assert reasons[0].value == f"{one.values[0, 1]:g}"
    assert {"yes", "no"} >= {r.value for r in reasons if r.name in ("male", "thrombectomy")}
    assert model.told == "the clinical record"
    values, added = np.array(reasons[0].curve).T
    assert added[-1] > added[0]
    assert np.interp(10, values, added) == pytest.approx(0.0, abs=1.5)
    assert {r.name for r in reasons if r.curve} >= {"NIHSS", "age, years"}
    assert not any(r.curve for r in reasons if r.name in ("male", "thrombectomy"))


def test_gaps_are_named_and_a_patient_of_gaps_is_refused(cohort: Cohort) -> None:
    model = MeasuredModel(("record",), learn_ridge(cohort))
    one = record(1)
    assert model.gaps(one) == ()
    values = one.values.copy()
    values[0, [1, 2]] = np.nan
    some = Measurements(VARIABLES, values)
    assert model.gaps(some) == ("NIHSS", "glucose, mmol/L")
    shown = {reason.name: reason.value for reason in model.reasons(some)}
    assert shown["NIHSS"] == "missing"
    nothing = Measurements(VARIABLES, np.full_like(values, np.nan))
    with pytest.raises(NoRecord, match="None of the values"):
        model.gaps(nothing)


def test_trees_give_no_reasons(cohort: Cohort) -> None:
    model = MeasuredModel(("record",), learn_boosting(cohort))
    assert model.reasons(record(1)) == ()
    assert model.voxels(record(1)) is None


def test_voxels_say_where_the_answer_comes_from() -> None:
    rng = np.random.default_rng(2)
    frames = rng.random((60, 28, 48, 48)).astype(np.float32)
    frames[::2, 10:20, 10:20, 5:15] -= 0.4
    told = measure(("voxels", "nihss"), lambda: frames, record(60))
    cohort = Cohort(told, np.arange(60) % 2 == 0, np.arange(60))
    fitted = learn_ridge(Cohort(told, cohort.outcome.astype(float), cohort.group))
    model = MeasuredModel(("voxels", "nihss"), fitted)
    one = told.part(np.array([0]))
    where = model.voxels(one)
    assert where is not None
    assert where.shape == VOXELS
    by_name = {reason.name: reason for reason in model.reasons(one)}
    assert by_name["the picture, by its voxels"].value == ""
    assert np.unravel_index(where.argmax(), VOXELS)[0] in range(4, 11)
    # All of the voxels' part but the constant that the mean patient has.
    mean = Measurements(told.variables, np.nan_to_num(told.values.mean(axis=0))[None])
    base = fitted.parts(mean)[0, 0] - np.sum(model.voxels(mean))
    assert where.sum() + base == pytest.approx(by_name["the picture, by its voxels"].log_odds)


def test_bins_of_the_histogram_are_two_reasons() -> None:
    rng = np.random.default_rng(4)
    frames = rng.random((40, 8, 48, 48)).astype(np.float32)
    frames[::2] *= 0.8
    told = measure(("histogram",), lambda: frames, None)
    fitted = learn_ridge(Cohort(told, (np.arange(40) % 2 == 0) * 1.0, np.arange(40)))
    model = MeasuredModel(("histogram",), fitted)
    names = {reason.name for reason in model.reasons(told.part(np.array([0])))}
    assert names == {"grey values of the brain", "differences between the sides"}
    assert model.gaps(told.part(np.array([0]))) == ()
    assert Variable("grey 0", "linear") in told.variables
