from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.transform import Rotation

from hemocast.anatomy import Brain
from hemocast.prepare.resample import reach, sample_brain, sampled
from hemocast.volume import Source, Volume

SHAPE = (20, 60, 60)


def _volume(hu: np.ndarray, spacing: tuple[float, float, float]) -> Volume:
    """Return a Volume centred on 0 mm."""
    affine = np.diag([-spacing[2], -spacing[1], spacing[0], 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(hu.shape[::-1]) - 1) / 2)
    return Volume(hu.astype(np.float32), affine, ((),) * len(hu), Source("array", "0"))


def _places(volume: Volume) -> np.ndarray:
    """Return the mm (z, y, x, 3) of every voxel."""
    z, y, x = np.indices(volume.hu.shape)
    return np.stack([x, y, z], axis=-1) @ volume.affine[:3, :3].T + volume.affine[:3, 3]


def _grid(degrees: tuple[float, float, float], pixel: float = 1.0, height: float = 5.0):
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix() @ np.diag(
        [-pixel, -pixel, height]
    )
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(SHAPE[::-1]) - 1) / 2)
    return affine


def _ball(volume: Volume, radius: float = 26.0) -> Brain:
    mask = np.linalg.norm(_places(volume), axis=-1) < radius
    return Brain(mask, float(mask.sum()))


@settings(max_examples=15, deadline=None)
@given(
    degrees=st.tuples(*[st.floats(-30, 30)] * 3),
    slice_mm=st.sampled_from([1.0, 2.5, 5.0, 7.0]),
    pixel_mm=st.sampled_from([0.45, 0.9, 1.3]),
)
def test_a_straight_slope_is_sampled_exactly(degrees, slice_mm, pixel_mm):
    shape = (round(70 / slice_mm), round(64 / pixel_mm), round(64 / pixel_mm))
    volume = _volume(np.zeros(shape), (slice_mm, pixel_mm, pixel_mm))
    places = _places(volume)
    slope = np.array([0.3, -0.2, 0.4])
    volume.hu[:] = 30 + places @ slope
    affine = _grid(degrees)
    hu, share = sample_brain(volume, _ball(volume), affine, SHAPE)
    z, y, x = np.indices(SHAPE)
    target = np.stack([x, y, z], axis=-1) @ affine[:3, :3].T + affine[:3, 3]
    deep = np.linalg.norm(target, axis=-1) < 26 - 1.5 * max(slice_mm, 5.0)
    assert share[deep] == pytest.approx(1.0, abs=1e-3)
    assert hu[deep] == pytest.approx((30 + target @ slope)[deep], abs=0.15)


@pytest.mark.parametrize("slice_mm", [1.0, 5.0])
def test_neither_bone_nor_background_bleeds_in(slice_mm):
    volume = _volume(np.zeros((round(70 / slice_mm), 140, 140)), (slice_mm, 0.5, 0.5))
    brain = _ball(volume)
    volume.hu[:] = np.where(brain.mask, 35.0, 1500.0)
    hu, share = sample_brain(volume, brain, _grid((10, 5, -8)), SHAPE)
    assert hu[share > 0.5] == pytest.approx(35.0, abs=1e-2)


def test_what_is_finer_than_a_pixel_is_averaged_not_aliased():
    volume = _volume(np.zeros((14, 200, 200)), (5.0, 0.35, 0.35))
    x = np.arange(200)
    volume.hu[:] = np.where(x % 2 == 0, 0.0, 60.0)  # stripes of 0.35 mm
    hu, share = sample_brain(volume, _ball(volume), _grid((0, 0, 0)), SHAPE)
    seen = hu[share > 0.99]
    assert seen.mean() == pytest.approx(30.0, abs=0.5)
    assert seen.std() < 6  # of 30 in the scan; sampling every third pixel would keep all of it


