"""Kernel regression on sets of places: it finds a leak wherever it lies, and says where."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.classical.images import VOXELS, maps_of
from hemocast.classical.kernel import PENALTIES, gaussian, learn_kernel
from hemocast.classical.learning import Cohort
from hemocast.classical.odds import logit
from hemocast.classical.saved import from_numbers, to_numbers
from hemocast.errors import ModelCorrupt, StatisticsError, TooFewPatients
from hemocast.stats import Cases, auc


def cohort_of(seed: int, n: int = 60) -> Cohort:
    """Return patients half of whom leak in a place of their own."""
    rng = np.random.default_rng(seed)
    cells = 100 + 20 * rng.standard_normal((n, *VOXELS))
    cells[:, :, :6] = np.nan  # no brain
    outcome = np.arange(n) % 2.0
    for one in np.flatnonzero(outcome):
        z, y, x = rng.integers((0, 6, 0), (11, 20, 20))
        cells[one, z : z + 3, y : y + 4, x : x + 4] += 80
    return Cohort(maps_of(cells), outcome, np.arange(n))


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return cohort_of(0)


@pytest.fixture(scope="module")
def model(cohort: Cohort):
    return learn_kernel(cohort)


def test_it_ranks_others_wherever_they_leak(model) -> None:
    others = cohort_of(1)
    risk = model.risk(others.patients)
    assert auc(Cases(others.outcome, risk)) > 0.9
    assert model.penalty in PENALTIES
    assert others.outcome.sum() / risk.sum() == pytest.approx(1, abs=0.3)


def test_the_places_add_up_to_the_risk_and_the_leak_is_among_them(model, cohort: Cohort) -> None:
    leaking = cohort.patients.part(np.array([1]))
    places = model.places(leaking)
    assert places.shape == VOXELS
    assert model.intercept + places.sum() == pytest.approx(float(logit(model.risk(leaking))[0]))
    cells = leaking.values.reshape(VOXELS)
    assert (places[np.isnan(cells)] == 0).all()
    highest = places >= np.quantile(places[~np.isnan(cells)], 0.99)
    assert np.nanmean(cells[highest]) > 140


def test_maps_that_tell_nothing_give_everybody_about_the_mean(cohort: Cohort) -> None:
    drawn = np.random.default_rng(3).permutation(cohort.outcome)
    blind = replace(cohort, outcome=drawn)
    assert learn_kernel(blind).risk(cohort.patients).std() < 0.2


def test_landmarks_are_nobodys_own_places(model, cohort: Cohort) -> None:
    shown = model.landmarks[:, 0] * model.scale[0] + model.centre[0]
    known = cohort.patients.values
    assert np.abs(known[~np.isnan(known)][:, None] - shown).min() > 0


def test_it_is_kept_as_numbers_and_comes_back(model, cohort: Cohort) -> None:
    saved, arrays = to_numbers(model)
    again = type(saved).model_validate(saved.model_dump())
    back = from_numbers(again, arrays)
    np.testing.assert_allclose(back.risk(cohort.patients), model.risk(cohort.patients), rtol=1e-9)
    short = saved.model_copy(update={"log_odds": saved.log_odds[1:]})
    with pytest.raises(ModelCorrupt, match="landmark"):
        from_numbers(short, arrays)
    narrow = saved.model_copy(update={"centre": saved.centre[1:]})
    with pytest.raises(ModelCorrupt, match="landmarks"):
        from_numbers(narrow, arrays)


def test_equal_places_are_alike_and_far_ones_are_not() -> None:
    places = np.array([[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]])
    alike = gaussian(places, places[:1], 1.0)[:, 0]
    assert alike == pytest.approx([1, np.exp(-0.5), 0])


def test_no_events_and_other_variables_are_refused(model, cohort: Cohort) -> None:
    with pytest.raises(TooFewPatients):
        learn_kernel(replace(cohort, outcome=np.zeros_like(cohort.outcome)))
    two = np.hstack([cohort.patients.values] * 2)
    doubled = type(cohort.patients)(cohort.patients.variables * 2, two)
    with pytest.raises(StatisticsError):
        model.risk(doubled)
