from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hemocast.nets.blocks import ResidualBlock, StackInput, normalisation


def test_block_1_is_the_residual_plus_its_input():
    block = ResidualBlock(8, 8, (3, 3, 3))
    x = torch.randn(2, 8, 4, 6, 6)
    assert isinstance(block.shortcut, torch.nn.Identity)
    torch.testing.assert_close(block(x), torch.relu(block.residual(x) + x))


@pytest.mark.parametrize(("outputs", "stride"), [(16, None), (8, (1, 2, 2)), (16, (2, 2, 2))])
def test_block_2_is_the_residual_plus_a_linear_projection(outputs, stride):
    block = ResidualBlock(8, outputs, (3, 3, 3), stride)
    x = torch.randn(2, 8, 4, 6, 6)
    torch.testing.assert_close(block(x), torch.relu(block.residual(x) + block.shortcut(x)))
    zero = block.shortcut(torch.zeros_like(x))
    double = block.shortcut(2 * x) - zero
    torch.testing.assert_close(double, 2 * (block.shortcut(x) - zero))


@given(st.integers(1, 200))
@settings(deadline=None, max_examples=30)
def test_normalisation_exists_for_any_number_of_features(features):
    x = torch.randn(2, features, 3)
    assert normalisation(features)(x).shape == x.shape


def test_pooling_comes_first_and_averages():
    frames = torch.rand(1, 4, 12, 12)
    channels = StackInput(3, mirror=False, smooth=1)(frames)
    assert channels.shape == (1, 1, 4, 4, 4)
    torch.testing.assert_close(channels[0, 0, 2, 1, 3], frames[0, 2, 3:6, 9:12].mean())


def test_a_symmetric_brain_has_no_mirror_difference():
    half = torch.rand(2, 4, 16, 8)
    channels = StackInput(1, mirror=True, smooth=3)(torch.cat([half, half.flip(-1)], -1))
    assert float(channels[:, 1].abs().max()) < 1e-6


def test_the_mirror_image_has_the_mirrored_difference():
    frames = torch.rand(2, 4, 16, 16)
    make = StackInput(1, mirror=True, smooth=3)
    torch.testing.assert_close(make(frames.flip(-1)), make(frames).flip(-1))


def test_a_dark_spot_shows_on_its_own_side_only():
    frames = torch.full((1, 8, 24, 24), 0.6)
    frames[:, 2:6, 8:16, 3:9] = 0.4
    difference = StackInput(1, mirror=True, smooth=3)(frames)[0, 1]
    assert float(difference[4, 12, 6]) == pytest.approx(0.2, abs=0.02)
    assert float(difference[4, 12, 17]) == 0


def test_air_on_one_side_makes_no_difference():
    frames = torch.full((1, 4, 16, 16), 0.6)
    frames[..., :4] = 0
    difference = StackInput(1, mirror=True, smooth=3)(frames)[0, 1]
    assert float(difference.abs().max()) < 1e-6
