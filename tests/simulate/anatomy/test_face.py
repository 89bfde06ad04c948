from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from hemocast.simulate.anatomy.atlas import ORIGIN, axes, load_atlas
from hemocast.simulate.anatomy.face import face_tissues
from hemocast.simulate.anatomy.tissue import Tissue


def _middle(mask: np.ndarray) -> np.ndarray:
    """Return the centre of a mask as MNI x, y, z."""
    return np.array(ndimage.center_of_mass(mask))[::-1] + ORIGIN


@pytest.fixture(scope="module")
def right() -> np.ndarray:
    """The atlas' tissues with the left side blanked."""
    tissue = load_atlas().tissue.copy()
    tissue[..., :98] = Tissue.AIR
    return tissue


def test_the_face_is_the_same_on_both_sides():
    tissue = load_atlas().tissue[..., :197]
    assert tissue.shape[2] == 2 * 98 + 1  # the midline is a voxel
    for kind in (Tissue.BONE, Tissue.GLOBE, Tissue.CAVITY, Tissue.MASTOID):
        mask = tissue == kind
        assert np.array_equal(mask, mask[..., ::-1])


def test_the_eyes_look_forward_with_the_lens_in_front(right):
    globe, lens = _middle(right == Tissue.GLOBE), _middle(right == Tissue.LENS)
    assert globe == pytest.approx([32, 66, -36], abs=1.5)
    assert 6 < lens[1] - globe[1] < 12
    ml = (right == Tissue.GLOBE).sum() / 1000
    assert 5 < ml < 8  # an eye holds about 7 mL


def test_air_cells_and_canals_lie_where_anatomy_has_them(right):
    assert (_middle(right == Tissue.MASTOID) * [1, 1, 1])[0] > 45
    assert _middle(right == Tissue.MASTOID)[1] < -20
    assert _middle(right == Tissue.FRONTAL_SINUS)[1] > 60
    cord = load_atlas().tissue == Tissue.CORD
    assert abs(_middle(cord)[0]) < 1
    assert np.argwhere(cord)[:, 0].max() + ORIGIN[2] < -60


def test_the_falx_is_a_sheet_on_the_midline():
    at = np.argwhere(load_atlas().tissue == Tissue.FALX)
    assert len(at) > 1000
    assert np.abs(at[:, 2] + ORIGIN[0]).max() <= 1
    assert at[:, 0].min() + ORIGIN[2] > -13


def test_the_tentorium_is_a_tent_with_sinuses_at_its_rim():
    at = np.argwhere(load_atlas().tissue == Tissue.TENTORIUM)[:, ::-1] + ORIGIN
    assert len(at) > 1000
    near, far = at[np.abs(at[:, 0]) < 10, 2], at[np.abs(at[:, 0]) > 40, 2]
    assert near.mean() > far.mean() + 8
    sinus = np.argwhere(load_atlas().tissue == Tissue.SINUS_BLOOD)[:, ::-1] + ORIGIN
    assert (np.abs(sinus[:, 0]) > 35).sum() > 200  # transverse
    assert sinus[:, 2].max() > 60  # sagittal


def test_soft_tissue_lies_under_the_skin_and_air_outside():
    points = axes(2)
    z, y, x = points
    distance = (np.sqrt((x / 70) ** 2 + ((y + 18) / 90) ** 2 + (z / 70) ** 2) - 1) * 75
    code, depth = face_tissues(points, distance.astype(np.float32))
    assert code.shape == depth.shape == distance.shape
    assert (depth[distance < 0][::1000] > 0).all()
    assert (depth[0, 0] < 0).all()
    assert set(np.unique(code)) == {Tissue.SCALP, Tissue.MUSCLE, Tissue.FAT}
