from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hemocast.simulate import Edema, Infarct, Person, Protocol, Stroke, build_head, scan_head
from hemocast.simulate.anatomy.atlas import SHAPE
from hemocast.simulate.disease.lesion import TERRITORIES, draw_growth

slow = pytest.mark.slow


def _scans(asked: Infarct, shift_mm: float):
    """Return scans of one head without water in its infarct, with 20 %, and with nothing else."""
    stroke = Stroke(asked, Edema(0.0, shift_mm))
    head = build_head(np.random.default_rng(3), Person(60, van_swieten=(0, 0)), stroke)
    protocol = Protocol(matrix=192, rotation_degrees=(6, -4, 8), blur_mm=0.0)
    wet = [replace(head, edema=Edema(uptake, shift_mm)) for uptake in (0.0, 0.2, 1.0)]
    return [scan_head(one, protocol) for one in wet]


@pytest.mark.parametrize(
    ("territory", "side", "volume_ml", "shift_mm"),
    [
        pytest.param("MCA", "left", 1.0, 0.0, marks=slow),
        ("lacunar", "right", 1.2, 0.0),
        ("PCA", "left", 30.0, 0.0),
        ("cerebellar", "right", 20.0, 0.0),
        pytest.param("pons", "left", 2.0, 0.0, marks=slow),
        pytest.param("ACA", "right", 40.0, 0.0, marks=slow),
        pytest.param("MCA deep", "right", 25.0, 0.0, marks=slow),
        ("MCA superior", "left", 60.0, 2.0),
        pytest.param("MCA inferior", "right", 60.0, 0.0, marks=slow),
        ("MCA", "right", 120.0, 7.0),
        pytest.param("MCA", "left", 250.0, 11.0, marks=slow),
    ],
)
def test_infarct_has_the_volume_and_water_that_were_asked(territory, side, volume_ml, shift_mm):
    dry, wet, empty = _scans(Infarct(territory, side, volume_ml), shift_mm)
    voxel_ml = dry.pixel_mm**2 * 5.0 / 1000
    assert dry.infarct.sum() * voxel_ml == pytest.approx(volume_ml, rel=0.05)

    # Tissue that is all water of 0 HU is missing whole: its mean without and with 20 % water.
    mean = (dry.hu - empty.hu).sum() / dry.infarct.sum()
    after = (wet.hu - empty.hu).sum() / dry.infarct.sum()
    assert 27 < mean < 38
    assert after == pytest.approx(0.8 * mean, abs=0.5)
    # Nothing changes elsewhere.
    assert np.abs(dry.hu - wet.hu)[dry.infarct == 0].max() < 0.1


@pytest.mark.parametrize("territory", TERRITORIES)
def test_growth_is_the_same_on_both_grids_and_mirrored_on_the_other_side(territory):
    fine, coarse = (draw_growth(territory, 11, "right", step) for step in (2, 4))
    assert fine.start == coarse.start
    assert np.allclose(fine.order[::2, ::2, ::2], coarse.order, atol=1e-3)
    left = draw_growth(territory, 11, "left", 4)
    assert np.array_equal(left.order[..., ::-1], coarse.order)
    middle = (SHAPE[2] - 1) / 2
    assert left.start[2] + 4 * (left.order.shape[2] - 1) - middle == middle - coarse.start[2]
    assert not np.array_equal(draw_growth(territory, 12, "right", 4).order, coarse.order)


@pytest.mark.parametrize(("territory", "pattern", "step"), [("BA", 0, 2), ("MCA", 64, 2)])
def test_unknown_growth_is_refused(territory, pattern, step):
    with pytest.raises(ValueError, match="growth map"):
        draw_growth(territory, pattern, "left", step)


def test_infarct_stays_on_its_side():
    asked = Infarct("MCA", "left", 250.0)
    person = Person(70, male=False, van_swieten=(0, 0))
    head = build_head(np.random.default_rng(8), person, Stroke(asked, Edema(0.0)))
    frames = scan_head(head, Protocol())
    x = np.arange(frames.hu.shape[2])
    # Columns run from the patient's right to the left; the head is upright in the middle.
    share = frames.infarct.sum(axis=(0, 1))
    assert share[x < 122].sum() == pytest.approx(0, abs=1e-3)
    assert share[x > 128].sum() > 0.99 * share.sum()
