from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from time import process_time

import numpy as np
import pytest
from scipy import ndimage

from hemocast.config import PrepareConfig
from hemocast.dicom import CTHeader, make_uid, read, write_ct
from hemocast.prepare import prepare
from hemocast.simulate import (
    Edema,
    Head,
    Infarct,
    Person,
    Protocol,
    Stroke,
    build_head,
    render_head,
    scan_head,
)
from hemocast.simulate.anatomy.atlas import LEVEL_ONE, load_atlas
from hemocast.simulate.anatomy.tissue import CSF_HU, GREY_HU, WHITE_HU
from hemocast.simulate.disease.lesion import TissueShare

QUIET = Protocol(noise_hu=0.0)


def _voxel_ml(volume) -> float:
    return float(np.prod(volume.spacing)) / 1000


@pytest.mark.parametrize(
    ("white", "expected"), [((0, 3), GREY_HU), ((252, 255), WHITE_HU)], ids=["grey", "white"]
)
def test_tissues_have_their_ct_numbers(white, expected, monkeypatch):
    """Mark one tissue of the atlas as an infarct without water: its share shows where it lies."""
    monkeypatch.setattr("hemocast.simulate.scanner.detector.HARDENING_HU", 0.0)  # darkens the base
    atlas = load_atlas()
    pure = (atlas.level > 0.97 * LEVEL_ONE) & (atlas.white >= white[0]) & (atlas.white <= white[1])
    marked = TissueShare((0, 0, 0), (255 * ndimage.binary_erosion(pure)).astype(np.uint8))
    head = build_head(np.random.default_rng(1), Person(40, van_swieten=(0, 0)))
    frames = scan_head(replace(head, infarct=marked), Protocol(blur_mm=0.0))
    only = frames.infarct > 0.99
    assert only.sum() > 100
    assert frames.hu[only].mean() == pytest.approx(expected, abs=0.7)


def test_fluid_bone_and_air_have_their_ct_numbers():
    volume = render_head(1, Person(60), protocol=QUIET, noise=False)
    assert (np.abs(volume.hu - CSF_HU) < 2).sum() * _voxel_ml(volume) > 10
    assert 1300 < volume.hu.max() < 1700
    assert np.median(volume.hu[:, :5]) == pytest.approx(-1000, abs=1)


def test_pose_moves_the_head_as_asked():
    def centre(protocol: Protocol) -> np.ndarray:
        volume = render_head(1, protocol=protocol, noise=False)
        brain = (volume.hu > 20) & (volume.hu < 50)
        brain[:8] = False
        at = np.array(ndimage.center_of_mass(brain))[::-1]
        return (volume.affine @ [*at, 1])[:3]

    moved = centre(Protocol(shift_mm=(10.0, -6.0, 0.0))) - centre(Protocol())
    assert moved[:2] == pytest.approx([-10.0, 6.0], abs=0.5)  # LPS shift, RAS answer


@lru_cache(maxsize=1)
def _head() -> Head:
    stroke = Stroke(Infarct("MCA", "left", 60.0), Edema(0.0))
    return build_head(np.random.default_rng(2), Person(62, van_swieten=(0, 0)), stroke)


def _read_back(frames, folder):
    header = CTHeader(
        "S", "SIMULATED^S", make_uid("s"), make_uid("s", 1), series_description="HEAD",
        slice_thickness=frames.thickness_mm,
    )  # fmt: skip
    spacing = (frames.pixel_mm, frames.pixel_mm)
    write_ct(frames.hu, frames.positions, frames.orientation, spacing, header, folder)
    return read(folder)


def test_mixed_series_are_thin_through_the_posterior_fossa():
    frames = scan_head(_head(), Protocol(matrix=64, mixed=True))
    thin = frames.thickness_mm == 2.5
    assert set(frames.thickness_mm) == {2.5, 5.0}
    assert 15 < thin.sum() < 30
    assert (np.flatnonzero(thin) == np.arange(thin.sum())).all()
    height = np.linalg.norm(np.diff(frames.positions, axis=0), axis=1)
    np.testing.assert_allclose(height, (frames.thickness_mm[1:] + frames.thickness_mm[:-1]) / 2)


@pytest.mark.parametrize(
    "protocol",
    [
        Protocol(matrix=128, mixed=True),
        Protocol(matrix=128, mixed=True, tilt_degrees=15.0),
        Protocol(matrix=128, slice_mm=1.25),
        Protocol(matrix=128, mixed=True, tilt_degrees=-12.0, rotation_degrees=(4.0, 2.0, -3.0)),
    ],
    ids=["mixed", "mixed and tilted", "thin", "mixed, tilted, rotated"],
)
def test_every_series_is_read_back_to_the_right_geometry(protocol, tmp_path):
    """The middle of the eyes' lenses, the ventricles ... lie where an even scan has them."""
    frames = scan_head(_head(), protocol)
    volume = _read_back(frames, tmp_path)
    assert volume.spacing[0] == pytest.approx(frames.thickness_mm.min(), rel=0.01)
    same = replace(protocol, mixed=False, slice_mm=2.5)
    even = _read_back(scan_head(_head(), same), tmp_path / "even")

    def places(v) -> np.ndarray:
        bone = np.argwhere(v.hu > 400)[:, ::-1]
        fluid = np.argwhere(v.hu < -500)[:, ::-1]
        return np.array(
            [(part @ v.affine[:3, :3].T + v.affine[:3, 3]).mean(axis=0) for part in (bone, fluid)]
        )

    np.testing.assert_allclose(places(volume)[0], places(even)[0], atol=1.5)
    assert sorted(set(volume.source.facts["slice_thickness_mm"])) == sorted(
        set(frames.thickness_mm)
    )


def test_motion_blurs_and_stays_a_head():
    still, moved = (scan_head(_head(), Protocol(matrix=128, motion_mm=mm)).hu for mm in (0.0, 4.0))
    again = scan_head(_head(), Protocol(matrix=128, motion_mm=4.0), np.random.default_rng(1)).hu
    assert np.abs(still - moved).mean() > 1
    brain = [((hu > 20) & (hu < 50)).sum() for hu in (still, moved)]
    assert brain[1] == pytest.approx(brain[0], rel=0.08)
    # The movement is the protocol's, not the noise's.
    assert np.abs((again - moved)[12:26, 50:80, 50:80].mean()) < 0.2


def test_a_moved_scan_is_prepared_like_any(tmp_path):
    volume = _read_back(
        scan_head(_head(), Protocol(matrix=256, motion_mm=4.0, mixed=True)), tmp_path
    )
    stack = prepare(volume, PrepareConfig())
    assert 1000 < stack.record.brain_ml < 2200


def test_the_infarct_swells_the_side_by_what_the_scan_asks():
    head = build_head(np.random.default_rng(8), Person(60), Stroke(Infarct("MCA", "left", 180.0)))
    swollen = (replace(head, edema=Edema(0.0, mm)) for mm in (0.0, 8.0))
    flat, pushed = (scan_head(one, Protocol(matrix=256)).hu for one in swollen)
    assert np.abs(flat - pushed).max() > 10


def test_a_scan_costs_two_seconds_at_most():
    head = _head()
    scan_head(head, Protocol(matrix=128), np.random.default_rng(1))
    seconds = []
    for _ in range(2):
        start = process_time()
        scan_head(head, Protocol(matrix=512, margin_mm=(0.0, 0.0)), np.random.default_rng(1))
        seconds.append(process_time() - start)
    assert min(seconds) < 2.0
