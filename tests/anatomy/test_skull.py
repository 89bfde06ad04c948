from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hemocast.anatomy import find_brain
from hemocast.volume import Volume


def _without_bone(volume: Volume, mask: np.ndarray, side: str) -> Volume:
    """Replace the skull by soft tissue behind, or to one side of, the brain's middle."""
    hu = volume.hu.copy()
    z, y, x = np.ogrid[tuple(map(slice, hu.shape))]
    cz, cy, cx = np.argwhere(mask).mean(0)
    used = np.flatnonzero(mask.any(axis=(1, 2)))
    levels = (z >= used[0]) & (z <= used[0] + (used[-1] - used[0]) // 2)
    if side == "back":
        toward = 1.0 if volume.affine[1, 1] < 0 else -1.0
        where = levels & ((y - cy) * toward * volume.spacing[1] > 50) & (
            abs(x - cx) * volume.spacing[2] < 20)  # fmt: skip
    else:
        levels = (z > cz - 5) & (z < used[-1] - 4)
        where = levels & ((x - cx) * volume.spacing[2] > abs(y - cy) * volume.spacing[1])
    head = ndimage.binary_fill_holes(volume.hu.max(axis=0) > -300)
    near = ndimage.binary_dilation(volume.hu > 90, np.ones((1, 5, 5)))
    gone = where & near & (volume.hu > 60) & head[None] & ~mask
    hu[gone] = 35 + np.random.default_rng(0).normal(0, 4, int(gone.sum()))
    return replace(volume, hu=hu)


@pytest.mark.parametrize(("side", "least_cm"), [("back", 2.5), ("right", 6.0)])
def test_a_gap_in_the_skull_costs_no_brain_and_is_named(ge_volume, ge_brain, side, least_cm):
    whole = ge_brain
    assert whole.gap is None
    opened = find_brain(_without_bone(ge_volume, whole.mask, side))
    ml = float(np.prod(ge_volume.spacing)) / 1000
    assert (whole.mask & ~opened.mask).sum() * ml <= 2.0
    assert (opened.mask & ~whole.mask).sum() * ml < 90
    assert opened.gap is not None
    assert opened.gap.width_cm > least_cm
    assert "gap in the skull" in opened.doubts[0]


@pytest.mark.parametrize("seed", [0, 1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_simulated_head_has_neither_gap_nor_metal(head, seed):
    assert find_brain(head(seed)).doubts == ()


def test_metal_is_named_and_its_streaks_tear_no_hole(head):
    volume = head(4)
    whole = find_brain(volume)
    hu = volume.hu.copy()
    cz, cy, cx = (int(c) for c in np.argwhere(whole.mask).mean(0))
    rows, columns = np.ogrid[: hu.shape[1], : hu.shape[2]]
    r, angle = np.hypot(rows - cy, columns - cx), np.arctan2(rows - cy, columns - cx)
    rng = np.random.default_rng(1)
    for k in (cz - 1, cz, cz + 1):
        for turn in rng.uniform(-np.pi, np.pi, 16):
            ray = (np.abs(np.sin(angle - turn)) * r < 3) & (hu[k] > -300)
            hu[k] += ray * rng.choice([-1, 1]) * rng.uniform(60, 180) * np.exp(-r / 90)
        hu[k][r < 4] = 3071
    torn = find_brain(replace(volume, hu=hu.astype(np.float32)))
    assert torn.metal is not None
    assert torn.metal.slices == (cz, cz + 2)
    assert "metal" in torn.doubts[0]
    lost = ndimage.binary_opening(whole.mask & ~torn.mask, np.ones((1, 5, 5)))
    assert lost.sum() * float(np.prod(volume.spacing)) / 1000 < 5
