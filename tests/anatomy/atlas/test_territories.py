from __future__ import annotations

import numpy as np
import pytest

from hemocast.anatomy.atlas import territory_margins
from hemocast.anatomy.atlas.solids import Points
from hemocast.anatomy.atlas.territories import ANCHORS


def _at(x: float, y: float, z: float) -> dict[str, float]:
    """Return every margin at one point."""
    point = Points(*(np.full((1, 1, 1), value, np.float32) for value in (z, y, x)))
    return {name: float(margin[0, 0, 0]) for name, margin in territory_margins(point).items()}


@pytest.mark.parametrize("name", ANCHORS)
def test_every_anchor_lies_in_its_own_territory_and_in_no_other(name):
    for point in ANCHORS[name]:
        margins = _at(*point)
        assert margins[name] > 0
        assert all(margins[other] < 0 for other in ANCHORS if other != name)


@pytest.mark.parametrize(
    ("point", "name"),
    [((10, 40, 30), "ACA"), ((12, -80, 5), "PCA"), ((50, -10, 0), "MCA"), ((25, 2, 3), "MCA deep"),
     ((30, -60, -42), "cerebellar"), ((4, -26, -33), "pons")],
)  # fmt: skip
def test_textbook_places_have_their_artery(point, name):
    assert _at(*point)[name] > 0


def test_the_middle_cerebral_arterys_branches_together_are_its_territory():
    rng = np.random.default_rng(0)
    for point in rng.uniform([2, -80, -40], [60, 60, 60], (50, 3)):
        margins = _at(*point)
        branches = max(margins[b] for b in ("MCA superior", "MCA inferior", "MCA deep"))
        assert margins["MCA"] >= branches
        assert (margins["MCA"] > 0) == (branches > 0)


def test_below_is_what_the_cerebellum_and_the_pons_have():
    assert _at(20, -60, -45)["below"] > 0 > _at(20, 0, 20)["below"]
