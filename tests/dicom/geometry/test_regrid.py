from __future__ import annotations

import itertools

import numpy as np
import pytest

from hemocast.dicom.geometry.regrid import AIR, canonical, place, resample, whole
from hemocast.dicom.geometry.slices import plan


@pytest.mark.parametrize(
    "shift", [(0.0, 0.0), (2.0, 1.0), (0.25, 0.0), (3.6, 0.0), (0.0, 1.4), (1.5, 2.5)]
)
def test_a_shift_moves_a_ramp_exactly_and_keeps_its_edges(shift):
    rows, columns = np.mgrid[:20, :30].astype(np.float32)
    ramp = 3 * rows + 2 * columns
    out = np.full((26, 36), np.nan, np.float32)
    place(ramp, np.array(shift), out)
    assert np.isfinite(out).all()
    down, right = shift
    r, c = np.mgrid[:26, :36]
    inside = (r >= down) & (r <= 19 + down) & (c >= right) & (c <= 29 + right)
    np.testing.assert_allclose(out[inside], (3 * (r - down) + 2 * (c - right))[inside], atol=1e-3)
    beyond = (r <= down - 1) | (r >= 20 + down) | (c <= right - 1) | (c >= 30 + right)
    assert (out[beyond] == AIR).all()


def test_resampling_never_overshoots_and_keeps_acquired_slices():
    rng = np.random.default_rng(0)
    heights = np.concatenate([np.arange(0, 40, 4.0), 37.0 + np.arange(8) * 7.0])
    frames = rng.normal(0, 300, (len(heights), 16, 16)).astype(np.float32)
    positions = np.array([(0, 0, h) for h in heights])
    grid = plan(positions, (1.0, 0, 0, 0, 1.0, 0), (1.0, 1.0), (16, 16))

    def read(index, out):
        out[...] = frames[index]

    volume = resample(read, grid, 16, 16)
    assert volume.shape == grid.shape
    assert volume.max() <= frames.max()
    assert volume.min() >= frames.min()
    np.testing.assert_array_equal(volume[:10], frames[:10])
    # 40 mm lies between the slices at 37 and 44 mm, 3/7 of the way.
    between = next(b for z, b in enumerate(grid.blends) if z * grid.step == pytest.approx(40.0))
    assert (grid.heights[between.low], grid.heights[between.high]) == (37.0, 44.0)
    assert between.weight == pytest.approx(3 / 7)


def test_any_axis_order_becomes_the_one_form():
    rng = np.random.default_rng(1)
    array = rng.normal(size=(4, 5, 6)).astype(np.float32)
    spacing = np.array([0.5, 0.7, 3.0])
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            lps = np.eye(4)
            for axis, (world, sign) in enumerate(zip(order, signs, strict=True)):
                lps[world, axis] = sign * spacing[axis]
                if world != axis:
                    lps[axis, axis] = 0
            lps[:3, 3] = [10, 20, 30]
            turned, affine, _ = canonical(array, lps)
            diagonal = np.diag(affine)[:3]
            assert (np.sign(diagonal) == [-1, -1, 1]).all()
            for k, j, i in [(0, 0, 0), (1, 4, 2), (3, 2, 5)]:
                ras = (lps @ [i, j, k, 1])[:3] * [-1, -1, 1]
                x, y, z = np.rint(np.linalg.solve(affine, [*ras, 1])[:3]).astype(int)
                assert turned[z, y, x] == array[k, j, i]


def test_whole_numbers_are_made_where_the_values_lie_unless_they_must_not_change():
    values = np.array([[-0.4, 1.6], [2.5, -3.5]], np.float32)
    kept = values.copy()
    kept.flags.writeable = False
    np.testing.assert_array_equal(whole(kept), [[0, 2], [2, -4]])
    assert kept[0, 1] == np.float32(1.6)
    assert np.shares_memory(whole(values), values)
