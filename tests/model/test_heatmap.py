from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from hemocast.config import NetConfig
from hemocast.model.heatmap import activation_map, enlarge, on_scan
from hemocast.nets import MapGrid, build
from hemocast.prepare.resample import sampled
from hemocast.volume import Source, Volume


def random(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_the_map_is_the_weighted_sum_of_features():
    maps, weights = random((3, 2, 4, 4)), random((3,), 1)
    expected = sum(w * m for w, m in zip(weights, maps, strict=True))
    np.testing.assert_allclose(activation_map(maps, weights), expected, rtol=1e-5)


@given(st.tuples(*[st.integers(1, 5)] * 3), st.tuples(*[st.integers(1, 5)] * 3))
@settings(deadline=None, max_examples=40)
def test_enlarging_by_whole_factors_keeps_the_mean(shape, factors):
    cam = random(shape)
    whole = tuple(a * b for a, b in zip(shape, factors, strict=True))
    large = enlarge(cam, whole, MapGrid.even(shape, whole))
    assert float(large.mean()) == pytest.approx(float(cam.mean()), abs=1e-5)
    assert cam.min() - 1e-5 <= large.min() <= large.max() <= cam.max() + 1e-5


def test_enlarging_agrees_with_torch():
    import torch

    cam = random((7, 8, 9))
    other = torch.nn.functional.interpolate(
        torch.from_numpy(cam)[None, None], (28, 30, 18), mode="trilinear", align_corners=False
    )
    np.testing.assert_allclose(
        enlarge(cam, (28, 30, 18), MapGrid.even(cam.shape, (28, 30, 18))),
        other[0, 0].numpy(),
        atol=1e-5,
    )


def test_a_2d_map_serves_all_frames():
    large = enlarge(random((4, 4)), (5, 8, 8), MapGrid.even((4, 4), (5, 8, 8)))
    assert large.shape == (5, 8, 8)
    assert np.ptp(large, axis=0).max() == 0


def _where_it_looks(name: str, pool: int, frames: int, size: int) -> tuple:
    """Find out from gradients what an inner cell of a network's map sees: its middle, and the cell.

    Weights are equal and nothing is normalised, so that what a cell sees lies evenly round it; the
    residual paths count little, so that it is not cut off by the borders of a small picture.
    """
    import torch

    config = NetConfig(name=name, pool=pool, mirror=False, stem=4, widths=(4, 4), blocks=1)
    net = build(config, frames=frames).eval()
    for parent in list(net.modules()):
        for child, module in list(parent.named_children()):
            if isinstance(module, torch.nn.GroupNorm):
                setattr(parent, child, torch.nn.Identity())
    for key, parameter in net.named_parameters():
        torch.nn.init.constant_(parameter, 1e-3 if "residual" in key else 0.01)
    stack = torch.full((1, frames, size, size), 0.9, requires_grad=True)
    maps = net(stack)[1][0].sum(0)
    cell = tuple(n // 2 for n in maps.shape)
    maps[cell].backward()
    seen = stack.grad[0].numpy()
    middle = [float((axis * seen).sum() / seen.sum()) for axis in np.indices(seen.shape)]
    hot = np.zeros(tuple(maps.shape), np.float32)
    hot[cell] = 1
    return np.array(middle), hot, net


@pytest.mark.parametrize("pool", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["ctnet3d", "ctnet2d"])
@pytest.mark.parametrize("size", [96, 99, 119, 150, 192, 200, 203, 256])
def test_a_hot_cell_lands_where_the_network_looked(name, pool, size):
    """At every size; at 200 it was off by 3 to 6 pixels before, and 203 could not be run."""
    frames = 27 if size % 2 else 28
    middle, hot, net = _where_it_looks(name, pool, frames, size)
    large = enlarge(hot, (frames, size, size), net.map_grid)
    weight = large / large.sum()
    landed = np.array([float((axis * weight).sum()) for axis in np.indices(large.shape)])
    axes = slice(0 if name == "ctnet3d" else 1, 3)
    off = np.abs(landed - middle)[axes]
    # Frames are five times as high as pixels are wide.
    assert (off <= np.array([0.1, 0.5, 0.5])[axes]).all(), off


def test_before_the_change_the_borders_were_taken_for_the_stacks():
    """What an even spread gives at 200 pixels is wrong by millimetres: the net drops pixels."""
    middle, hot, _ = _where_it_looks("ctnet3d", 3, 12, 200)
    large = enlarge(hot, (12, 200, 200), MapGrid.even(hot.shape, (12, 200, 200)))
    landed = float((np.arange(200) * large.sum((0, 1))).sum() / large.sum())
    assert abs(landed - middle[2]) > 3


def _volume(affine: np.ndarray, shape: tuple[int, int, int]) -> Volume:
    return Volume(np.zeros(shape, np.float32), affine, ((),) * shape[0], Source("array", "x"))


def test_the_stack_s_own_grid_gets_the_values_back(make_stack):
    stack = make_stack()
    values = random(stack.frames.shape)
    volume = _volume(stack.affine, stack.frames.shape)
    np.testing.assert_allclose(on_scan(values, stack, volume), values, atol=1e-5)


def test_a_spot_lands_at_its_millimetres_in_a_turned_finer_scan(make_stack):
    stack = make_stack()
    values = np.zeros(stack.frames.shape, np.float32)
    values[3:6, 40:47, 18:25] = 1  # centre: frame 4, y 43, x 21
    centre = stack.affine @ [21, 43, 4, 1]
    angle = np.deg2rad(12)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-1.5, -1.5, 2.5])
    affine[:3, 3] = -affine[:3, :3] @ [80, 80, 16] + stack.affine[:3] @ [32, 32, 4, 1]
    carried = on_scan(values, stack, _volume(affine, (32, 160, 160)))
    z, y, x = (float((axis * carried).sum() / carried.sum()) for axis in np.indices(carried.shape))
    np.testing.assert_allclose((affine @ [x, y, z, 1])[:3], centre[:3], atol=0.3)
    voxel_ml = abs(np.linalg.det(affine)) / 1000
    stack_ml = abs(np.linalg.det(stack.affine)) / 1000
    assert carried.sum() * voxel_ml == pytest.approx(values.sum() * stack_ml, rel=0.02)


