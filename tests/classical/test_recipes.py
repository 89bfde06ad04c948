"""What a model is told: of the scan, of the record, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from hemocast.classical.images import VOXELS, maps_of
from hemocast.classical.measurements import Measurements
from hemocast.classical.recipes import (
    RECIPES,
    measure,
    needs_map,
    needs_record,
    needs_signs,
    sees_scan,
)
from hemocast.classical.record import VARIABLES
from hemocast.classical.signs import signs_of
from hemocast.errors import NoMap, NoRecord, NoSigns

SIGNS = Measurements(signs_of({}).variables, np.ones((2, 11)))
MAPS = maps_of(np.ones((2, *VOXELS)))
RECORD = Measurements(VARIABLES, np.full((2, len(VARIABLES)), np.nan))


def stacks() -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    return iter(rng.random((2, 28, 48, 48)).astype(np.float32))


def none() -> Iterator[np.ndarray]:
    raise AssertionError("the scan is none of its business")


def test_every_recipe_is_told_what_it_says() -> None:
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        told = measure(
            recipe.views, stacks if sees_scan(recipe.views) else none, RECORD, MAPS, SIGNS
        )
        assert needs_signs(recipe.views) == any(one.name == "aspects" for one in told.variables)
        assert needs_map(recipe.views) == any(one.name == "map 0" for one in told.variables)
        assert told.n == 2
        assert needs_record(recipe.views) == bool(set(told.variables) & set(VARIABLES))
    assert {name for name in RECIPES if not needs_record(RECIPES[name].views)} == {
        "histogram-ridge",
        "kernel-regression",
        "perfusion-regression",
        "signs-additive",
    }


def test_voxels_stand_beside_the_nihss_alone() -> None:
    told = measure(("voxels", "nihss"), stacks, RECORD)
    assert [one.name for one in told.variables if one.kind != "voxel"] == ["nihss"]


def test_without_a_record_a_model_of_it_is_refused() -> None:
    with pytest.raises(NoRecord, match="HC505"):
        measure(("record",), none, None)
    assert measure(("histogram",), stacks, None).n == 2


def test_without_a_map_a_model_of_it_is_refused() -> None:
    with pytest.raises(NoMap, match="HC506"):
        measure(("voxels", "map"), stacks, None)
    with pytest.raises(NoSigns, match="HC507"):
        measure(("signs",), none, None)
