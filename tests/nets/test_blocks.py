from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from hemocast.nets.blocks import (
    ResidualBlock,
    StackInput,
    box_mean,
    doubled,
    normalisation,
    padded,
    pooled,
    white_matter,
)


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


def head(*, low: float = 10, high: float = 50, offset: float = 0, gain: float = 1) -> torch.Tensor:
    """Return a head of white (28 HU) and grey matter (36), noise, air around it, and a sulcus of
    fluid (6 HU) on one side; an infarct 6 HU darker lies on the other.
    """
    draw = torch.Generator().manual_seed(3)
    hu = torch.full((1, 8, 48, 48), 36.0)
    hu[:, :, 12:36, 8:40] = 28
    hu[:, 2:6, 16:28, 28:36] -= 6
    hu += torch.randn(hu.shape, generator=draw) * 3
    hu[:, :, 30:38, 10:16:2] = 6
    hu = hu * gain + offset
    levels = ((hu - low) / (high - low)).clamp(0, 1)
    levels[..., :4] = levels[..., -4:] = 0
    levels[:, :, :4] = levels[:, :, -4:] = 0
    return levels


def darker(frames: torch.Tensor, fluid: float | None, window: float = 40) -> torch.Tensor:
    layer = StackInput(2, mirror=True, smooth=3, fluid_hu=fluid)
    layer.window_hu = window
    return layer(frames)[0, 1] * window


SULCUS, INFARCT = (4, 17, 6), (4, 11, 16)


def test_a_sulcus_on_one_side_is_no_darker_tissue_and_an_infarct_still_is():
    kept, left_out = darker(head(), None), darker(head(), 7.5)
    assert float(kept[SULCUS]) > 4
    assert float(left_out[SULCUS]) < 1
    # The darkest of an infarct's noise goes with the fluid, so that less than its 6 HU is left.
    assert float(left_out[INFARCT]) > 2.5


@pytest.mark.parametrize(("offset", "gain"), [(-6, 1), (6, 1), (0, 0.85), (0, 1.15), (-4, 1.1)])
def test_a_scanner_that_measures_too_high_or_too_widely_changes_little(offset, gain):
    usual, other = darker(head(), 7.5), darker(head(offset=offset, gain=gain), 7.5)
    assert float(other[SULCUS]) < 1
    assert float(other[INFARCT]) == pytest.approx(float(usual[INFARCT]) * gain, rel=0.25)


@pytest.mark.parametrize(("low", "high"), [(0, 80), (-10, 70), (10, 60)])
def test_the_window_is_honoured(low, high):
    usual, other = darker(head(), 7.5), darker(head(low=low, high=high), 7.5, high - low)
    assert float(other[SULCUS]) < 1
    assert float(other[INFARCT]) == pytest.approx(float(usual[INFARCT]), rel=0.2)


@pytest.mark.parametrize("level", [0.0, 0.001, 0.05, 1.0])
def test_a_stack_of_one_level_gives_numbers_and_no_difference(level):
    frames = torch.full((2, 4, 16, 16), level)
    frames[1] = 0
    channels = StackInput(2, mirror=True, smooth=3, fluid_hu=7.5)(frames)
    assert bool(torch.isfinite(channels).all())
    assert float(channels[:, 1].abs().max()) < 1e-6


def test_white_matter_lies_between_fluid_and_grey_matter_whatever_else_is_there():
    picture = functional.avg_pool2d(head(), 2).unsqueeze(1)
    hu = float(white_matter(picture)) * 40 + 10
    assert 25 < hu < 32
    with_blood = picture.clone()
    with_blood[..., 10:14, 10:14] = 1
    assert float(white_matter(with_blood)) * 40 + 10 == pytest.approx(hu, abs=1.5)
    assert float(white_matter(torch.zeros_like(picture))) == 0


