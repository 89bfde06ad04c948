from __future__ import annotations

import numpy as np
import pytest

from hemocast.config import PrepareConfig
from hemocast.simulate import Protocol
from hemocast.simulate.scanner.stack_noise import draw_noise, soften, softness

GRID = PrepareConfig(size=128, pixel_mm=1.5, frames=12)
FINE = PrepareConfig(size=256, pixel_mm=0.75, frames=12)


def _noise(protocol: Protocol, slices: np.ndarray | None = None, seed: int = 1) -> np.ndarray:
    slices = np.eye(4) if slices is None else slices
    return draw_noise(np.random.default_rng(seed), protocol, GRID, slices, 13)


def test_softening_keeps_the_sum_of_a_frame_and_spreads_a_point_to_its_neighbours():
    frames = np.zeros((1, 9, 9), np.float32)
    frames[0, 4, 4] = 1
    soft = soften(frames, 0.5)
    assert soft.sum() == pytest.approx(1)
    assert soft[0, 3:6, 3:6] == pytest.approx(np.outer([1, 2, 1], [1, 2, 1]) / 16)
    flat = np.full((2, 5, 5), 3, np.float32)
    assert soften(flat, 0.4) == pytest.approx(3)  # the edge too


@pytest.mark.parametrize("variance", [0.3, 0.5, 0.8, 1.0])
def test_a_point_is_spread_by_the_variance_that_was_asked(variance):
    point = np.zeros((1, 11, 11), np.float32)
    point[0, 5, 5] = 1
    along = soften(point, variance)[0].sum(axis=0)
    assert (along * (np.arange(11) - 5) ** 2).sum() == pytest.approx(variance, rel=1e-4)


def test_a_softer_kernel_and_smaller_pixels_soften_more():
    assert softness(Protocol(blur_mm=2.0), 1.5) > softness(Protocol(blur_mm=1.0), 1.5)
    assert softness(Protocol(blur_mm=1.0), 1.0) > softness(Protocol(blur_mm=1.0), 1.5)
    assert softness(Protocol(blur_mm=2.3548), 1.0) == pytest.approx(1 + 7 / 24)


def test_larger_pixels_average_more_noise_away():
    protocol = Protocol(noise_hu=4.0)
    spreads = [
        draw_noise(np.random.default_rng(1), protocol, grid, np.eye(4), 13).std()
        for grid in (FINE, GRID)
    ]
    assert 2.0 < spreads[0] < 4.0
    assert 0.5 < spreads[1] < 0.6 * spreads[0]


def test_noise_grows_with_what_is_asked_and_the_seed_decides():
    quiet, loud = _noise(Protocol(noise_hu=2.0)), _noise(Protocol(noise_hu=6.0))
    assert loud == pytest.approx(3 * quiet, rel=1e-3, abs=1e-3)
    assert np.array_equal(_noise(Protocol()), _noise(Protocol()))
    assert not np.array_equal(_noise(Protocol()), _noise(Protocol(), seed=2))


def test_overlapping_slices_share_their_noise():
    """Frame by frame on the slices: the correlation that was asked, and no more noise."""
    alone, shared = _noise(Protocol()), _noise(Protocol(overlap=0.6))
    assert np.corrcoef(alone[1:].ravel(), alone[:-1].ravel())[0, 1] == pytest.approx(0, abs=0.02)
    assert np.corrcoef(shared[1:].ravel(), shared[:-1].ravel())[0, 1] == pytest.approx(
        0.6, abs=0.03
    )
    assert shared.std() == pytest.approx(alone.std(), rel=0.05)


def test_iterative_reconstruction_leaves_coarser_noise():
    fine, coarse = _noise(Protocol(grain_mm=1.2)), _noise(Protocol(grain_mm=2.4))
    rough = [np.diff(part, axis=2).std() / part.std() for part in (fine, coarse)]
    assert rough[1] < 0.85 * rough[0]


def test_a_frame_between_two_slices_has_the_mean_of_their_noise():
    half = np.eye(4)
    half[2, 3] = 0.5
    on, between = _noise(Protocol()), _noise(Protocol(), half)
    assert between[0] == pytest.approx((on[0] + on[1]) / 2, abs=1e-4)
    assert between.std() == pytest.approx(on.std() / np.sqrt(2), rel=0.05)
