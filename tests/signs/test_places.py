from __future__ import annotations

import numpy as np
import pytest

from hemocast.anatomy.tissue import Kind
from hemocast.signs.places import DENSE, FAR_MM, VENTRICLES, distances


def test_ventricles_of_the_real_head_lie_near_their_lines(ge_volume, ge_brain, ge_pose):
    tissue = ge_brain.tissue
    away = distances(tissue, ge_volume.affine, ge_pose, VENTRICLES)
    fluid = tissue.kinds[Kind.VENTRICLE] > 0.5
    # An old head, its ventricles wide; the map takes cisterns for ventricles, too.
    assert np.mean(away[fluid] < 14) > 0.85
    assert np.mean(away[tissue.inside > 0.5] < 14) < 0.25


def test_both_sides_are_alike(ge_volume, ge_brain, ge_pose):
    tissue = ge_brain.tissue
    away = distances(tissue, ge_volume.affine, ge_pose, DENSE)
    assert away[tissue.inside < 0.01].min() == FAR_MM
    voxel = np.argwhere(away < 3) * np.array(tissue.blocks.step) + np.array(tissue.blocks.first)
    to_upright = np.linalg.inv(ge_pose.matrix) @ ge_volume.affine
    x = voxel[:, ::-1] @ to_upright[0, :3] + to_upright[0, 3]
    assert np.mean(x > 0) == pytest.approx(0.5, abs=0.1)
