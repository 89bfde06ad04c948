"""The share of fluid is that of the brain mask."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.anatomy import Brain
from hemocast.signs import measure_fluid
from hemocast.volume import Volume


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_known_share(ge_volume: Volume, share: float) -> None:
    hu = np.full((8, 40, 40), 32.0, np.float32)
    hu[:, : int(40 * share)] = 6
    volume = Volume(hu, np.diag([1.0, 1.0, 5.0, 1.0]), ((),) * 8, ge_volume.source)
    assert measure_fluid(volume, Brain(np.ones(hu.shape, bool), 1.0)).share == pytest.approx(share)


def test_what_lies_outside_the_brain_does_not_count(ge_volume: Volume, ge_brain: Brain) -> None:
    inside = measure_fluid(ge_volume, ge_brain).share
    changed = replace(ge_volume, hu=np.where(ge_brain.mask, ge_volume.hu, 5).astype(np.float32))
    assert 0.03 < inside < 0.2
    assert measure_fluid(changed, ge_brain).share == pytest.approx(inside, abs=0.02)


def test_wider_ventricles_mean_more(ge_volume: Volume, ge_brain: Brain) -> None:
    z, y, x = (int(v) for v in np.argwhere(ge_brain.mask).mean(axis=0))
    hu = ge_volume.hu.copy()
    hu[z - 1 : z + 2, y - 40 : y + 40, x - 40 : x + 40] = 6
    more = measure_fluid(replace(ge_volume, hu=hu), ge_brain).share
    assert more > measure_fluid(ge_volume, ge_brain).share + 0.005
