from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hemocast.simulate import Edema, Head, Infarct, Person, Protocol, Stroke, build_head, scan_head
from hemocast.simulate.anatomy.atlas import ORIGIN, SHAPE
from hemocast.simulate.anatomy.shape import FIELD
from hemocast.simulate.disease.lesion import TissueShare
from hemocast.simulate.disease.swelling import midline_shift_mm, swell
from hemocast.simulate.scanner.scan import Frames

PROTOCOL = Protocol(matrix=128, blur_mm=0.0)


@pytest.fixture(scope="module")
def large() -> Head:
    """Return a head with a large infarct on the left."""
    asked = Infarct("MCA", "left", 200.0, 5)
    stroke = Stroke(asked, Edema(0.0, 8.0))
    return build_head(np.random.default_rng(3), Person(68, van_swieten=(0, 0)), stroke)


@pytest.fixture(scope="module")
def scans(large) -> tuple[Frames, Frames]:
    """Return it before its infarct and with it swollen."""
    return scan_head(replace(large, infarct=None), PROTOCOL), scan_head(large, PROTOCOL)


def _septum(head: Head) -> TissueShare:
    """Return a mark on the midline between the frontal horns."""
    share = np.zeros(SHAPE, dtype=np.uint8)
    z, y, x = ((np.array([9, 2, -2]) - ORIGIN[::-1]).astype(int)).tolist()
    share[z : z + 8, y : y + 8, x : x + 5] = 255
    return TissueShare((0, 0, 0), share)


def _x_of_mark(head: Head, shift_mm: float) -> float:
    head = replace(head, edema=Edema(0.0, shift_mm))
    mark = replace(head, blood=_septum(head))
    change = (scan_head(mark, PROTOCOL).hu - scan_head(head, PROTOCOL).hu).sum(axis=(0, 1))
    return float((change * np.arange(len(change))).sum() / change.sum()) * 230 / 128


@pytest.mark.parametrize("shift", [4.0, 8.0])
def test_the_septum_moves_as_asked_away_from_the_infarct(large, shift):
    # Columns run from the patient's right to the left.
    assert _x_of_mark(large, 0.0) - _x_of_mark(large, shift) == pytest.approx(shift, abs=1.5)


def test_the_skull_stays_where_it_is(scans):
    before, after = scans
    change = np.abs(after.hu - before.hu)[(before.hu > 300) | (after.hu > 300)]
    assert (change > 50).mean() < 0.005
    outside = (before.hu < -200) & (after.hu < -200)
    assert np.abs(after.hu - before.hu)[outside].max() < 60


def test_the_ventricle_of_its_side_is_smaller_and_the_sulci_are_effaced(scans):
    before, after = scans
    n = len(before.hu)
    levels = slice(n // 2 - 1, n // 2 + 5)

    def fluid(frames: Frames) -> np.ndarray:
        part = frames.hu[levels, 35:95]
        return (part > 0) & (part < 18)

    inner = slice(64, 86)
    assert fluid(after)[..., inner].sum() < 0.75 * fluid(before)[..., inner].sum()
    over = ndimage.binary_dilation(after.infarct[levels, 35:95] > 0.3, np.ones((1, 5, 5)))
    over[..., :90] = False  # the sulci of the convexity, not the ventricle
    # The fluid between brain and skull stays.
    assert fluid(after)[over].sum() < 0.8 * fluid(before)[over].sum()


def test_tissue_never_folds():
    for territory, volume in (("MCA", 20.0), ("ACA", 60.0), ("cerebellar", 40.0), ("PCA", 70.0)):
        asked = Infarct(territory, "right", volume, 2)
        person = Person(60, male=False, van_swieten=(0, 0))
        head = build_head(np.random.default_rng(1), person, Stroke(asked, Edema(0.0)))
        bend = swell(head.shape, head.infarct, 12.0).bend
        slopes = np.array([np.gradient(bend[i], FIELD)[2 - j] for i in range(3) for j in range(3)])
        jacobian = slopes.reshape(3, 3, -1).transpose(2, 0, 1) + np.eye(3)
        assert np.linalg.det(jacobian).min() > 0.15


def test_no_infarct_tissue_moves_nothing(large):
    empty = TissueShare((80, 80, 40), np.zeros((8, 8, 8), dtype=np.uint8))
    assert swell(large.shape, empty, 9.0) is large.shape


def test_shift_grows_with_volume_and_water_and_is_bounded():
    volume, uptake = np.linspace(0, 400, 41), np.linspace(0, 0.9, 31)
    shift = midline_shift_mm(volume[:, None], uptake[None])
    assert (np.diff(shift, axis=0) >= 0).all()
    assert (np.diff(shift, axis=1) >= 0).all()
    assert shift.min() == 0
    assert shift.max() <= 12
    assert midline_shift_mm(40, 0.1) == 0
    assert midline_shift_mm(150, 0.15) == pytest.approx(3.6, abs=0.1)
    assert midline_shift_mm(150, 0.3) == pytest.approx(8.8, abs=0.1)
