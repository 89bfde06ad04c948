"""The network that comes with Hemocast says where an infarct may be, on the cells of both sides."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hemocast.signs.measured import Found
from hemocast.signs.outline import card, on_cells, read_outline
from hemocast.signs.sides import LEFT, RIGHT
from hemocast.version import SIMULATOR_VERSION


def test_the_outline_lies_on_the_cells(sides_of: Callable, sound: Found) -> None:
    sides, _ = sides_of(sound)
    assert sound.stack is not None
    outline = read_outline(sound.stack, sides)
    assert outline.probability.shape == sides.hu.shape
    assert 0 <= outline.probability.min() <= outline.probability.max() <= 1
    assert outline.findings.ndim == 1


def test_the_mirror_image_has_the_mirrored_outline(sides_of: Callable, struck: Found) -> None:
    from dataclasses import replace

    sides, _ = sides_of(struck)
    assert struck.stack is not None
    outline = read_outline(struck.stack, sides)
    turned = np.ascontiguousarray(struck.stack.frames[..., ::-1])
    mirrored = read_outline(replace(struck.stack, frames=turned), sides)
    assert (outline.side, mirrored.side) == (LEFT, RIGHT)
    np.testing.assert_allclose(outline.probability[LEFT], mirrored.probability[RIGHT], atol=0.01)


def test_a_coarse_cell_covers_its_fine_ones(sides_of: Callable, sound: Found) -> None:
    sides, _ = sides_of(sound)
    raw = np.full((2, 28, 32, 12), -9.0, np.float32)
    raw[LEFT, 14, 10, 5] = 9
    fine = on_cells(raw, sides)
    assert np.unravel_index(fine.argmax(), fine.shape) == (LEFT, 14, 31, 16)
    assert fine[RIGHT].max() < 0.01
    assert fine[LEFT, :, :, 36:].max() == 0, "beyond what the network looks at"


def test_the_card_names_the_simulator_and_intervals_hold_their_value() -> None:
    known = card()
    assert known.simulator_version == SIMULATOR_VERSION
    assert known.volume_factors[0] < 1 < known.volume_factors[1]
    assert known.uptake_factors[0] < 1 < known.uptake_factors[1]
    assert known.unseen_ml > 0
