"""Regions lose their points where the infarct lies, each with its own evidence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hemocast.anatomy.atlas import REGIONS, aspects_regions, territory_margins
from hemocast.signs.aspects import measure_aspects
from hemocast.signs.estimate import Estimate
from hemocast.signs.infarct import Infarct, measure_infarct
from hemocast.signs.measured import Found
from hemocast.signs.outline import Outline, read_outline
from hemocast.signs.sides import LEFT


def test_an_infarcted_region_loses_its_point(sides_of: Callable, sound: Found) -> None:
    sides, _ = sides_of(sound)
    label = aspects_regions(sides.points, territory_margins(sides.points)["MCA"] > -1)
    likely = np.zeros(sides.hu.shape, np.float32)
    likely[LEFT] = np.isin(label, [1 + REGIONS.index(name) for name in ("M2", "M5")])
    ml = Estimate(40.0, 30.0, 60.0)
    infarct = Infarct(True, ml, "left", {"MCA": 1.0}, 0.2, None, likely > 0, None)
    found = measure_aspects(sides, Outline(likely, np.zeros(8, np.float32)), infarct)
    assert found is not None
    assert [region.name for region in found.regions if region.affected] == ["M2", "M5"]
    assert found.score.value == 8
    assert found.score.low <= 8 <= found.score.high
    by_name = {region.name: region for region in found.regions}
    assert by_name["M2"].mask_share > 0.95
    assert by_name["C"].mask_share == 0
    assert "100 % lies in the infarct" in by_name["M2"].evidence
    assert sound.stack is not None
    assert by_name["M2"].place.column > sound.stack.frames.shape[2] / 2, "of the left side"


def test_a_dark_region_says_so(sides_of: Callable, struck: Found) -> None:
    sides, _ = sides_of(struck)
    assert struck.stack is not None
    outline = read_outline(struck.stack, sides)
    found = measure_aspects(sides, outline, measure_infarct(sides, outline))
    assert found is not None
    assert found.score.value < 10
    worst = max(found.regions, key=lambda region: region.mask_share)
    assert worst.affected
    assert worst.darker_hu > 2
    assert "darker than its mirror image" in worst.evidence


def test_without_an_infarct_all_points_stay(sides_of: Callable, sound: Found) -> None:
    sides, _ = sides_of(sound)
    assert sound.stack is not None
    outline = read_outline(sound.stack, sides)
    found = measure_aspects(sides, outline, measure_infarct(sides, outline))
    assert found is not None
    assert (found.score.value, found.regions) == (10, ())
    assert found.score.low < 10, "early signs may be missed"