def test_thin_slices_are_averaged_over_the_height_of_a_frame():
    volume = _volume(np.zeros((70, 64, 64)), (1.0, 1.0, 1.0))
    rng = np.random.default_rng(0)
    volume.hu[:] = 35 + rng.normal(0, 10, volume.hu.shape)
    hu, share = sample_brain(volume, _ball(volume), _grid((0, 0, 0)), SHAPE)
    # Five slices: noise falls by the root of five, and a little more by interpolation.
    assert 2.0 < hu[share > 0.999].std() < 10 / np.sqrt(5) * 1.05


def test_a_thin_bright_slice_keeps_its_share_of_a_frame():
    volume = _volume(np.full((70, 64, 64), 30.0), (1.0, 1.0, 1.0))
    volume.hu[35] = 80.0
    hu, _ = sample_brain(volume, _ball(volume), _grid((0, 0, 0)), SHAPE)
    column = hu[:, 30, 30]
    assert (column - 30).clip(0)[4:16].sum() == pytest.approx(50 / 5, rel=0.05)


def test_mass_of_the_mask_is_kept():
    volume = _volume(np.full((14, 140, 140), 30.0), (5.0, 0.5, 0.5))
    brain = _ball(volume)
    _, share = sample_brain(volume, brain, _grid((7, -5, 12)), SHAPE)
    expected = brain.mask.sum() * 5 * 0.25
    assert share.sum() * 5 == pytest.approx(expected, rel=0.02)
    _, n = ndimage.label(share > 0.5)
    assert n == 1


def test_the_outermost_voxels_reach_to_their_own_ends_and_no_further():
    values = np.array([[[1.0, 3.0]]], np.float32)
    halves = np.diag([0.25, 1.0, 1.0, 1.0])
    halves[0, 3] = -0.75
    line = sampled(values, halves, (1, 1, 10))[0, 0]
    np.testing.assert_allclose(line, [0, 1, 1, 1, 1.5, 2, 2.5, 3, 3, 0])


def test_a_turned_grid_is_sampled_as_simpleitk_does():
    import SimpleITK

    values = np.random.default_rng(7).normal(30, 20, (9, 30, 40)).astype(np.float32)
    to_index = np.eye(4)
    to_index[:3, :3] = Rotation.from_euler("xyz", [4, -6, 20], degrees=True).as_matrix() * 0.7
    to_index[:3, 3] = (-4, 5, -1)
    shape = (14, 50, 60)
    transform = SimpleITK.AffineTransform(3)
    transform.SetMatrix(to_index[:3, :3].ravel().tolist())
    transform.SetTranslation(to_index[:3, 3].tolist())
    image = SimpleITK.GetImageFromArray(values)
    size = [int(n) for n in shape[::-1]]
    grid = SimpleITK.Image(size, SimpleITK.sitkFloat32)
    expected = SimpleITK.Resample(image, grid, transform, SimpleITK.sitkLinear, 0.0)
    assert sampled(values, to_index, shape) == pytest.approx(
        SimpleITK.GetArrayFromImage(expected), abs=0.01
    )


def test_a_single_slice_is_sampled_too():
    values = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    assert np.array_equal(sampled(values, np.eye(4), (1, 3, 4)), values)


@settings(max_examples=40, deadline=None)
@given(
    degrees=st.tuples(*[st.floats(-180, 180)] * 3),
    shift=st.tuples(*[st.floats(-30, 30)] * 3),
    ends=st.lists(st.tuples(st.floats(-5, 20), st.floats(0, 25)), min_size=3, max_size=3),
)
def test_a_box_reaches_every_place_that_lies_in_it(degrees, shift, ends):
    ends = [(low, low + length) for low, length in ends]
    to_grid = np.eye(4)
    to_grid[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    to_grid[:3, 3] = shift
    box = reach(ends, to_grid, SHAPE)
    grid = np.indices(SHAPE)[::-1].reshape(3, -1)
    back = np.linalg.inv(to_grid)
    places = (back[:3, :3] @ grid + back[:3, 3:])[::-1]
    within = np.all([(a <= at) & (at <= b) for at, (a, b) in zip(places, ends, strict=True)], 0)
    within = within.reshape(SHAPE)
    within[box] = False
    assert not within.any()
