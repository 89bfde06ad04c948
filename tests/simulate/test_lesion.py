from __future__ import annotations

import numpy as np
import pytest

from hemocast.simulate import Infarct, Protocol
from hemocast.simulate.head import build_head
from hemocast.simulate.scanner import scan_head


@pytest.mark.parametrize(
    ("territory", "side", "volume_ml"),
    [
        ("MCA", "left", 0.8),
        ("lacunar", "right", 1.2),
        ("PCA", "left", 30.0),
        ("cerebellar", "right", 20.0),
        ("ACA", "right", 40.0),
        ("MCA", "right", 120.0),
        ("MCA", "left", 290.0),
    ],
)
def test_infarct_has_the_volume_and_water_that_were_asked(territory, side, volume_ml):
    infarct = Infarct(territory, side, volume_ml)
    uptake = 0.2
    head = build_head(np.random.default_rng(3), age=60, male=True, infarct=infarct)
    protocol = Protocol(matrix=256, rotation_degrees=(6, -4, 8), blur_mm=0.0)
    with_water = scan_head(head, protocol, water_uptake=uptake)
    without = scan_head(head, protocol, water_uptake=0.0)
    voxel_ml = with_water.pixel_mm**2 * protocol.slice_mm / 1000

    assert with_water.infarct.sum() * voxel_ml == pytest.approx(volume_ml, rel=0.05)

    drop = without.hu - with_water.hu
    core = with_water.infarct > (0.98 if volume_ml > 5 else 0.85)
    assert core.sum() > 5
    expected = uptake * without.hu[core]
    tolerance = 0.5 if volume_ml > 5 else 1.0
    assert drop[core].mean() == pytest.approx(expected.mean(), abs=tolerance)
    # Nothing changes elsewhere.
    assert np.abs(drop[with_water.infarct == 0]).max() < 0.1


def test_infarct_stays_on_its_side():
    asked = Infarct("MCA", "left", 250.0)
    head = build_head(np.random.default_rng(8), age=70, male=False, infarct=asked)
    frames = scan_head(head, Protocol())
    x = np.arange(frames.hu.shape[2])
    # Columns run from the patient's right to the left; the head is upright in the middle.
    share = frames.infarct.sum(axis=(0, 1))
    assert share[x < 122].sum() == pytest.approx(0, abs=1e-3)
    assert share[x > 128].sum() > 0.99 * share.sum()
