"""Histograms and coarse voxels of stacks: shares, sides, and the order of voxels."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.classical.images import (
    BINS,
    VOXELS,
    histogram,
    histograms_of,
    voxels,
    voxels_of,
)


@pytest.fixture
def head() -> np.ndarray:
    """Return a symmetric box of brain with level 0.6 in an empty field."""
    frames = np.zeros((28, 96, 96), dtype=np.float32)
    frames[4:24, 16:80, 16:80] = 0.6
    return frames


def test_the_histogram_holds_shares_of_the_brain_alone(head: np.ndarray) -> None:
    found = histogram(head)
    assert found.shape == (2 * BINS,)
    assert found[:BINS].sum() == pytest.approx(1)
    assert found[int(0.6 * BINS)] == 1
    # Both sides are alike: all blocks lie in the first bin.
    assert found[BINS] == 1


def test_a_darker_side_shows_as_asymmetry_whichever_it_is(head: np.ndarray) -> None:
    left = head.copy()
    left[10:16, 32:48, 20:40] -= 0.1
    found, mirrored = histogram(left), histogram(left[:, :, ::-1])
    np.testing.assert_allclose(found, mirrored)
    apart = found[BINS:]
    assert apart[0] < 1
    # Blocks on the edge of the dark patch differ by a part of it.
    assert apart[np.flatnonzero(apart)[-1]] == pytest.approx(2 * 6 * 4 * 5 / (20 * 16 * 16))


def test_an_empty_stack_gives_zeros() -> None:
    assert not histogram(np.zeros((4, 16, 16))).any()


def test_voxels_are_means_in_order() -> None:
    frames = np.broadcast_to(np.linspace(0, 1, 28)[:, None, None], (28, 96, 96))
    coarse = voxels(frames).reshape(VOXELS)
    assert (np.diff(coarse[:, 0, 0]) > 0).all()
    assert coarse.mean() == pytest.approx(0.5, abs=0.02)
    np.testing.assert_allclose(coarse, coarse[:, :1, :1] * np.ones(VOXELS))


def test_scans_become_measurements(head: np.ndarray) -> None:
    both = [head, head[:, :, ::-1]]
    grey, coarse = histograms_of(both), voxels_of(both)
    assert grey.n == coarse.n == 2
    assert {one.kind for one in coarse.variables} == {"voxel"}
    assert len(grey.variables) == grey.values.shape[1] == 160
