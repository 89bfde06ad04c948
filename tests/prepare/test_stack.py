from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from hemocast.anatomy import Alignment, Brain, align, find_brain
from hemocast.config import PrepareConfig
from hemocast.errors import NotABrain
from hemocast.prepare import prepare
from hemocast.simulate import Edema, Infarct, Protocol, Stroke, render_head
from hemocast.volume import LEVELS, Stack, Volume

CONFIG = PrepareConfig()


def _draw(stack: Stack, path: Path) -> None:
    """Draw all frames from the vertex down, for a person to look at."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 8.4))
    for place, frame in enumerate(stack.frames[::-1]):
        axes = figure.add_subplot(4, 7, place + 1)
        axes.imshow(frame, cmap="gray", vmin=0, vmax=1)
        axes.axvline(95.5, color="red", linewidth=0.3)
        axes.axis("off")
    figure.subplots_adjust(0, 0, 1, 1, 0.02, 0.02)
    figure.savefig(path, dpi=70)


def _lower(volume: Volume, slices: int) -> Volume:
    """Cut slices off the vertex."""
    return replace(volume, hu=volume.hu[:-slices], slices=volume.slices[:-slices])


def test_the_real_head(ge_volume, ge_brain, artefacts):
    stack = prepare(ge_volume, CONFIG, ge_brain)
    _draw(stack, artefacts / "prepare_ge_stack.png")
    assert stack.frames.shape == (28, 192, 192)
    assert stack.frames.min() == 0
    assert stack.frames.max() == 1
    assert not stack.frames[~stack.brain].any()
    assert stack.spacing == pytest.approx((5.0, 1.0, 1.0))
    record = stack.record
    assert record.input_hash == ge_volume.content_hash()
    assert record.settings_hash == CONFIG.hash()
    assert record.brain_ml == ge_brain.volume_ml
    assert stack.brain.sum() * 5 / 1000 == pytest.approx(record.brain_ml, rel=0.02)
    assert (record.frames_padded_top, record.brain_cut_mm) == (0, 0.0)
    # Brain sits in the middle, is upright, and its two halves are alike.
    _, y, x = np.nonzero(stack.brain)
    assert x.mean() == pytest.approx(95.5, abs=2)
    assert (y.min() + y.max()) / 2 == pytest.approx(95.5, abs=5)
    mirrored = stack.brain[:, :, ::-1]
    dice = 2 * (stack.brain & mirrored).sum() / (2 * stack.brain.sum())
    assert dice > 0.95


def test_brain_is_found_where_none_is_given(ge_volume, ge_brain):
    given = prepare(ge_volume, CONFIG, ge_brain)
    found = prepare(ge_volume, CONFIG)
    assert np.array_equal(given.frames, found.frames)
    assert given.record == found.record


@pytest.fixture(scope="module")
def found(plain) -> tuple[Brain, Alignment]:
    """Return brain and pose of the plain head, for what is not about finding them."""
    brain = find_brain(plain)
    return brain, align(plain, brain)


def test_a_stack_voxel_is_where_its_affine_says(plain, found):
    stack = prepare(plain, PrepareConfig(window_low=0, window_high=200), *found)
    # Dark balls at known places of the scan, deep in the brain.
    for centre in [(15, 100, 110), (20, 140, 140), (12, 150, 120)]:
        place = (plain.affine @ [*centre[::-1], 1.0])[:3]
        z, y, x = np.indices(plain.hu.shape)
        mm = np.stack([x, y, z], axis=-1) @ plain.affine[:3, :3].T + plain.affine[:3, 3]
        marked = plain.hu.copy()
        marked[np.linalg.norm(mm - place, axis=-1) < 7] = 190
        spotted = prepare(
            replace(plain, hu=marked), PrepareConfig(window_low=0, window_high=200), *found
        )
        changed = spotted.frames - stack.frames
        f, y, x = ndimage.center_of_mass(np.where(changed > 0.2, changed, 0))
        seen = (spotted.affine @ [x, y, f, 1.0])[:3]
        assert np.linalg.norm(seen - place) < 2.0


def test_the_patients_right_is_at_the_left_and_the_front_at_the_top():
    protocol = Protocol(rotation_degrees=(6, -5, 9))
    stroke = Stroke(Infarct("MCA", "right", 120.0), Edema(0.4))
    volume = render_head(4, stroke=stroke, protocol=protocol)
    stack = prepare(volume, CONFIG)
    darker = (stack.frames < 0.35) & stack.brain
    assert darker[:, :, :90].sum() > 1.5 * darker[:, :, 102:].sum()
    right, front = stack.affine @ [0, 96, 14, 1], stack.affine @ [96, 0, 14, 1]
    middle = stack.affine @ [96, 96, 14, 1]
    assert (right - middle)[0] > 80  # RAS+: right is positive
    assert (front - middle)[1] > 80
    assert np.linalg.det(stack.affine[:3, :3]) > 0


def test_frames_hang_from_the_vertex(plain, found):
    stack = prepare(plain, CONFIG, *found)
    area = stack.brain.sum(axis=(1, 2))
    assert 0 < area[-1] < 0.4 * area.max()
    fewer = prepare(plain, PrepareConfig(frames=10), *found)
    assert np.array_equal(fewer.frames, stack.frames[-10:])
    assert fewer.record.brain_cut_mm > 60
    taller = prepare(plain, PrepareConfig(frames=40), *found)
    assert np.array_equal(taller.frames[-28:], stack.frames)
    assert taller.record.frames_padded_bottom >= 8
    assert not taller.brain[:5].any()


def test_a_scan_that_stops_below_the_vertex_keeps_its_frames_in_place(plain, found):
    whole = prepare(plain, CONFIG, *found)
    cut = prepare(_lower(plain, 6), CONFIG)
    assert 2 <= cut.record.frames_padded_top <= 6
    assert any("at the vertex" in doubt for doubt in cut.record.doubts)
    assert cut.record.vertex_missing_mm > 8
    padded = cut.record.frames_padded_top
    assert not cut.brain[28 - padded :].any()
    assert np.linalg.norm(cut.affine[:3, 3] - whole.affine[:3, 3]) < 5

    def likeness(moved: int) -> float:
        """Correlation with the whole scan's frames, so many up."""
        one, two = slice(2, 24), slice(2 + moved, 24 + moved)
        both = cut.brain[one] & whole.brain[two]
        return float(np.corrcoef(cut.frames[one][both], whole.frames[two][both])[0, 1])

    # The template's vertex may be off by 5 mm, a frame, in a head of other proportions.
    assert max(map(likeness, (-1, 0, 1))) > 0.9
    assert likeness(0) > 0.6


