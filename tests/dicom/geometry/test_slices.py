from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.dicom.geometry.slices import axes, check_gaps, plan
from hemocast.errors import BadGeometry, MissingSlices, TooLarge

UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def along_z(heights):
    return np.array([(0.0, 0.0, h) for h in heights])


def planned(heights, orientation=UPRIGHT):
    return plan(along_z(heights), orientation, (0.5, 0.5), (64, 64))


@pytest.mark.parametrize(
    "steps",
    [
        [5, 5, 5, 5],
        [2.5] * 10 + [7.5] * 8,  # fine base, coarse vertex: normal for a head
        [7.5] * 8 + [2.5] * 10,
        [4.0] * 13 + [1.08] + [7.0] * 13,  # overlap where the protocol changes
        [2.5] * 6 + [5.0] + [7.5] * 6,
        [5.0],
        [3.0, 4.0],
        [5, 5, 5, 6, 5, 5],  # a millimetre, as tables move
    ],
)
def test_uneven_but_gapless_steps_pass(steps):
    assert check_gaps(np.array(steps, float)) is None


@pytest.mark.parametrize(
    "steps",
    [
        [5, 5, 10, 5, 5],
        [2.5] * 5 + [15] + [7.5] * 5,
        [10, 5, 5, 5],  # the second slice of all
        [5, 5, 5, 10],
        [5, 5, 10, 10, 5, 5],  # two missing, with one left between
        [5, 182, 5],
        [5, 5, 5, 7, 5, 5],
        [5, 5, 9, 8, 5],
        [5, 5, 5, 8, 8, 8, 8, 5, 5, 5, 5],
    ],
)
def test_gaps_are_refused(steps):
    with pytest.raises(MissingSlices):
        check_gaps(np.array(steps, float))


@given(st.integers(9, 40), st.floats(0.5, 8.0), st.data())
def test_a_slice_missing_inside_an_even_stack_is_always_seen(n, step, data):
    missing = data.draw(st.integers(1, n - 2))
    heights = np.delete(np.arange(n) * step, missing)
    with pytest.raises(MissingSlices):
        check_gaps(np.diff(heights))


@pytest.mark.parametrize(
    ("steps", "thickness", "passes"),
    [
        ([5, 5, 9, 8, 5], [5] * 6, False),
        ([4] * 5 + [5.5] + [7] * 5, [4] * 6 + [7] * 6, True),  # 4 and then 7 mm
        ([4.0] * 13 + [1.08] + [7.0] * 13, [4] * 14 + [7] * 14, True),
        ([2.5] * 10 + [7.5] * 8, [2.5] * 19, False),  # the vertex is seen in part alone
        ([2.5] * 10 + [7.5] * 8, [2.5] * 10 + [7.5] * 9, True),
        ([7] * 12, [5] * 13, True),  # a protocol with space between all: doubted, not refused
        ([2, 2, 2, 3.5, 2, 2], [5] * 7, False),  # overlapping slices, one of them missing
        ([5, 5, 6, 5], [5] * 5, True),
        ([5, 5, 6.2, 5], [5] * 5, False),
        ([5, 5, 8, 8, 8, 8], [5] * 7, True),  # the longer step is the usual one
        ([5, 5, 5, 8, 8], [5] * 6, False),
    ],
)
def test_what_thickness_explains_is_no_gap(steps, thickness, passes):
    steps, thickness = np.array(steps, float), list(map(float, thickness))
    if passes:
        assert check_gaps(steps, thickness) is None
    else:
        with pytest.raises(MissingSlices):
            check_gaps(steps, thickness)


@given(
    st.floats(1.0, 8.0),
    st.lists(st.floats(-1.0, 1.0), min_size=8, max_size=40),
    st.data(),
)
def test_a_step_beyond_thickness_and_the_usual_is_never_passed(thick, jitter, data):
    steps = thick + np.array(jitter) / 2
    run = data.draw(st.integers(1, 3))
    at = data.draw(st.integers(0, len(steps) - run))
    steps[at : at + run] = thick + data.draw(st.floats(1.6, 20.0))
    with pytest.raises(MissingSlices):
        check_gaps(steps, [thick] * (len(steps) + 1))


