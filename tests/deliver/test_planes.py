"""Values land where they are in the patient, on tilted slices too."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
from pydicom import Dataset

from hemocast.deliver.planes import mask_on_planes, on_planes, outline, planes_of, spaced


def tilted(headers: tuple[Dataset, ...], degrees: float) -> tuple[Dataset, ...]:
    """The same slices, their lower edge tipped."""
    turned = []
    angle = np.deg2rad(degrees)
    for header in headers:
        one = deepcopy(header)
        one.ImageOrientationPatient = [1, 0, 0, 0, float(np.cos(angle)), float(np.sin(angle))]
        turned.append(one)
    return tuple(turned)


@pytest.mark.parametrize("degrees", [0, 18.5])
def test_a_place_keeps_its_millimetres(headers: tuple[Dataset, ...], degrees: float) -> None:
    planes = planes_of(tilted(headers, degrees))
    fine = np.diag([-1.0, -1.0, 2.0, 1.0])
    fine[:3, 3] = (100, 90, -30)
    ball_mm = np.array([12.0, -8.0, 25.0])
    z, y, x = np.meshgrid(*(np.arange(n) for n in (70, 180, 200)), indexing="ij")
    mm = np.stack([100 - x, 90 - y, 2 * z - 30], axis=-1)
    ball = np.linalg.norm(mm - ball_mm, axis=-1) < 22
    carried = mask_on_planes(ball, fine, planes)
    rows, columns = (np.arange(n) for n in planes[0].shape)
    for plane, found in zip(planes, carried, strict=True):
        pixels = np.stack(np.meshgrid(columns, rows), axis=-1)
        homogeneous = np.dstack([pixels, np.zeros(pixels.shape[:2]), np.ones(pixels.shape[:2])])
        away = np.linalg.norm((homogeneous @ plane.to_mm.T)[..., :3] - ball_mm, axis=-1)
        assert found[away < 20.5].all()
        assert not found[away > 23.5].any()


def test_the_scans_own_grid_gives_the_same_voxels(
    headers: tuple[Dataset, ...], infarct: np.ndarray, affine: np.ndarray
) -> None:
    planes = planes_of(headers)
    assert (mask_on_planes(infarct, affine, planes) == infarct).all()
    assert not on_planes(np.zeros((3, 4, 5), np.float32), affine, planes).any()


def test_slices_without_a_place_have_no_planes(headers: tuple[Dataset, ...]) -> None:
    for keyword, value in (
        ("FrameOfReferenceUID", ""), ("ImagePositionPatient", None), ("NumberOfFrames", 4),
        ("PixelSpacing", [1, 1]),
    ):  # fmt: skip
        odd = deepcopy(headers[3])
        setattr(odd, keyword, value)
        assert planes_of((*headers[:3], odd)) == ()


def test_planes_are_chosen_so_far_apart(headers: tuple[Dataset, ...]) -> None:
    planes = planes_of(headers)
    assert spaced(planes, 10) == list(range(14))
    assert spaced(planes, 25) == [0, 3, 6, 9, 12]


def test_an_outline_goes_round_the_pixels_and_closes() -> None:
    mask = np.zeros((20, 30), np.bool_)
    mask[4:9, 10:14] = True
    points = outline(mask)
    assert (points[0] == points[-1]).all()
    # Pixel 10 begins at 10, by the count of PS3.3.
    assert points[:, 0].min() == 10
    assert points[:, 0].max() == 14
    assert points[:, 1].min() == 4
    assert points[:, 1].max() == 9
    whole = outline(np.ones((300, 300), np.bool_), 50)
    assert len(whole) <= 50
    assert (whole.min(), whole.max()) == (0, 300)
