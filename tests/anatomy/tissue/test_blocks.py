from __future__ import annotations

import numpy as np
import pytest

from hemocast.anatomy.tissue.blocks import block_weights, channels, padded, to_blocks


@pytest.mark.parametrize("settings", [{}, {"slice_mm": 2.0}, {"slice_mm": 9.0}])
def test_blocks_are_3_mm_and_lie_where_the_scan_does(head, settings):
    volume = head(2, **settings)
    blocks = to_blocks(volume)
    assert np.allclose(np.array(blocks.step) * volume.spacing, 3.0)
    middle = np.array(blocks.first) + blocks.step * (np.array(blocks.hu.shape) - 1) / 2
    assert np.allclose(middle, (np.array(volume.hu.shape) - 1) / 2, atol=1e-6)
    assert float(blocks.hu.mean()) == pytest.approx(float(volume.hu.mean()), abs=15)


def test_a_ramp_stays_a_ramp():
    for step in (0.6, 3.7):
        first = 2.0 * step
        weights = block_weights(40, 5, first, step)
        assert np.allclose(weights @ np.arange(40), first + step * np.arange(5), atol=0.02)


def test_padding_can_be_taken_off_again():
    values = np.random.default_rng(0).normal(size=(5, 16, 9)).astype(np.float32)
    wide, where = padded(values, -1000.0)
    assert all(n % 8 == 0 for n in wide.shape)
    assert np.array_equal(wide[where], values)
    assert wide.min() == -1000


def test_channels_show_brain_and_everything():
    shown = channels(np.array([-1000.0, 0.0, 40.0, 80.0, 3000.0]).reshape(1, 1, 5))
    assert shown.shape == (3, 1, 1, 5)
    assert (np.abs(shown) <= 1).all()
    assert shown[2, 0, 0].tolist() == [-1, -1, 0, 1, 1]