def test_one_heads_white_matter_does_not_depend_on_the_others_of_the_batch():
    one, other = head(), head(offset=5)
    layer = StackInput(2, mirror=True, smooth=3, fluid_hu=7.5)
    torch.testing.assert_close(layer(torch.cat([one, other]))[:1], layer(one))


def test_without_pixels_left_out_the_channel_is_that_of_the_first_version():
    frames = head()
    picture = pooled(frames, 2).unsqueeze(1)
    layer = StackInput(2, mirror=True, smooth=3)
    held = (picture > 0.02).float()
    both = held * held.flip(-1)
    expected = layer._blur((picture.flip(-1) - picture) * both) / (layer._blur(both) + 0.1)
    torch.testing.assert_close(layer(frames)[:, 1:], expected.clamp(min=0), rtol=0, atol=0)


@pytest.mark.parametrize("box", [(1, 3, 3), (3, 5, 5), (1, 1, 7)])
def test_a_mean_over_boxes_is_what_pooling_with_zeros_beyond_gives(box):
    x = torch.randn(2, 3, 6, 9, 8)
    margin = tuple(size // 2 for size in box)
    once = functional.avg_pool3d(x, box, 1, margin)
    torch.testing.assert_close(box_mean(x, box), once)
    again = functional.avg_pool3d(once, (1, *box[1:]), 1, (0, *margin[1:]))
    torch.testing.assert_close(box_mean(x, box, in_plane=2), again)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_pooling_averages_squares_and_leaves_out_what_is_over(size):
    x = torch.rand(2, 3, 12, 17)
    torch.testing.assert_close(pooled(x, size), functional.avg_pool2d(x, size))
    with torch.autocast("cpu", torch.bfloat16):
        averaged = pooled(x, size)
    torch.testing.assert_close(averaged, pooled(x, size), rtol=0, atol=0)


def test_a_mean_over_boxes_loses_nothing_where_layers_run_in_lower_precision():
    x = torch.rand(1, 1, 4, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        averaged = box_mean(x, (3, 5, 5))
    torch.testing.assert_close(averaged, box_mean(x, (3, 5, 5)), rtol=0, atol=0)


def test_padding_and_doubling_are_what_they_are_called():
    x = torch.randn(1, 2, 3, 4, 5)
    torch.testing.assert_close(padded(x, 4, 2, 1), functional.pad(x, (2, 1)))
    torch.testing.assert_close(padded(x, 3, 0, 0), x)
    torch.testing.assert_close(doubled(x), functional.interpolate(x, scale_factor=2))


def test_lost_relief_shows_on_its_own_side_under_a_scanners_shading():
    stripes = (torch.arange(64) // 6 % 2).float() * 0.2 + 0.5  # white matter and grey
    mirrored = torch.cat([stripes[:32], stripes[:32].flip(0)])
    frames = mirrored.expand(1, 4, 64, 64).clone()
    frames[:, :, 20:44, 6:26] = 0.6  # no darker than what it was on average
    shaded = frames + torch.linspace(-0.06, 0.06, 64)
    layer = StackInput(1, mirror=True, smooth=5, fluid_hu=7.5, relief=True)
    assert layer.channels == 3
    plain, under = (layer(picture)[0, 2, 1] for picture in (frames, shaded))
    assert float(plain[28:36, 12:20].mean()) > 0.05
    assert float(plain[28:36, 44:52].abs().max()) == 0
    assert float((under - plain)[28:36].abs().mean()) < 0.02


def test_relief_needs_fluid_told_from_tissue():
    frames = head()
    both = [StackInput(2, True, 3, fluid, relief=True) for fluid in (None, 7.5)]
    assert [layer.channels for layer in both] == [2, 3]
    assert [layer(frames).shape[1] for layer in both] == [2, 3]


def test_relief_of_coarse_pixels_is_that_of_fine_ones_averaged():
    frames = head()
    fine, coarse = (StackInput(pool, True, 5, 7.5, relief=True)(frames) for pool in (3, 6))
    torch.testing.assert_close(coarse, functional.avg_pool3d(fine, (1, 2, 2)))
