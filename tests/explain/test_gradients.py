"""Maps by gradients lie where the network looks, and add up to what they claim."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.explain.gradients import grad_cam, grad_cam_plus_plus, integrated_gradients
from hemocast.explain.measures import within
from hemocast.explain.occlusion import neutral


@pytest.mark.parametrize("method", [grad_cam, grad_cam_plus_plus, integrated_gradients])
def test_a_network_that_sees_one_cube_is_hottest_in_it(method, cube, stack, in_cube) -> None:
    values = method(cube, stack)
    assert values.dtype == np.float32
    assert in_cube[np.unravel_index(values.argmax(), values.shape)]
    positive = np.maximum(values, 0)
    near = within(in_cube, 16.0, stack.spacing)  # two spreads of what is smoothed
    assert positive[near].sum() >= 0.9 * positive.sum() > 0
    assert not values[~stack.brain].any()
    np.testing.assert_array_equal(values, method(cube, stack))


@pytest.mark.parametrize("method", [grad_cam, grad_cam_plus_plus, integrated_gradients])
@pytest.mark.parametrize("scale", [1e-6, 1e4])
def test_the_size_of_a_network_s_numbers_does_not_empty_its_map(
    method, scale, cube, stack, in_cube
) -> None:
    cube.head.weight.data.fill_(scale)
    values = method(cube, stack)
    assert np.isfinite(values).all()
    assert in_cube[np.unravel_index(values.argmax(), values.shape)]
    assert values.max() > 0


def test_integrated_gradients_average_to_the_difference_from_an_even_head(
    cube, stack, logits
) -> None:
    apart = logits(stack.frames[None])[0] - logits(neutral(stack)[None])[0]
    mean = integrated_gradients(cube, stack).mean(dtype=np.float64)
    assert mean == pytest.approx(apart, rel=0.2)  # the cube's corner lies outside the brain


def test_grad_cam_behind_mean_pooling_is_the_map_s_positive_part(cube, stack, in_cube) -> None:
    expected = np.where(in_cube & stack.brain, stack.frames, 0)
    np.testing.assert_allclose(grad_cam(cube, stack), expected, rtol=1e-4)
