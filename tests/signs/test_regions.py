"""A map that was put into known regions is said to lie there, and what of the infarct does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hemocast.anatomy.atlas import REGIONS, aspects_regions, territory_margins
from hemocast.signs.infarct import measure_infarct
from hemocast.signs.measured import Found
from hemocast.signs.outline import read_outline
from hemocast.signs.regions import evidence_by_region
from hemocast.signs.sides import LEFT, RIGHT, Sides
from hemocast.volume import FloatArray


@pytest.fixture
def sides(sides_of: Callable, sound: Found) -> Sides:
    return sides_of(sound)[0]


@pytest.fixture
def no_infarct(sides: Sides, sound: Found):
    return measure_infarct(sides, read_outline(sound.stack, sides))


def heat_in(sides: Sides, side: int, *names: str) -> FloatArray:
    """1 on the frames' voxels in some ASPECTS regions of one side."""
    label = aspects_regions(sides.points, territory_margins(sides.points)["MCA"] > -1)
    cells = np.zeros(sides.hu.shape, np.bool_)
    cells[side] = np.isin(label, [1 + REGIONS.index(name) for name in names])
    return sides.on_frames(cells).astype(np.float32)


def test_heat_of_known_regions_lies_there(sides: Sides, no_infarct) -> None:
    values = 0.02 * heat_in(sides, LEFT, "M1") + 0.08 * heat_in(sides, LEFT, "I") - 0.001
    values += 0.002 * heat_in(sides, RIGHT, "M5")
    found = evidence_by_region(values, sides, no_infarct, sides_known=True)
    assert sum(one.share for one in found.regions) == pytest.approx(1)
    shares = {(one.side, one.region): one.share for one in found.regions}
    held = {"M1": 0.019, "I": 0.079}
    held = {name: each * heat_in(sides, LEFT, name).sum() for name, each in held.items()}
    other = heat_in(sides, RIGHT, "M5").sum() * 0.001
    total = sum(held.values()) + other
    for name, each in held.items():
        assert shares["left", name] == pytest.approx(each / total, rel=1e-4)
    assert shares["right", "M5"] == pytest.approx(other / total, rel=1e-4)
    (first, *_) = found.leading
    assert (first.side, {one.region for one in first.regions}) == ("left", {"M1", "I"})
    assert (first.infarct_ml, first.water_uptake) == (0, None)
    assert next(iter(found.by_side)) == "left"
    assert found.by_territory["left", "MCA"] == pytest.approx(1 - other / total, rel=1e-4)


def test_no_side_is_named_where_none_is_known(sides: Sides, no_infarct) -> None:
    values = heat_in(sides, LEFT, "M1") + heat_in(sides, RIGHT, "M1")
    found = evidence_by_region(values, sides, no_infarct, sides_known=False)
    assert [(one.side, one.region) for one in found.regions] == [(None, "M1")]
    assert found.regions[0].share == pytest.approx(1)
    assert list(found.by_side) == [None]


def test_what_of_the_infarct_lies_with_the_evidence(sides_of: Callable, struck: Found) -> None:
    """The outlined infarct as the map: all of it lies where the evidence does."""
    sides, _ = sides_of(struck)
    infarct = measure_infarct(sides, read_outline(struck.stack, sides))
    assert infarct.seen
    found = evidence_by_region(
        sides.on_frames(infarct.mask).astype(np.float32), sides, infarct, sides_known=True
    )
    held = float((infarct.mask * sides.tissue).sum()) * sides.cell_ml
    assert sum(one.infarct_ml for one in found.regions) == pytest.approx(held, rel=1e-5)
    assert {one.side for one in found.regions} == {infarct.side}
    (first,) = found.leading
    assert 0 < first.infarct_ml <= held
    assert 0 < first.water_uptake < 0.6
    unknown = evidence_by_region(
        sides.on_frames(infarct.mask).astype(np.float32), sides, infarct, sides_known=False
    )
    assert unknown.leading[0].water_uptake == first.water_uptake


def test_where_nothing_speaks_for_ht_there_is_no_place(sides: Sides, no_infarct, sound) -> None:
    nothing = np.full(sound.stack.frames.shape, -0.1, np.float32)
    assert evidence_by_region(nothing, sides, no_infarct, sides_known=True) is None


def test_evidence_spread_thin_leads_nowhere(sides: Sides, no_infarct, sound) -> None:
    even = sound.stack.brain.astype(np.float32)
    found = evidence_by_region(even, sides, no_infarct, sides_known=True)
    assert all(one.share >= 0.1 for side in found.leading for one in side.regions)
    assert sum(found.by_side.values()) == pytest.approx(1)
    assert found.by_side["left"] == pytest.approx(0.5, abs=0.05)
