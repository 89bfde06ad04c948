"""What is measured of a stack moves with what was done to it, and with nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hemocast.model.features import FEATURES, measure_features, measure_levels
from hemocast.volume import Stack, StackRecord, from_levels, to_levels

WINDOW = (10.0, 50.0)
NAMES = [feature.name for feature in FEATURES]


def head(seed: int = 0, noise: float = 3.0, shape=(12, 128, 128)) -> Stack:
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    brain = z**2 + y**2 + x**2 < 0.8
    hu = 30 + noise * rng.normal(size=shape)
    levels = to_levels(np.clip((hu - 10) / 40, 0.01, 1).astype(np.float32)) * brain
    record = StackRecord("", "", (0, 0, 0), (0, 0, 0), 1300.0, 0, 0, 0.0, slice_mm=5.0)
    return Stack(from_levels(levels.astype(np.uint8)), brain, np.diag([1.0, 1, 5, 1]), record)


def measured(stack: Stack) -> dict[str, float]:
    return dict(zip(NAMES, measure_features(stack, WINDOW).tolist(), strict=True))


def changed(stack: Stack, change) -> dict[str, float]:
    frames = np.where(stack.frames > 0, np.clip(change(stack.frames), 0.004, 1), 0)
    return measured(replace(stack, frames=frames.astype(np.float32)))


def test_a_known_head_is_measured_as_it_is() -> None:
    found = measured(head())
    assert found["noise_hu"] == pytest.approx(3.0, rel=0.05)
    assert found["median_hu"] == pytest.approx(30.0, abs=0.2)
    assert found["low_hu"] == pytest.approx(30 - 1.645 * 3, abs=0.3)
    assert found["grain"] == pytest.approx(1.0, abs=0.03)
    assert found["between_frames"] == pytest.approx(0.0, abs=0.02)
    assert found["rim_hu"] == pytest.approx(0.0, abs=0.3)
    assert found["slice_mm"] == 5.0
    assert found["tissue_ml"] == pytest.approx(head().brain.sum() * 5 / 1000, rel=0.01)


@pytest.mark.parametrize(
    ("name", "change", "least"),
    [
        ("noise_hu", lambda f: f + np.random.default_rng(1).normal(0, 6 / 40, f.shape), 3.0),
        ("median_hu", lambda f: f + 5 / 40, 4.5),
        ("between_frames", lambda f: (f + np.roll(f, 1, axis=0)) / 2, 0.3),
        ("side_hu", lambda f: f + np.linspace(-0.1, 0.1, f.shape[2]), 2.0),
        ("top_hu", lambda f: f + np.linspace(-0.1, 0.1, f.shape[0])[:, None, None], 2.0),
    ],
)
def test_what_was_done_is_seen(name: str, change, least: float) -> None:
    stack = head()
    assert changed(stack, change)[name] - measured(stack)[name] > least


def test_smoothing_and_a_bright_rim_are_seen() -> None:
    stack, before = head(), measured(head())
    smooth = changed(stack, lambda f: ndimage.gaussian_filter(f, (0, 1, 1)))
    assert smooth["grain"] < before["grain"] - 0.2
    rim = stack.brain & ~ndimage.binary_erosion(stack.brain, np.ones((1, 3, 3)), iterations=3)
    assert changed(stack, lambda f: f + 0.2 * rim)["rim_hu"] > before["rim_hu"] + 4


def test_levels_and_frames_give_the_same_numbers() -> None:
    stack = head()
    other = measure_levels(to_levels(stack.frames), stack.spacing, WINDOW, 5.0)
    np.testing.assert_array_equal(measure_features(stack, WINDOW), other)


@pytest.mark.parametrize("levels", [0, 255, 128])
def test_a_stack_without_texture_is_measured_as_far_as_it_can_be(levels: int) -> None:
    flat = np.zeros((12, 64, 64), np.uint8)
    flat[:, 10:50, 10:50] = levels
    found = measure_levels(flat, (5.0, 1.0, 1.0), WINDOW)
    assert found.shape == (len(FEATURES),)
    assert np.isfinite(found).any() == (levels > 0)


def test_one_pixel_of_tissue_in_each_frame_is_no_error() -> None:
    flat = np.zeros((12, 64, 64), np.uint8)
    flat[:, 32, 32] = 100
    assert np.isfinite(measure_levels(flat, (5.0, 1.0, 1.0), WINDOW)).any()
