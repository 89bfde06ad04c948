"""Blood is named by what the template holds there: tissue, ventricles, other fluid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.anatomy import Alignment, Brain
from hemocast.anatomy.template import CENTRE_MM
from hemocast.anatomy.tissue import Kind, TissueMap
from hemocast.anatomy.tissue.blocks import Blocks
from hemocast.signs import bleeding
from hemocast.signs.bleeding import LEAST_ML, ROOMS, Bleeding, measure_bleeding
from hemocast.signs.subdural import Rim
from hemocast.volume import BoolArray, Source, Volume

SHAPE = (48, 60, 52)
POSE = Alignment(np.eye(4), (0, 0, 0), (0, 0, 0), (1.0, 1.0, 1.0), 1.0)


def _mm() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the template's millimetres of every voxel of 3 mm, (x, y, z)."""
    z, y, x = np.indices(SHAPE, dtype=float)
    cx, cy, cz = CENTRE_MM
    return -3 * (x - 25.5) + cx, -3 * (y - 30) + cy, 3 * (z - 24) + cz


def _head() -> tuple[Volume, np.ndarray, np.ndarray]:
    x, y, z = _mm()
    cx, cy, cz = CENTRE_MM
    affine = np.diag([-3.0, -3.0, 3.0, 1.0])
    affine[:3, 3] = 3 * 25.5, 3 * 30, -3 * 24
    volume = Volume(np.zeros(SHAPE, np.float32), affine, ((),) * SHAPE[0], Source("array", ""))
    inside = ((x - cx) / 65) ** 2 + ((y - cy) / 80) ** 2 + ((z - cz) / 62) ** 2 < 1
    kinds = np.zeros((len(Kind), *SHAPE), np.float32)
    kinds[Kind.BRAIN] = inside
    kinds[Kind.BACKGROUND] = ~inside
    return volume, kinds, inside


def _measured(blood: BoolArray, pose: Alignment = POSE) -> Bleeding:
    volume, kinds, inside = _head()
    kinds[:, blood] = 0
    kinds[Kind.BLOOD, blood] = 0.9
    hu = np.where(blood, 62.0, 35.0).astype(np.float32)
    tissue = TissueMap(Blocks(hu, (0, 0, 0), (1, 1, 1)), kinds, inside.astype(np.float32))
    brain = Brain(inside, 1300.0, tissue)
    found = measure_bleeding(volume, brain, pose)
    assert found is not None
    return found


def _ball(centre: tuple[float, float, float], radius: float) -> BoolArray:
    return np.asarray(sum((a - c) ** 2 for a, c in zip(_mm(), centre, strict=True)) < radius**2)


def test_a_clot_in_tissue_has_side_territory_and_volume() -> None:
    found = _measured(_ball((-40, -20, 20), 10))
    (piece,) = found.pieces
    assert (piece.room, piece.side, piece.territory) == ("parenchyma", "left", "MCA")
    assert piece.volume_ml == pytest.approx(0.9 * 4.19, rel=0.15)
    assert found.ml("parenchyma") == found.volume_ml
    x, y, z = piece.middle_mm
    np.testing.assert_allclose([x, y, z], np.array([-40, -20, 20]) - CENTRE_MM, atol=2)


def test_blood_where_the_template_holds_ventricles_is_theirs() -> None:
    found = _measured(_ball((14, -36, 16), 6))
    assert [one.room for one in found.pieces] == ["ventricles"]
    assert found.pieces[0].territory is None
    assert found.ml("parenchyma") == 0


def test_blood_in_a_cistern_is_subarachnoid() -> None:
    found = _measured(_ball((0, -28, -8), 5) | _ball((0, 2, -18), 7))
    assert "subarachnoid" in [one.room for one in found.pieces]


def test_near_the_dura_bone_makes_all_bright() -> None:
    x, y, z = _mm()
    cx, cy, cz = CENTRE_MM
    reach = ((x - cx) / 65) ** 2 + ((y - cy) / 80) ** 2 + ((z - cz) / 62) ** 2
    layer = (reach < 1) & (reach > 0.82) & (x > 35) & (abs(z - cz) < 30)
    assert _measured(layer).pieces == ()


def test_little_is_left_out_and_no_map_tells_nothing() -> None:
    speck = _ball((40, -20, 20), 3.5)
    assert 0 < speck.sum() * 0.027 < LEAST_ML
    none = _measured(speck)
    assert none.pieces == ()
    assert all(none.ml(room) == 0 for room in ROOMS)
    volume, _, inside = _head()
    assert measure_bleeding(volume, Brain(inside, 1300.0), POSE) is None


def test_no_side_is_named_where_sides_are_not_known() -> None:
    found = _measured(_ball((-40, -20, 20), 10), replace(POSE, sides_known=False))
    assert found.pieces[0].side is None


def test_a_layer_under_the_skull_is_told_by_its_slice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def rim(*_: object) -> Rim:
        return Rim(12.0, 4.0, 9)

    monkeypatch.setattr(bleeding, "look_at_rim", rim)
    assert _measured(np.zeros(SHAPE, bool)).rim_slice == 9


def test_the_real_head_shows_none(ge_found) -> None:  # type: ignore[no-untyped-def]
    found = measure_bleeding(ge_found.volume, ge_found.brain, ge_found.pose)
    assert found is not None
    assert found.pieces == ()