@given(st.floats(0.5, 10.0), st.floats(0.5, 10.0), st.integers(4, 20), st.integers(4, 20))
def test_two_parts_whose_thickness_matches_their_steps_pass(one, other, n, m):
    steps = np.array([one] * n + [(one + other) / 2] + [other] * m)
    assert check_gaps(steps, [one] * (n + 1) + [other] * (m + 1)) is None


def test_an_even_stack_stays_as_it_is():
    grid = planned([10.001, 0.0, 5.0, 14.999])
    assert grid.order == (1, 2, 0, 3)
    assert grid.even
    assert not grid.sheared
    assert grid.step == pytest.approx(5.0, abs=1e-3)
    assert grid.shape == (4, 64, 64)
    assert all(b.low == b.high for b in grid.blends)


@pytest.mark.parametrize(
    ("steps", "step"),
    [
        ([4.0] * 13 + [1.08] + [7.0] * 13, 4.0),
        ([2.5] * 10 + [7.5] * 8, 2.5),
        ([2.5] * 4 + [7.5] * 15, 2.5),
        ([5.0] * 20 + [1.0] + [5.0] * 9, 5.0),
    ],
)
def test_the_even_step_is_the_finest_that_is_common(steps, step):
    heights = np.concatenate([[0.0], np.cumsum(steps)])
    grid = planned(heights)
    assert grid.step == pytest.approx(step)
    assert abs((grid.shape[0] - 1) * grid.step - heights[-1]) <= step / 2
    for z, blend in enumerate(grid.blends):
        at = (1 - blend.weight) * heights[blend.low] + blend.weight * heights[blend.high]
        assert abs(at - z * step) < 0.01 or z == grid.shape[0] - 1
        assert 0.0 <= blend.weight <= 1.0


@given(st.floats(-30, 30), st.floats(1.0, 8.0), st.integers(8, 30))
def test_a_tilt_is_measured_and_the_grid_grows_by_just_enough(tilt, step, n):
    angle = np.radians(tilt)
    orientation = (1.0, 0.0, 0.0, 0.0, np.cos(angle), np.sin(angle))
    grid = plan(along_z(np.arange(n) * step), orientation, (0.5, 0.5), (64, 64))
    assert grid.tilt_degrees == pytest.approx(abs(tilt), abs=1e-6)
    assert grid.step == pytest.approx(step * np.cos(angle))
    travel = abs(np.sin(angle)) * (n - 1) * step / 0.5
    assert grid.shape[1] - 64 == pytest.approx(np.ceil(travel), abs=1.01)
    assert grid.shifts.min() >= 0
    assert (grid.shifts + 63 <= np.array(grid.shape[1:]) - 1 + 1e-6).all()
    # The first pixel of each slice lies where its header says.
    for index, shift, height in zip(grid.order, grid.shifts, grid.heights, strict=True):
        place = grid.lps @ [shift[1], shift[0], height / grid.step, 1]
        np.testing.assert_allclose(place[:3], [0, 0, index * step], atol=0.02)
    unit = grid.lps[:3, :3] / np.linalg.norm(grid.lps[:3, :3], axis=0)
    np.testing.assert_allclose(unit.T @ unit, np.eye(3), atol=1e-9)


def test_what_no_scanner_makes_is_refused():
    with pytest.raises(BadGeometry):
        axes((1.0, 0.0, 0.0, 0.3, 0.9, 0.0))
    with pytest.raises(BadGeometry):
        axes((2.0, 0.0, 0.0, 0.0, 1.0, 0.0))
    with pytest.raises(BadGeometry):
        plan(along_z(range(8)), UPRIGHT, (0.0, 0.5), (64, 64))
    steep = np.radians(60)
    with pytest.raises(BadGeometry):
        planned(range(0, 50, 5), (1.0, 0.0, 0.0, 0.0, np.cos(steep), np.sin(steep)))
    jump = along_z(range(0, 50, 5))
    jump[4, 0] += 80
    with pytest.raises(BadGeometry):
        plan(jump, UPRIGHT, (0.5, 0.5), (64, 64))
    with pytest.raises(TooLarge):
        plan(along_z(np.arange(2000) * 0.1), UPRIGHT, (0.5, 0.5), (2048, 2048))


def test_rounded_cosines_are_made_orthonormal():
    row, column, normal = axes((0.99999, 0.001, 0.0, -0.0012, 0.9999, 0.0))
    matrix = np.stack([row, column, normal])
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