def test_the_window(plain, found):
    wide = prepare(plain, PrepareConfig(window_low=-50, window_high=150), *found)
    narrow = prepare(plain, PrepareConfig(window_low=20, window_high=40), *found)
    hu = wide.frames * 200 - 50
    expected = np.clip((hu - 20) / 20, 0, 1)
    unclipped = wide.brain & (wide.frames > 0) & (wide.frames < 1)
    assert narrow.frames[unclipped] == pytest.approx(expected[unclipped], abs=0.03)  # a level


def test_pose_and_slices_hardly_change_what_the_model_sees():
    frames = [
        prepare(render_head(6, noise=False, protocol=protocol), CONFIG)
        for protocol in (
            Protocol(),
            Protocol(rotation_degrees=(12, -8, 10), shift_mm=(5, -8, 3)),
            Protocol(slice_mm=2.0, matrix=128),
        )
    ]
    for other in frames[1:]:
        both = frames[0].brain & other.brain
        assert both.sum() > 0.95 * frames[0].brain.sum()
        smooth = [ndimage.gaussian_filter(s.frames, (0, 2, 2)) for s in (frames[0], other)]
        assert np.corrcoef(smooth[0][both], smooth[1][both])[0, 1] > 0.8


def test_where_the_scan_lies_in_space_changes_the_affine_alone(plain, found):
    shifted = plain.affine.copy()
    shifted[:3, 3] += [100, -50, 300]
    here = prepare(plain, CONFIG, *found)
    there = prepare(replace(plain, affine=shifted), CONFIG)
    assert np.abs(here.frames - there.frames).max() < 1.5 / LEVELS
    assert there.affine[:3, 3] - here.affine[:3, 3] == pytest.approx([100, -50, 300], abs=1e-3)


def test_brain_beside_small_frames_is_a_doubt(plain, found):
    small = prepare(plain, PrepareConfig(size=128), *found)
    assert any("beside the frames" in doubt for doubt in small.record.doubts)
    assert prepare(plain, CONFIG, *found).record.doubts == ()


def test_a_phantom_is_refused(unpack):
    from hemocast.dicom import read

    with pytest.raises(NotABrain):
        prepare(read(unpack("phantom_tilt0_5mm")), CONFIG)


def test_a_head_turned_far_is_prepared_without_known_sides():
    turned = render_head(4, protocol=Protocol(rotation_degrees=(0, 0, 55), field_mm=250.0))
    record = prepare(turned, CONFIG).record
    assert not record.sides_known
    assert any("left and right are not known" in doubt for doubt in record.doubts)