@pytest.mark.parametrize("step", [0.45, 0.625, 1.0])
def test_thin_slices_hold_what_one_by_one_they_would(step, make_stack):
    """Sampled every half frame and interpolated between: hardly another map, of a tilted head."""
    stack = make_stack()
    values = enlarge(
        random((4, 8, 8)), stack.frames.shape, MapGrid.even((4, 8, 8), stack.frames.shape)
    )
    angle = np.deg2rad(15)
    tilt = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    slices = int(stack.spacing[0] * len(values) / step)
    affine = np.eye(4)
    affine[:3, :3] = tilt @ np.diag([-1.5, -1.5, step])
    affine[:3, 3] = -affine[:3, :3] @ [40, 40, slices / 2] + stack.affine[:3] @ [32, 32, 4, 1]
    volume = _volume(affine, (slices, 80, 80))
    carried = on_scan(values, stack, volume)
    exact = sampled(values, np.linalg.inv(stack.affine) @ affine, volume.hu.shape)
    inside = ndimage.binary_erosion(exact != 0, iterations=6)
    assert inside.sum() > 10_000
    assert np.std((carried - exact)[inside]) < 0.04 * np.std(exact[inside])


def test_where_the_stack_does_not_reach_there_is_nothing(make_stack):
    stack = make_stack()
    values = np.ones(stack.frames.shape, np.float32)
    affine = stack.affine.copy()
    affine[:3, 3] = (stack.affine @ [0, 0, -4, 1])[:3]
    carried = on_scan(values, stack, _volume(affine, (16, 64, 64)))
    np.testing.assert_array_equal(carried.mean((1, 2)), [0] * 4 + [1] * 8 + [0] * 4)


def test_repeating_needs_no_memory_of_the_first(make_stack):
    stack = make_stack()
    moved = replace(stack, affine=stack.affine + np.array([[0, 0, 0, 9], *[[0] * 4] * 3]))
    values = random(stack.frames.shape)
    volume = _volume(stack.affine, stack.frames.shape)
    # 9 mm along x is three pixels of 3 mm, towards lower indices as x runs to the left.
    np.testing.assert_allclose(on_scan(values, moved, volume)[..., :-3], values[..., 3:], atol=1e-4)
