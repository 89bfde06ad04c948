"""Record and image in one model: better than either, and honest where the record is empty."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.classical.late import FittedLate, apart, learn_late, nothing_known
from hemocast.classical.learning import Cohort
from hemocast.classical.logistic import learn_ridge
from hemocast.classical.measured import MeasuredModel
from hemocast.classical.measurements import Measurements, Variable
from hemocast.classical.odds import logit
from hemocast.classical.record import VARIABLES
from hemocast.classical.saved import from_numbers, to_numbers
from hemocast.stats import Cases, auc

IMAGE = tuple(Variable(f"grey {i}", "linear") for i in range(3))


def cohort_of(seed: int, n: int = 300) -> Cohort:
    """Return patients whose NIHSS and whose first grey value tell as much each."""
    rng = np.random.default_rng(seed)
    record = np.full((n, len(VARIABLES)), np.nan)
    names = [one.name for one in VARIABLES]
    record[:, names.index("nihss")] = rng.integers(0, 30, n)
    record[:, names.index("age")] = rng.normal(65, 10, n)
    image = rng.standard_normal((n, 3))
    line = (record[:, names.index("nihss")] - 15) / 7 + 1.2 * image[:, 0]
    outcome = (rng.random(n) < 1 / (1 + np.exp(-line))) * 1.0
    return Cohort(
        Measurements((*IMAGE, *VARIABLES), np.hstack([image, record])), outcome, np.arange(n)
    )


@pytest.fixture(scope="module")
def model() -> FittedLate:
    fitted = learn_late(learn_ridge, learn_ridge)(cohort_of(0))
    assert isinstance(fitted, FittedLate)
    return fitted


def test_both_together_rank_better_than_either(model: FittedLate) -> None:
    others = cohort_of(1, 600)
    record, image = apart(others.patients)

    def reach(risk: np.ndarray) -> float:
        return auc(Cases(others.outcome, risk))

    both = reach(model.risk(others.patients))
    assert both > reach(model.record.risk(record)) + 0.02
    assert both > reach(model.image.risk(image)) + 0.02
    assert 0.5 < model.join.clinical < 1.6
    assert 0.5 < model.join.image < 1.6


def test_without_a_record_it_is_the_images_risk_and_says_so(model: FittedLate) -> None:
    patients = cohort_of(2, 4).patients
    values = patients.values.copy()
    values[0, len(IMAGE) :] = np.nan
    emptied = Measurements(patients.variables, values)
    assert nothing_known(emptied).tolist() == [True, False, False, False]
    assert model.risk(emptied)[0] == pytest.approx(model.image.risk(apart(emptied)[1])[0])
    told = MeasuredModel(("histogram", "record"), model)
    first, second = (emptied.part(np.array([at])) for at in (0, 1))
    assert told.image_alone(first)
    assert not told.image_alone(second)
    assert told.reasons(first) == ()


def test_parts_add_up_to_the_risk_and_are_the_reasons(model: FittedLate) -> None:
    patients = cohort_of(3, 5).patients
    parts = model.parts(patients)
    assert parts is not None
    rest = logit(model.risk(patients)) - parts.sum(axis=1)
    np.testing.assert_allclose(rest, rest[0], rtol=1e-6)
    named = MeasuredModel(("histogram", "record"), model).reasons(patients.part(np.array([0])))
    assert {"NIHSS", "age, years", "grey values of the brain"} <= {one.name for one in named}


def test_it_is_kept_as_numbers_and_comes_back(model: FittedLate) -> None:
    patients = cohort_of(4, 20).patients
    saved, arrays = to_numbers(model)
    again = type(saved).model_validate(saved.model_dump())
    np.testing.assert_allclose(from_numbers(again, arrays).risk(patients), model.risk(patients))
