from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hemocast.config import PrepareConfig
from hemocast.dicom import CTHeader, make_uid, read, write_ct
from hemocast.prepare import prepare
from hemocast.simulate import Edema, Infarct, Person, Protocol, Stroke, build_head, scan_head
from hemocast.simulate.scanner.stack import render_stack
from hemocast.volume import Stack

SMALL = PrepareConfig(size=128, pixel_mm=1.5)
UPRIGHT, ROTATED = (0.0, 0.0, 0.0), (5.0, -3.0, 4.0)


def real_stack(head, protocol, folder, rng=None) -> Stack:
    """The long way: scan, write as DICOM, read, prepare."""
    frames = scan_head(head, protocol, rng)
    header = CTHeader(
        "S", "SIMULATED^S", make_uid("s"), make_uid("s", 1), series_description="HEAD"
    )
    spacing = (frames.pixel_mm, frames.pixel_mm)
    write_ct(frames.hu, frames.positions, frames.orientation, spacing, header, folder)
    return prepare(read(folder), SMALL)


def likeness(a: Stack, b: Stack) -> tuple[float, float, float]:
    """Overlap of the brains, correlation in both, and well inside both."""
    both = a.brain & b.brain
    overlap = 2 * both.sum() / (a.brain.sum() + b.brain.sum())
    inner = ndimage.binary_erosion(both, np.ones((1, 5, 5), bool))
    whole, within = (np.corrcoef(a.frames[m], b.frames[m])[0, 1] for m in (both, inner))
    return float(overlap), float(whole), float(within)


@pytest.mark.parametrize(
    ("seed", "infarct", "degrees"),
    [
        pytest.param(0, None, UPRIGHT, marks=pytest.mark.slow),
        pytest.param(1, Infarct("MCA", "left", 100.0), UPRIGHT, marks=pytest.mark.slow),
        (2, Infarct("PCA", "right", 25.0), ROTATED),
    ],
)
def test_it_is_what_the_scan_would_be_prepared_to(seed, infarct, degrees, tmp_path):
    person = Person(50 + 10 * seed, van_swieten=(0, 0))
    head = build_head(np.random.default_rng(seed), person, infarct and Stroke(infarct))
    protocol = Protocol(matrix=256, rotation_degrees=degrees)
    real = real_stack(head, protocol, tmp_path)
    quick = render_stack(head, protocol, SMALL)
    overlap, whole, within = likeness(real, quick)
    assert overlap > 0.97
    assert whole > 0.92
    assert within > 0.93
    both = real.brain & quick.brain
    assert quick.frames[both].mean() == pytest.approx(real.frames[both].mean(), abs=0.02)
    np.testing.assert_allclose(quick.affine, real.affine, atol=2.5)


@pytest.mark.slow
def test_a_tilted_scan_gives_nearly_the_same_stack(tmp_path):
    head = build_head(np.random.default_rng(4), Person(70, male=False))
    protocol = Protocol(matrix=256, tilt_degrees=14.0)
    overlap, _, within = likeness(
        real_stack(head, protocol, tmp_path), render_stack(head, protocol, SMALL)
    )
    assert overlap > 0.95
    assert within > 0.85


@pytest.mark.slow
def test_noise_is_what_preparation_leaves(tmp_path):
    head = build_head(np.random.default_rng(5), Person(60))
    protocol = Protocol(matrix=512, noise_hu=4.0, rotation_degrees=(3.0, 1.0, 0.0))

    def spread(make) -> float:
        one, two = make(np.random.default_rng(1)), make(np.random.default_rng(2))
        both = ndimage.binary_erosion(one.brain & two.brain, np.ones((1, 5, 5), bool))
        apart = (one.frames - two.frames)[both]
        return float(apart.std() / np.sqrt(2))

    real = spread(lambda rng: real_stack(head, protocol, tmp_path, rng))
    quick = spread(lambda rng: render_stack(head, protocol, SMALL, rng))
    assert quick == pytest.approx(real, rel=0.2)


def test_the_infarct_lies_on_its_side_and_darkens():
    head = build_head(np.random.default_rng(6), Person(60), Stroke(Infarct("MCA", "left", 120.0)))
    wet = (replace(head, edema=Edema(uptake)) for uptake in (0.0, 0.3))
    light, dark = (render_stack(one, Protocol(), SMALL) for one in wet)
    both = light.brain & dark.brain
    both[:, :, 54:74] = False  # near the midline
    right, left = (
        float((light.frames - dark.frames)[:, :, part][both[:, :, part]].mean())
        for part in (slice(0, 64), slice(64, None))
    )
    assert left > 0.02
    assert abs(right) < 0.15 * left


def test_the_same_seed_gives_the_same_stack():
    head = build_head(np.random.default_rng(7), Person(60))
    one, two = (render_stack(head, Protocol(), SMALL, np.random.default_rng(9)) for _ in range(2))
    np.testing.assert_array_equal(one.frames, two.frames)
    assert one.record == two.record
    assert one.record.settings_hash == SMALL.hash()
    levels = one.frames * 255
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-3)
    assert not one.frames[~one.brain].any()


@pytest.mark.parametrize("size", [100, 192])
def test_any_size_of_frame_is_filled(size):
    head = build_head(np.random.default_rng(7), Person(60))
    wide = PrepareConfig(size=size, pixel_mm=192 / size)
    stack = render_stack(head, Protocol(), wide)
    small = render_stack(head, Protocol(), SMALL)
    ml = [s.brain.sum() * np.prod(s.spacing) / 1000 for s in (stack, small)]
    assert ml[0] == pytest.approx(ml[1], rel=0.02)


def test_thin_slices_are_averaged_over_a_frame():
    head = build_head(np.random.default_rng(7), Person(60))
    thin, thick = (
        render_stack(head, Protocol(slice_mm=mm, noise_hu=8.0), SMALL, np.random.default_rng(1))
        for mm in (1.25, 5.0)
    )
    both = thin.brain & thick.brain
    assert thin.frames[both].std() < thick.frames[both].std()
