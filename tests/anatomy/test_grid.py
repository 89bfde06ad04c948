from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.anatomy.grid import bounding_box, coarsen, coarsen_around, linear_weights, weighed
from hemocast.volume import Source, Volume


def test_blocks_are_means_and_lie_where_their_voxels_lie():
    z, y, x = np.indices((8, 24, 30), dtype=np.float32)
    hu = 3 * x - 2 * y + 5 * z
    affine = np.diag([-0.5, -0.5, 1.25, 1.0])
    affine[:3, 3] = [40, 50, -30]
    coarse = coarsen(hu, affine, (1.25, 0.5, 0.5))
    assert coarse.factors == (2, 4, 4)
    assert coarse.hu.shape == (4, 6, 7)
    # A linear field's block mean is its value at the block's centre.
    for index in [(0, 0, 0), (3, 5, 6), (1, 2, 3)]:
        mm = coarse.affine @ [*index[::-1], 1.0]
        voxel = np.linalg.inv(affine) @ mm
        assert coarse.hu[index] == pytest.approx(3 * voxel[0] - 2 * voxel[1] + 5 * voxel[2])


def test_a_mask_becomes_shares_without_becoming_numbers_first():
    mask = np.random.default_rng(0).random((7, 12, 9)) > 0.4
    spacing = (0.5, 0.7, 2.0)
    shares = coarsen(mask, np.eye(4), spacing).hu
    assert shares.dtype == np.float32
    np.testing.assert_array_equal(shares, coarsen(mask.astype(np.float32), np.eye(4), spacing).hu)


def test_a_value_that_is_not_finite_is_not_lost():
    hu = np.zeros((4, 16, 16), np.float32)
    hu[2, 7, 9] = np.nan
    assert not np.isfinite(coarsen(hu, np.eye(4), (5.0, 0.5, 0.5)).hu).all()


@given(n=st.integers(2, 60), factor=st.integers(1, 6))
def test_weights_reproduce_a_straight_line_between_block_centres(n, factor):
    blocks = max(1, n // factor)
    weights = linear_weights((np.arange(n) - (factor - 1) / 2) / factor, blocks)
    assert weights.sum(axis=1) == pytest.approx(np.ones(n), abs=1e-5)
    centres = np.arange(blocks) * factor + (factor - 1) / 2
    inside = (np.arange(n) >= centres[0]) & (np.arange(n) <= centres[-1])
    assert (weights @ centres)[inside] == pytest.approx(np.arange(n)[inside], abs=1e-4)


@given(n=st.integers(1, 30), places=st.integers(1, 30), axis=st.integers(0, 2))
def test_a_band_of_weights_multiplies_as_a_matrix_does(n, places, axis):
    rng = np.random.default_rng(n)
    values = rng.normal(size=[n if a == axis else 3 for a in range(3)]).astype(np.float32)
    weights = linear_weights(rng.uniform(-2, n + 1, places), n)
    product = np.moveaxis(np.tensordot(weights, values, axes=(1, axis)), 0, axis)
    assert weighed(values, weights, axis) == pytest.approx(product, abs=1e-5)


def test_box_holds_the_mask_and_stays_in_the_array():
    mask = np.zeros((5, 9, 9), np.bool_)
    mask[1, 3:5, 8] = True
    box = bounding_box(mask, (1, 2, 2))
    assert box == (slice(0, 3), slice(1, 7), slice(6, 9))


def test_blocks_around_a_mask_lie_where_they_lay():
    hu = np.arange(8 * 40 * 40, dtype=np.float32).reshape(8, 40, 40)
    affine = np.diag([-1.0, -1.0, 5.0, 1.0])
    affine[:3, 3] = [20, 30, -15]
    volume = Volume(hu, affine, ((),) * 8, Source("array", "0"))
    mask = np.zeros(hu.shape, np.bool_)
    mask[3:5, 10:20, 12:30] = True
    tissue, share = coarsen_around(volume, mask, margin_mm=4.0, in_plane_mm=2.0)
    assert tissue.hu.shape == share.shape == (4, 9, 13)
    assert share.sum() * np.prod(tissue.factors) == mask.sum()
    z, y, x = np.argwhere(share == 1)[0]
    voxel = np.linalg.inv(affine) @ tissue.affine @ [x, y, z, 1.0]
    assert voxel[:3] == pytest.approx([12.5, 10.5, 3.0])
    assert tissue.hu[z, y, x] == hu[3, 10:12, 12:14].mean()
