from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from hemocast.simulate import Infarct, Protocol, render_head

QUIET = Protocol(noise_hu=0.0)


def _voxel_ml(volume) -> float:
    return float(np.prod(volume.spacing)) / 1000


def test_bleed_is_bright_and_inside_the_infarct():
    infarct = Infarct("MCA", "right", 80.0)
    dry = render_head(6, infarct=infarct, protocol=QUIET, noise=False)
    bled = render_head(6, infarct=infarct, blood_ml=15.0, protocol=QUIET, noise=False)
    change = bled.hu - dry.hu
    bright = (change > 15) & (bled.hu > 50) & (bled.hu < 80)
    assert bright.sum() * _voxel_ml(bled) == pytest.approx(15.0, rel=0.25)
    assert np.median(bled.hu[ndimage.binary_erosion(bright, iterations=1)]) > 58
