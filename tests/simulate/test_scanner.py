from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hemocast.simulate import Protocol, render_head
from hemocast.simulate.atlas import LEVEL_ONE, load_atlas
from hemocast.simulate.head import build_head
from hemocast.simulate.lesion import Stain
from hemocast.simulate.matter import CSF_HU, GREY_HU, WHITE_HU
from hemocast.simulate.scanner import scan_head

QUIET = Protocol(noise_hu=0.0)


def _voxel_ml(volume) -> float:
    return float(np.prod(volume.spacing)) / 1000


@pytest.mark.parametrize(
    ("white", "expected"), [((0, 3), GREY_HU), ((252, 255), WHITE_HU)], ids=["grey", "white"]
)
def test_tissues_have_their_ct_numbers(white, expected):
    """Stain one tissue of the atlas without water: the stain's share shows where it came to lie."""
    atlas = load_atlas()
    pure = (atlas.level > 0.97 * LEVEL_ONE) & (atlas.white >= white[0]) & (atlas.white <= white[1])
    stain = Stain((0, 0, 0), (255 * ndimage.binary_erosion(pure)).astype(np.uint8))
    head = build_head(np.random.default_rng(1), age=40, male=True)
    frames = scan_head(replace(head, infarct=stain), Protocol(blur_mm=0.0))
    only = frames.infarct > 0.99
    assert only.sum() > 100
    assert frames.hu[only].mean() == pytest.approx(expected, abs=0.7)


def test_fluid_bone_and_air_have_their_ct_numbers():
    volume = render_head(1, age=60, protocol=QUIET, noise=False)
    assert (np.abs(volume.hu - CSF_HU) < 2).sum() * _voxel_ml(volume) > 10
    assert 900 < volume.hu.max() < 1400
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
