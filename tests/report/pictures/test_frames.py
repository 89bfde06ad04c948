import base64
import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from hemocast.report.pictures.frames import (
    FLOOR,
    OPACITY,
    TOP,
    blank,
    brain_box,
    colour_table,
    grid,
    heat_shades,
    heights_mm,
    layers_of,
    sprites,
)
from hemocast.volume import Stack


def opened(address: str) -> Image.Image:
    head, content = address.split(",", 1)
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def test_the_overlay_is_clear_where_there_is_little_and_brighter_where_there_is_more() -> None:
    colours, alpha = colour_table()
    assert (alpha[:51] == 0).all()
    assert (np.diff(alpha.astype(int)) >= 0).all()
    assert alpha[-1] == round(255 * OPACITY)  # the scan stays visible under the most evidence
    lightness = colours @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) >= -0.5).all()


def test_only_evidence_for_ht_within_the_brain_is_shown(stack: Stack) -> None:
    signed = np.full(stack.frames.shape, -2.0, dtype=np.float32)
    signed[10, 90:100, 90:100] = 0.03
    signed[10, :5, :5] = 9.0  # outside the brain
    heat = heat_shades(signed, stack.brain)
    assert heat.highest == pytest.approx(0.03)
    assert heat.shade[10, 95, 95] == 255
    assert np.count_nonzero(heat.shade) == 100


def test_a_scan_of_low_risk_does_not_glow_like_one_of_high_risk(stack: Stack) -> None:
    """The same place at a tenth of the evidence: the brightest there was shown alike before."""
    shape = np.zeros(stack.frames.shape, dtype=np.float32)
    shape[10, 90:100, 90:100] = TOP
    strong, weak = (heat_shades(shape * part, stack.brain) for part in (1, 0.3))
    assert strong.shade.max() == 255
    assert weak.shade.max() == pytest.approx(0.3 * 255, abs=1)
    assert weak.seen
    opacity = colour_table()[1]
    assert 0 < opacity[weak.shade.max()] < opacity[strong.shade.max()]


def test_traces_of_evidence_do_not_shine(stack: Stack) -> None:
    trace = 0.9 * FLOOR * TOP
    heat = heat_shades(np.full(stack.frames.shape, trace, dtype=np.float32), stack.brain)
    assert heat.highest == pytest.approx(trace)
    assert colour_table()[1][heat.shade.max()] == 0
    assert not heat.seen


def test_no_evidence_at_all(stack: Stack) -> None:
    heat = heat_shades(np.full(stack.frames.shape, -1.0, dtype=np.float32), stack.brain)
    assert heat.highest == 0
    assert not heat.seen
    assert not heat.shade.any()


def test_the_box_holds_the_brain(stack: Stack, new_stack: Callable[..., Stack]) -> None:
    rows, columns = brain_box(stack)
    assert stack.brain[:, rows, columns].sum() == stack.brain.sum()
    assert rows.stop - rows.start < stack.frames.shape[1]
    empty = replace(stack, brain=np.zeros_like(stack.brain))
    assert brain_box(empty) == (slice(0, 192), slice(0, 192))


def test_frames_without_brain_say_why(new_stack: Callable[..., Stack]) -> None:
    stack = new_stack(top=3, bottom=1)
    brain = stack.brain.copy()
    brain[4] = False
    reasons = blank(replace(stack, brain=brain))
    assert reasons == {
        0: "beyond the scan", 4: "no brain here",
        25: "beyond the scan", 26: "beyond the scan", 27: "beyond the scan",
    }  # fmt: skip


def test_heights_rise_from_the_lowest_frame(stack: Stack) -> None:
    assert heights_mm(stack)[:3] == [0, 5, 10]


def test_frames_stand_in_reading_order() -> None:
    tiles = np.arange(28, dtype=np.uint8)[:, None, None] * np.ones((1, 3, 2), dtype=np.uint8)
    sheet = grid(tiles)
    assert sheet.shape == (12, 14)
    assert sheet[0, ::2].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert sheet[::3, 0].tolist() == [0, 7, 14, 21]


def test_sprites_hold_every_frame_and_the_heatmaps_transparency(stack: Stack, prediction) -> None:
    made = sprites(layers_of(stack, prediction.heatmap), stack.spacing[2])
    rows, columns = brain_box(stack)
    sheet = np.asarray(opened(made.grey))
    at = (13 // 7 * made.height, 13 % 7 * made.width)
    tile = sheet[at[0] : at[0] + made.height, at[1] : at[1] + made.width]
    expected = np.round(stack.frames[13, rows, columns] * 255)
    np.testing.assert_array_equal(tile, expected)
    heat = np.asarray(opened(made.heat).convert("RGBA"))
    assert heat.shape == (*sheet.shape, 4)
    hot = heat[at[0] : at[0] + made.height, at[1] : at[1] + made.width, 3]
    middle = prediction.heatmap[13, rows, columns]
    assert hot[np.unravel_index(middle.argmax(), middle.shape)] > 150
    assert hot[0, 0] == 0
