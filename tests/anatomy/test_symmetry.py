from __future__ import annotations

import numpy as np
import pytest

from hemocast.anatomy.grid import Coarse
from hemocast.anatomy.symmetry import onto_midline


def _egg(shift: float = 0.0) -> tuple[Coarse, np.ndarray]:
    """Return an egg with two dark ventricles, symmetric about x = shift mm, on a 4 mm grid."""
    z, y, x = np.meshgrid(*[np.arange(-100, 101, 4.0)] * 3, indexing="ij")
    x = x - shift
    share = ((x / 62) ** 2 + (y / 80) ** 2 + (z / 60) ** 2 < 1).astype(np.float32)
    dark = ((np.abs(x) - 14) / 7) ** 2 + (y / 30) ** 2 + ((z - 5) / 12) ** 2 < 1
    hu = np.where(dark, 5.0, 34.0).astype(np.float32)
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -100
    return Coarse(hu, (1, 1, 1), (4.0, 4.0, 4.0), affine), share


def _turned(tilt: float, turn: float, shift: float) -> np.ndarray:
    tilt, turn = np.deg2rad([tilt, turn])
    about_y = [[np.cos(tilt), 0, np.sin(tilt)], [0, 1, 0], [-np.sin(tilt), 0, np.cos(tilt)]]
    about_z = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(about_y) @ np.array(about_z)
    matrix[0, 3] = shift
    return matrix


@pytest.mark.parametrize("start", [(0, 0, 0), (6, 0, 0), (0, -7, 0), (0, 0, 5), (5, 4, -4)])
def test_the_midline_is_found_from_a_start_that_is_off(start):
    tissue, share = _egg(shift=3.0)
    found = onto_midline(tissue, share, _turned(*start))
    normal = found[:3, 0]
    assert np.rad2deg(np.arccos(abs(normal[0]))) < 0.5
    assert found[0, 3] == pytest.approx(3.0, abs=0.3)


def test_a_lesion_of_one_side_hardly_counts():
    tissue, share = _egg()
    tissue.hu[10:40, 15:40, 32:40] = 12.0
    found = onto_midline(tissue, share, _turned(3, 3, 2))
    assert np.rad2deg(np.arccos(abs(found[0, 0]))) < 0.7
    assert abs(found[0, 3]) < 0.7
