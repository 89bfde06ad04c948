from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hemocast.anatomy import Alignment, align, find_brain
from hemocast.anatomy.orientation import (
    KNOWN_DEGREES,
    SIDES_UNKNOWN,
    left_and_right_known,
    rotation_angle,
    starts,
    turn_and_lean,
)
from hemocast.errors import ContentError, WrongOrientation
from hemocast.volume import Volume


def _turn(degrees: tuple[float, float, float]) -> np.ndarray:
    return Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()


def _named_otherwise(volume: Volume, order: tuple[int, ...], signs: tuple[int, ...]) -> Volume:
    """Give a scan a header that swaps and flips its axes."""
    flipped = volume.hu.transpose(order)[tuple(slice(None, None, sign) for sign in signs)]
    z, y, x = (volume.spacing[axis] for axis in order)
    affine = np.diag([-x, -y, z, 1.0])
    return Volume(np.ascontiguousarray(flipped), affine, ((),) * len(flipped), volume.source)


def test_the_search_starts_from_every_way_to_name_the_axes():
    named = starts()[:24]
    assert len({tuple(np.round(turn).ravel()) for turn in named}) == 24
    assert np.abs(named).max() == 1
    for turn in starts():
        assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-9)
        assert np.linalg.det(turn) == pytest.approx(1)


def test_a_start_is_near_every_way_a_patient_lies():
    rng = np.random.default_rng(0)
    for degrees in rng.uniform((-40, -40, -60), (40, 40, 60), (200, 3)):
        away = [rotation_angle(start.T @ _turn(tuple(degrees))) for start in starts()]
        assert min(away) < 40


@pytest.mark.parametrize(
    ("degrees", "turn", "lean"),
    [
        ((0, 0, 0), 0, 0),
        ((0, 0, 50), 50, 0),
        ((0, 0, -120), -120, 0),
        ((30, 0, 0), 0, 30),
        ((0, -25, 0), 0, 25),
        ((180, 0, 0), 0, 180),
    ],
)
def test_a_pose_is_split_into_turn_and_lean(degrees, turn, lean):
    found = turn_and_lean(_turn(degrees))
    assert found == pytest.approx((turn, lean), abs=1e-6)


@pytest.mark.parametrize("degrees", [(0, 0, 0), (20, -10, 15), (0, 0, -44), (40, 0, 0)])
def test_where_anatomy_agrees_the_header_is_believed(degrees):
    assert left_and_right_known(_turn(degrees))


@pytest.mark.parametrize("degrees", [(0, 0, 46), (0, 0, -60), (40, 40, 0), (30, -30, 30)])
def test_a_head_that_may_lie_so_has_no_known_sides(degrees):
    assert rotation_angle(_turn(degrees)) > KNOWN_DEGREES
    assert not left_and_right_known(_turn(degrees))


@pytest.mark.parametrize(
    ("degrees", "words"),
    [
        ((0, 0, 180), "vertex above and its face to the back"),
        ((0, 0, 90), "vertex above and its face to a side"),
        ((0, 180, 0), "vertex below and its face to the front"),
        ((-90, 0, 0), "vertex to the front and its face below"),
    ],
)
def test_a_head_as_no_patient_lies_is_refused(degrees, words):
    with pytest.raises(WrongOrientation) as refusal:
        left_and_right_known(_turn(degrees))
    assert refusal.value.code == "HC306"
    assert words in refusal.value.seen
    assert "orientation in the header" in refusal.value.action
    for side in ("left side", "right side", "the left", "the right"):
        assert side not in str(refusal.value)


OTHER_NAMES = [
    (order, signs)
    for order in permutations(range(3))
    for signs in product((1, -1), repeat=3)
    # The header as it is, and the plain mirror image of left and right, which nobody can see.
    if order != (0, 1, 2) or signs[:2] != (1, 1)
]


@pytest.fixture(scope="module")
def lying(head) -> Volume:
    return head(7, rotation_degrees=(14, -6, 12), matrix=128)


@pytest.mark.parametrize(
    ("order", "signs"),
    # Two seconds each: the fast suite tries every fourteenth.
    [
        pytest.param(*names, marks=() if n % 14 == 0 else pytest.mark.slow)
        for n, names in enumerate(OTHER_NAMES)
    ],
)
def test_no_header_with_other_axes_passes(lying, order, signs):
    volume = _named_otherwise(lying, order, signs)
    try:
        found = align(volume, find_brain(volume))
    except ContentError:
        return
    assert not found.sides_known
    assert SIDES_UNKNOWN in found.doubts


@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0)])
def test_thick_slices_under_a_header_with_other_axes_are_refused_for_that(head, order):
    # Not as "no brain inside a skull": what is to be done is to mend the header.
    thick = head(7, slice_mm=8.0, matrix=128)
    volume = _named_otherwise(thick, order, (1, 1, 1))
    with pytest.raises(WrongOrientation):
        align(volume, find_brain(volume))


@pytest.mark.parametrize("signs", [(1, 1, 1), (1, 1, -1)])
def test_a_fitting_header_passes_and_so_does_its_mirror_image(lying, signs):
    volume = _named_otherwise(lying, (0, 1, 2), signs)
    found = align(volume, find_brain(volume))
    assert found.sides_known
    assert found.doubts == ()


@pytest.fixture(scope="module")
def straight(head) -> Alignment:
    volume = head(8, matrix=128)
    return align(volume, find_brain(volume))


@pytest.mark.parametrize(
    "degrees",
    [(25, 20, 55), pytest.param((-35, 10, -58), marks=pytest.mark.slow), (-30, -30, 30)],
)
def test_a_patient_who_lies_so_is_set_upright_without_a_side(head, straight, degrees):
    expected = _turn(degrees) @ straight.matrix[:3, :3]
    volume = head(8, matrix=128, rotation_degrees=degrees, field_mm=250.0)
    found = align(volume, find_brain(volume))
    assert rotation_angle(expected.T @ found.matrix[:3, :3]) < 3
    assert not found.sides_known
    assert SIDES_UNKNOWN in found.doubts
