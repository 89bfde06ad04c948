from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from hemocast.simulate import Bleed, Head, Infarct, Person, Protocol, Stroke, build_head, scan_head
from hemocast.simulate.disease.bleed import mass_effect_mm

INFARCT = Infarct("MCA", "right", 90.0, 6)
PROTOCOL = Protocol(blur_mm=0.6)
GRADES = (("HI1", 2.5), ("HI2", 8.0), ("PH1", 15.0), ("PH2", 35.0))


def _head(bleed: Bleed | None) -> Head:
    person = Person(70, van_swieten=(0, 0))
    return build_head(np.random.default_rng(6), person, Stroke(INFARCT, bleed=bleed))


def _scan(bleed: Bleed | None) -> tuple[np.ndarray, np.ndarray]:
    frames = scan_head(_head(bleed), PROTOCOL)
    return frames.hu, frames.infarct


@pytest.fixture(scope="module")
def change():
    """Return what each bleed but the last adds to the same scan, and the scan with it."""
    dry, infarct = _scan(None)
    return {g: (_scan(Bleed(g, v))[0] - dry, dry, infarct) for g, v in GRADES[:3]}


@pytest.mark.parametrize(("grade", "volume"), GRADES[:3])
def test_a_bleed_holds_the_blood_asked_inside_the_infarct(change, grade, volume):
    added, dry, infarct = change[grade]
    # Blood of 66 HU took the place of what was there.
    share = np.where(infarct > 0.05, added / np.maximum(66 - dry, 10), 0)
    assert share.sum() * (230 / 256) ** 2 * 5 / 1000 == pytest.approx(volume, rel=0.1)
    near = ndimage.binary_dilation(infarct > 0.05, iterations=3)
    assert np.abs(added[~near & (dry < 900)]).max() < 1.0


def test_petechiae_are_many_and_small_and_a_clot_is_one(change):
    pixel = (230 / 256) ** 2 * 5 / 1000
    counts, largest = {}, {}
    for grade, _ in GRADES[:3]:
        added, dry, _ = change[grade]
        spots, counts[grade] = ndimage.label(added > 10)
        largest[grade] = np.bincount(spots.ravel())[1:].max() * pixel
        peak = (added + dry)[added > 15]
        assert 45 <= np.percentile(peak, 90) <= 68
    assert counts["HI1"] > 12
    assert counts["PH1"] <= 4
    assert largest["HI1"] < 1.0 < largest["HI2"] < largest["PH1"]
    assert largest["PH1"] > 10


def test_only_ph2_pushes_the_midline():
    assert mass_effect_mm(Bleed("PH1", 30.0)) == 0
    assert mass_effect_mm(Bleed("PH2", 40.0)) == pytest.approx(3.2)
    moved = _head(Bleed("PH2", 35.0)).shape.bend - _head(Bleed("PH1", 35.0)).shape.bend
    # The infarct lies on the right: what is found at a point came from further right.
    assert moved[0].max() > 2.0
