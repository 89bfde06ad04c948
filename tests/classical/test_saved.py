"""A saved model gives the same risks, and is refused where its numbers do not fit."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import BaseModel, ValidationError

from hemocast.classical.additive import learn_curves
from hemocast.classical.boosting import learn_boosting
from hemocast.classical.learning import Cohort, Fit, Fitted
from hemocast.classical.logistic import learn_firth, learn_ridge
from hemocast.classical.measurements import Measurements, Variable
from hemocast.classical.network import learn_network
from hemocast.classical.saved import SavedModel, from_numbers, to_numbers
from hemocast.errors import ModelCorrupt, UsageError


class File(BaseModel):
    """As model.yaml holds one."""

    fitted: SavedModel


def through_a_file(model: Fitted, change: tuple[str, str] = ("", "")) -> Fitted:
    saved, arrays = to_numbers(model)
    text = yaml.safe_dump(File(fitted=saved).model_dump(mode="json"), sort_keys=False)
    assert change[0] in text
    plain: Any = yaml.safe_load(text.replace(*change, 1) if change[0] else text)
    return from_numbers(File.model_validate(plain).fitted, arrays)


@pytest.fixture(scope="module")
def learnt(cohort: Cohort) -> Callable[[Fit], Fitted]:
    """Return a function that learns each way once."""
    return cache(lambda learn: learn(cohort))


@pytest.mark.parametrize(
    "learn", [learn_ridge, learn_firth, learn_boosting, learn_curves, learn_network]
)
def test_the_same_risks_come_back(
    learn: Fit, learnt: Callable[[Fit], Fitted], others: Cohort
) -> None:
    model = learnt(learn)
    again = through_a_file(model)
    np.testing.assert_array_equal(again.risk(others.patients), model.risk(others.patients))


@pytest.fixture(scope="module")
def of_voxels() -> tuple[Fitted, Measurements]:
    """Return a ridge of voxels and one number, and its patients."""
    rng = np.random.default_rng(0)
    voxels = tuple(Variable(f"voxel {i}", "voxel") for i in range(20))
    values = rng.normal(size=(300, 21))
    outcome = (rng.random(300) < 1 / (1 + np.exp(-values[:, :3].sum(axis=1)))) * 1.0
    seen = Measurements((*voxels, Variable("nihss", "spline")), values)
    return learn_ridge(Cohort(seen, outcome, np.arange(300))), seen


def test_axes_of_voxels_become_a_weight_for_every_voxel(
    of_voxels: tuple[Fitted, Measurements],
) -> None:
    model, seen = of_voxels
    saved, arrays = to_numbers(model)
    assert {name: array.shape for name, array in arrays.items()} == {
        "voxels.mean": (20,),
        "voxels.axes": (1, 20),
    }
    assert [one.name for one in saved.design.variables] == ["voxel", "nihss"]  # type: ignore[union-attr]
    again = through_a_file(model)
    np.testing.assert_allclose(again.risk(seen), model.risk(seen), rtol=1e-9)


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"voxels.mean": np.zeros(20), "voxels.axes": np.zeros((1, 19))},
        {"voxels.mean": np.full(20, np.nan), "voxels.axes": np.zeros((1, 20))},
        {"voxels.mean": np.zeros(20, np.int8), "voxels.axes": np.zeros((1, 20))},
    ],
)
def test_axes_that_are_not_theirs_are_refused(
    of_voxels: tuple[Fitted, Measurements], arrays: dict[str, Any]
) -> None:
    saved, _ = to_numbers(of_voxels[0])
    with pytest.raises(ModelCorrupt, match="axes"):
        from_numbers(saved, arrays)


@pytest.mark.parametrize(
    ("learn", "old", "new"),
    [
        (learn_ridge, "- name: delay\n      mean", "- name: other\n      mean"),
        (learn_ridge, "indicators:\n    - 2", "indicators:\n    - 9"),
        (learn_ridge, "    delay: ", "    other: "),
        (learn_ridge, "kind: spline", "kind: magic"),
        (learn_ridge, "intercept: ", "intercept: .inf #"),
        (learn_ridge, "kind: logistic", "kind: pickle"),
        (learn_boosting, "variable:\n    - ", "variable:\n    - 9"),
        (learn_boosting, "left:\n    - 1", "left:\n    - 0"),
        (learn_boosting, "left:\n    - 1", "left:\n    - 99"),
        (learn_boosting, "value:\n    - ", "value:\n    - 0.0\n    - "),
        (learn_curves, "  delay:\n", "  other:\n"),
        (learn_curves, "scores:\n      - ", "scores:\n      - 0.0\n      - "),
        (learn_network, "outer:\n    - ", "outer:\n    - 0.0\n    - "),
    ],
)
def test_numbers_that_do_not_fit_are_refused(
    learn: Fit, old: str, new: str, learnt: Callable[[Fit], Fitted]
) -> None:
    model = learnt(learn)
    with pytest.raises((ModelCorrupt, ValidationError)):
        through_a_file(model, (old, new))


def test_another_kind_of_model_is_not_kept() -> None:
    class Other:
        def risk(self, patients: Measurements) -> np.ndarray:
            return np.zeros(patients.n)

    assert Other().risk(Measurements((), np.empty((2, 0)))).shape == (2,)
    with pytest.raises(UsageError, match="Other"):
        to_numbers(Other())
