from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from scipy.spatial.transform import Rotation

from hemocast.anatomy.fields import robust_step, rotation, sample, turned


def test_sampling_agrees_with_scipy_inside_and_is_zero_outside():
    rng = np.random.default_rng(0)
    fields = rng.normal(size=(6, 7, 8, 2)).astype(np.float32)
    index = rng.uniform(-1.5, 8.5, (500, 3)).astype(np.float32)
    seen = sample(fields, index)
    inside = ((index >= 0) & (index <= np.array([5, 6, 7]))).all(axis=1)
    assert 50 < inside.sum() < 450
    for channel in range(2):
        expected = ndimage.map_coordinates(fields[..., channel], index.T, order=1)
        assert seen[inside, channel] == pytest.approx(expected[inside], abs=1e-4)
    assert not seen[~inside].any()


@given(st.tuples(*[st.floats(-3, 3)] * 3))
def test_rotation_agrees_with_scipy(vector):
    expected = Rotation.from_rotvec(vector).as_matrix()
    assert rotation(np.array(vector)) == pytest.approx(expected, abs=1e-9)


def test_a_step_solves_a_line_fit_in_spite_of_a_third_of_outliers():
    rng = np.random.default_rng(1)
    x = np.linspace(-1, 1, 300)
    y = 0.4 * x + 0.1 + rng.normal(0, 0.01, 300)
    y[::3] += 5
    design = np.stack([x, np.ones(300)], axis=1).astype(np.float32)
    fit = np.zeros(2)
    for _ in range(20):
        residual = (design @ fit - y).astype(np.float32)
        fit += robust_step(residual, design, 0.3, 0.0)
    assert fit == pytest.approx([0.4, 0.1], abs=0.02)


def test_many_steps_at_once_are_those_of_each_alone():
    rng = np.random.default_rng(2)
    residual = rng.normal(size=(3, 1300)).astype(np.float32)
    jacobian = rng.normal(size=(3, 1300, 4)).astype(np.float32)
    together = robust_step(residual, jacobian, 0.5, 0.01)
    alone = [robust_step(r, j, 0.5, 0.01) for r, j in zip(residual, jacobian, strict=True)]
    np.testing.assert_array_equal(together, alone)


def test_many_sets_of_points_are_turned_each_by_its_own():
    rng = np.random.default_rng(3)
    points, matrices = rng.normal(size=(3, 50, 3)), rng.normal(size=(3, 3, 3))
    together = turned(points, matrices)
    np.testing.assert_array_equal(
        together, [turned(p, m) for p, m in zip(points, matrices, strict=True)]
    )
