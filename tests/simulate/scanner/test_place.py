from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.simulate import Protocol
from hemocast.simulate.scanner.place import (
    PLANES,
    RAS,
    place_slices,
    rotation_matrix,
    to_head,
)

ANGLES = st.floats(-30, 30)
ONE = np.ones(3)


@given(ANGLES, ANGLES, ANGLES)
def test_pitch_roll_and_yaw_make_a_rotation(pitch, roll, yaw):
    matrix = rotation_matrix((pitch, roll, yaw))
    assert matrix @ matrix.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1)


def test_pitch_nods_roll_tilts_to_a_shoulder_and_yaw_turns():
    """x is right, y front, z up: each axis stays, and the next goes towards the one after it."""
    x, y, z = np.eye(3)
    assert rotation_matrix((90, 0, 0)) @ y == pytest.approx(z)
    assert rotation_matrix((0, 90, 0)) @ z == pytest.approx(x)
    assert rotation_matrix((0, 0, 90)) @ x == pytest.approx(y)


@pytest.mark.parametrize("tilt", [0.0, 18.5, -12.0])
def test_slices_follow_each_other_by_their_thickness_along_the_normal(tilt):
    place = place_slices(ONE, Protocol(tilt_degrees=tilt, slice_mm=4.0))
    normal = np.cross(place.orientation[:3], place.orientation[3:])
    assert np.diff(place.positions @ normal) == pytest.approx(4.0)
    assert set(place.thickness_mm) == {4.0}
    # The table moves along z: a tilted stack is sheared, as real ones are.
    assert np.ptp(place.positions[:, :2], axis=0).max() == pytest.approx(0, abs=1e-9)


def test_slices_cover_the_head_wherever_it_lies():
    for settings in ({}, {"rotation_degrees": (12.0, 6.0, -9.0)}, {"shift_mm": (5.0, -4.0, 9.0)}):
        protocol = Protocol(**settings)
        place = place_slices(ONE, protocol)
        vertex = rotation_matrix(protocol.rotation_degrees) @ [0, -18, 90]
        top = (vertex * RAS)[2] + protocol.shift_mm[2]
        assert place.positions[-1, 2] + 2.5 >= top
        assert place.positions[0, 2] < -60


def test_a_smaller_head_needs_fewer_slices_and_thinner_ones_are_more():
    count = {
        name: len(place_slices(scale, Protocol(slice_mm=mm)).positions)
        for name, scale, mm in (
            ("usual", ONE, 5.0),
            ("small", 0.85 * ONE, 5.0),
            ("thin", ONE, 1.25),
        )
    }
    assert count["small"] < count["usual"] < count["thin"] / 3


def test_a_mixed_series_is_thin_below_the_top_of_the_fossa_only():
    place = place_slices(ONE, Protocol(mixed=True))
    thin = place.thickness_mm == 2.5
    assert thin.any()
    assert not thin[np.flatnonzero(~thin)[0] :].any()
    assert place.positions[thin][-1, 2] < -5 < place.positions[~thin][2, 2]


def test_a_point_of_the_head_is_found_again_where_the_scanner_has_it():
    protocol = Protocol(rotation_degrees=(8.0, -5.0, 11.0), shift_mm=(4.0, -7.0, 3.0))
    place = place_slices(ONE, protocol)
    point = np.array([31.0, -20.0, 44.0])
    lps = (place.rotation[0, 0] @ point) * RAS + place.shift[0, 0]
    ras = np.broadcast_to(lps * RAS, (2, PLANES, 1, 1, 3))
    found = to_head(ras, place.rotation[:1, :1], place.shift[:1, :1])
    assert found.shape == (2, PLANES, 1, 1, 3)
    assert found[1, 2, 0, 0] == pytest.approx(point)


def test_a_head_that_keeps_still_has_one_pose():
    place = place_slices(ONE, Protocol())
    assert np.ptp(place.shift, axis=(0, 1)).max() == 0
    assert np.ptp(place.rotation, axis=(0, 1)).max() == 0


@pytest.mark.parametrize("motion", [2.0, 5.0])
def test_motion_moves_the_skull_by_about_what_was_asked(motion):
    """Over many heads; a drift moves little from slice to slice, a jump at one slice."""
    ranges, kinds = [], []
    point = np.array([0.0, 80.0, 0.0])
    for k in range(40):
        place = place_slices(ONE, Protocol(motion_mm=motion, shift_mm=(float(k), 0.0, 0.0)))
        at = place.rotation.reshape(-1, 3, 3) @ point * [-1, -1, 1] + place.shift.reshape(-1, 3)
        ranges.append(np.linalg.norm(np.ptp(at, axis=0)))
        kinds.append(np.linalg.norm(np.diff(at[1::3], axis=0), axis=1).max() > 0.65 * motion)
    assert 0.6 * motion < np.median(ranges) < 2.2 * motion
    assert 5 < sum(kinds) < 38
