from __future__ import annotations

import numpy as np
import pytest

from hemocast.simulate import Edema, Infarct, Person, Protocol, Stroke, build_head, scan_head
from hemocast.simulate.anatomy.atlas import SHAPE
from hemocast.simulate.anatomy.tissue import Tissue

ASKED = Infarct("MCA", "left", 60.0, pattern=3)


def _head(stroke: Stroke | None = None, old: Infarct | None = None):
    return build_head(np.random.default_rng(4), Person(66, old_infarct=old), stroke)


def _middle(tissue: np.ndarray) -> np.ndarray:
    """Return both sides of the box in which the first segments of the arteries run."""
    return tissue[84:100, 130:150]


def test_anatomy_is_the_same_whatever_the_stroke():
    plain, ill = _head(), _head(Stroke(ASKED, Edema(0.2, 4.0)), Infarct("PCA", "right", 9))
    assert np.array_equal(plain.shape.bend, ill.shape.bend)
    assert np.array_equal(plain.shape.threshold, ill.shape.threshold)
    changed = ill.tissue != plain.tissue
    assert (ill.tissue[changed] == Tissue.OLD_INFARCT).all()
    assert (np.argwhere(changed)[:, 2] > SHAPE[2] // 2).all()  # the patient's right


def test_every_head_has_both_arteries_and_only_a_hyperdense_one_a_clot():
    middle = SHAPE[2] // 2
    normal = _middle(_head(Stroke(ASKED)).tissue)
    assert (normal == Tissue.ARTERY)[..., :middle].sum() > 150
    assert (normal == Tissue.ARTERY)[..., middle + 1 :].sum() > 150
    assert not (normal == Tissue.CLOT).any()
    dense = _middle(_head(Stroke(ASKED, hyperdense=True)).tissue)
    assert (dense == Tissue.CLOT)[..., :middle].sum() > 150
    assert (dense == Tissue.ARTERY)[..., middle + 1 :].sum() > 150
    assert not (dense == Tissue.CLOT)[..., middle + 1 :].any()


@pytest.mark.parametrize(("slice_mm", "least"), [(1.25, 46.0), (5.0, 30.0)], ids=["thin", "thick"])
def test_a_hyperdense_artery_survives_partial_volume(slice_mm, least):
    """Thick slices lose some (Nakatsuka 2013, 10.4236/ojrad.2013.34031: 36-54 of 46-65 HU)."""
    infarct = Infarct("lacunar", "left", 1.0)
    protocol = Protocol(matrix=256, slice_mm=slice_mm, blur_mm=0.8)
    normal, dense = (
        scan_head(_head(Stroke(infarct, Edema(0.0), clot)), protocol).hu for clot in (False, True)
    )
    tube = dense - normal > 0.5 * (dense - normal).max()
    assert dense[tube].mean() > least
    assert dense[tube].mean() > 1.15 * normal[tube].mean()


def test_an_old_infarct_is_a_cavity_of_its_own_volume():
    plain = _head()
    old = _head(old=Infarct("MCA superior", "right", 20.0, 5))
    protocol = Protocol(matrix=128, blur_mm=0.0)
    before, after = scan_head(plain, protocol).hu, scan_head(old, protocol).hu
    fluid = (after < 14) & (after > 8) & (before > 20)
    assert fluid.sum() * (230 / 128) ** 2 * 5 / 1000 == pytest.approx(20.0, rel=0.35)
    assert np.abs(after - before)[(before > 900) | (before < -50)].max() < 1e-3
