from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation
from threadpoolctl import threadpool_limits

from hemocast.anatomy import Alignment, Brain, align, find_brain
from hemocast.errors import NotAligned
from hemocast.volume import Volume


def _difference(found: Alignment, expected: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the angle (degrees) and the shift (mm) between a pose and the expected one."""
    change = np.linalg.inv(expected) @ found.matrix
    angle = np.rad2deg(Rotation.from_matrix(change[:3, :3]).magnitude())
    return float(angle), np.abs(change[:3, 3])


def _rigid(degrees: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    move = np.eye(4)
    move[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    move[:3, 3] = shift
    return move


def _draw_upright(volume: Volume, found: Alignment, path: Path) -> None:
    """Draw the upright head in three planes through the origin, the midline marked."""
    from matplotlib.figure import Figure

    x, y, z = np.meshgrid(
        np.arange(90, -91, -1.0), np.arange(110, -111, -1.0), np.arange(90, -91, -1.0)
    )
    points = np.stack([x, y, z, np.ones_like(x)], axis=-1)
    index = points @ (np.linalg.inv(volume.affine) @ found.matrix).T
    places = [index[..., axis] for axis in (2, 1, 0)]
    upright = ndimage.map_coordinates(volume.hu, places, order=1, cval=-1000)
    figure = Figure(figsize=(13, 5))
    # (y, x, z): across, from the front, from the side.
    planes = (upright[:, :, 90], upright[110].T, upright[:, 90].T)
    for place, plane in enumerate(planes):
        axes = figure.add_subplot(1, 3, place + 1)
        axes.imshow(plane, cmap="gray", vmin=0, vmax=80)
        if place < 2:
            axes.axvline(90, color="red", linewidth=0.5)
        axes.axis("off")
    figure.savefig(path, dpi=80)


MOVES = [
    pytest.param(((20, 0, 0), (0, 0, 0)), marks=pytest.mark.slow),
    ((-20, 0, 0), (10, -10, 15)),
    pytest.param(((0, 15, -10), (-15, 20, 0)), marks=pytest.mark.slow),
    ((12, -10, 14), (5, 5, 5)),
]


@pytest.mark.parametrize("move", MOVES)
def test_a_known_move_of_the_real_head_is_found_again(ge_volume, ge_pose, moved, move):
    expected = _rigid(*move) @ ge_pose.matrix
    again = moved(ge_volume, _rigid(*move))
    angle, shift = _difference(align(again, find_brain(again)), expected)
    assert angle < 2
    assert shift.max() < 2


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4))]
)
def test_simulated_heads_are_set_upright(head, seed):
    rng = np.random.default_rng(seed)
    degrees = tuple(rng.uniform(-15, 15, 3))
    volume = head(seed, rotation_degrees=degrees, shift_mm=tuple(rng.uniform(-10, 10, 3)))
    found = align(volume, find_brain(volume))
    truth = np.eye(4)
    truth[:3, :3] = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    # The heads are bent at random: what "upright" is, is itself uncertain by 2 to 3 degrees.
    assert _difference(found, truth)[0] < 5
    assert found.overlap > 0.94
    assert found.doubts == ()


def test_the_real_head_looks_upright(ge_volume, ge_pose, artefacts):
    found = ge_pose
    _draw_upright(ge_volume, found, artefacts / "anatomy_ge_upright.png")
    turn = found.matrix[:3, :3]
    assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(turn) == pytest.approx(1)
    assert found.matrix[3].tolist() == [0, 0, 0, 1]
    rebuilt = Rotation.from_euler("xyz", found.rotation_degrees, degrees=True).as_matrix()
    assert rebuilt == pytest.approx(turn, abs=1e-6)
    # Measured on the sagittal and axial pictures: pitch about 12, yaw about -11 degrees.
    assert found.rotation_degrees == pytest.approx((12.5, 0, -11), abs=2)
    x, y, z = found.shift_mm
    assert (-x, -y, z) == pytest.approx(tuple(found.matrix[:3, 3]))


def test_a_lesion_of_one_side_does_not_turn_the_head(head):
    from hemocast.simulate import Edema, Infarct, Stroke

    healthy = head(9)
    ill = head(9, stroke=Stroke(Infarct("MCA", "right", 180.0), Edema(0.4)))
    expected = align(healthy, find_brain(healthy)).matrix
    angle, shift = _difference(align(ill, find_brain(ill)), expected)
    assert angle < 1
    assert shift.max() < 1


@pytest.mark.parametrize(
    ("base", "top", "degrees"),
    [
        pytest.param(30, 0, 5, marks=pytest.mark.slow),
        (60, 0, 9),
        pytest.param(0, 20, 2, marks=pytest.mark.slow),
        (0, 45, 4),
    ],
)
def test_cut_coverage_does_not_ruin_it(ge_volume, ge_pose, cut, base, top, degrees):
    part = cut(ge_volume, base, top)
    found = align(part, find_brain(part))
    angle, shift = _difference(found, ge_pose.matrix)
    assert angle < degrees
    assert shift.max() < 6
    assert bool(found.doubts) == (base > 20)


@pytest.fixture(scope="module")
def third(head) -> tuple[Volume, Alignment]:
    """Return a simulated head and its pose, as one thread finds it."""
    volume = head(3)
    with threadpool_limits(1):
        return volume, align(volume, find_brain(volume))


def test_the_vertex_is_known_where_the_scan_stops_below_it(third, cut):
    volume, whole = third
    part = cut(volume, 0, 35)
    assert align(part, find_brain(part)).vertex_mm == pytest.approx(whole.vertex_mm, abs=3)


def test_noise_hardly_matters(third):
    volume, whole = third
    noise = np.random.default_rng(0).normal(0, 20, volume.hu.shape).astype(np.float32)
    noisy = replace(volume, hu=volume.hu + noise)
    angle, shift = _difference(align(noisy, find_brain(noisy)), whole.matrix)
    assert angle < 0.5
    assert shift.max() < 0.5


def test_what_has_no_shape_of_a_brain_is_refused(array_volume):
    hu = np.full((60, 100, 100), 35.0)
    mask = np.zeros(hu.shape, np.bool_)
    mask[5:55, 40:60, 45:55] = True
    mask[5:10, 10:90, 10:90] = True
    mask[50:55, 10:90, 10:90] = True
    with pytest.raises(NotAligned) as refusal:
        align(array_volume(hu, (2.0, 2.0, 2.0)), Brain(mask, 1000.0))
    assert "overlap" in str(refusal.value)


def test_the_result_does_not_depend_on_the_number_of_threads(third):
    volume, of_one = third
    with threadpool_limits(2):
        of_two = align(volume, find_brain(volume))
    assert of_two.matrix.tobytes() == of_one.matrix.tobytes()


def test_a_head_so_even_that_it_fits_two_ways_is_left_as_its_header_says(array_volume):
    spacing = (4.0, 3.0, 3.0)
    grid = [(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip((50, 72, 72), spacing, strict=True)]
    z, y, x = np.meshgrid(*grid, indexing="ij")
    inside = (z / 70) ** 2 + (y / 82) ** 2 + (x / 68) ** 2 < 1
    hu = np.where(inside, 32.0, -1000.0)
    hu[(z / 14) ** 2 + (y / 25) ** 2 + (x / 14) ** 2 < 1] = 6
    found = align(array_volume(hu, spacing), Brain(inside, 1400.0))
    assert found.sides_known
    assert np.abs(found.rotation_degrees).max() < 10
