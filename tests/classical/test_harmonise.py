"""Site effects are what others' ComBat finds, and are learned of the training sites alone."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.classical.harmonise import LEAST, Combat, harmonise
from hemocast.classical.measurements import Measurements, Variable
from hemocast.errors import StatisticsError

SITES = ("a",) * 30 + ("b",) * 20 + ("c",) * 10


def measured() -> np.ndarray:
    """Four measurements of sixty scans of three sites; no draw, so that others can make them."""
    k = np.arange(60)
    columns = [np.sin(k * j * 1.7) + 0.3 * np.cos(k * k * 0.01 * j) for j in (1, 2, 3, 4)]
    values, where = np.column_stack(columns), np.array(SITES)
    values[where == "b"] = values[where == "b"] * 1.8 + [1, 2, -1, 0.5]
    values[where == "c"] = values[where == "c"] * 0.6 - [0.5, 0.2, 0.1, 2]
    return values


def test_it_gives_the_numbers_of_neurocombat() -> None:
    values = measured()
    found = Combat.learned(values, SITES).adjusted(values, SITES)
    # neuroCombat 0.2.12, no covariates.
    others = [
        [0.55618061, 0.94487513, 0.06942826, 0.01955914],
        [-0.2450716, -0.41337268, -1.36802283, -1.03368761],
        [-1.01418676, -0.73796356, -0.2280789, 0.23367236],
        [0.78155716, 2.22031935, 0.47263188, 0.23623243],
        [-0.10643372, -0.28051311, -1.6674353, -1.01339344],
        [0.56496951, 1.37175077, -0.63350942, 0.77676183],
        [-0.20030029, 0.4124306, -1.38219133, -1.02899478],
    ]
    np.testing.assert_allclose(found[[0, 7, 29, 30, 44, 50, 59]], others, atol=1e-6)


def test_shift_and_scale_of_sites_are_gone_and_what_is_common_stays() -> None:
    rng = np.random.default_rng(5)
    where = np.repeat(["a", "b"], 150)
    plain = rng.normal(0, 1, (300, 6)) @ rng.normal(0, 1, (6, 6))
    seen = plain.copy()
    seen[where == "b"] = seen[where == "b"] * 1.5 + 2
    found = Combat.learned(seen, where.tolist()).adjusted(seen, where.tolist())
    before, apart = (
        np.abs(one[where == "a"].mean(0) - one[where == "b"].mean(0)) / plain.std(0)
        for one in (seen, found)
    )
    assert before.max() > 0.8
    assert apart.max() < 0.2
    ratio = found[where == "a"].std(0) / found[where == "b"].std(0)
    assert np.abs(ratio - 1).max() < 0.1
    within = np.corrcoef(found[where == "b"].T) - np.corrcoef(seen[where == "b"].T)
    assert np.abs(within).max() < 1e-9


def test_a_site_that_was_not_learned_from_touches_nothing_and_is_left_as_it_is() -> None:
    values, where = measured(), np.array(SITES)
    known = where != "c"
    learned = Combat.learned(values[known], where[known].tolist())
    wild = values.copy()
    wild[~known] = 1e6
    for scans in (values, wild):
        found = learned.adjusted(scans, SITES)
        np.testing.assert_array_equal(found[~known], scans[~known])
        np.testing.assert_array_equal(found[known], learned.adjusted(values, SITES)[known])
    assert set(learned.effects) == {"a", "b"}


def test_what_is_missing_stays_missing_and_what_does_not_vary_stays() -> None:
    values = np.column_stack([measured(), np.full(60, 3.0)])
    values[::7, 1] = np.nan
    found = Combat.learned(values, SITES).adjusted(values, SITES)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    np.testing.assert_array_equal(found[:, 4], 3.0)
    assert np.abs(found[:, 0] - values[:, 0]).max() > 0.3


def test_of_a_few_scans_and_of_a_single_site_nothing_is_estimated() -> None:
    values, few = measured(), ("a",) * 56 + ("b",) * (LEAST - 1)
    np.testing.assert_array_equal(Combat.learned(values, few).adjusted(values, few), values)
    with pytest.raises(StatisticsError, match="59 sites for 60"):
        Combat.learned(values, SITES[1:])


def test_only_numbers_of_measurements_move() -> None:
    kinds = ("spline", "linear", "binary", "linear")
    values = measured()
    values[:, 2] = values[:, 2] > 0
    told = Measurements(tuple(Variable(f"v{k}", kind) for k, kind in enumerate(kinds)), values)
    found = harmonise(told, SITES, told.variables).values
    np.testing.assert_array_equal(found[:, 2], values[:, 2])
    assert (np.abs(found - values).max(axis=0)[[0, 1, 3]] > 0.3).all()
    some = harmonise(told, SITES, told.variables[:2]).values
    np.testing.assert_array_equal(some[:, 3], values[:, 3])
    assert np.abs(some[:, 0] - values[:, 0]).max() > 0.3
