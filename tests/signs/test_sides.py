"""Halves lie beside each other; a cell is found again in template, frames and scan."""

from __future__ import annotations

import numpy as np

from hemocast.anatomy.template import CENTRE_MM, read_map
from hemocast.signs.measured import Found
from hemocast.signs.sides import LEFT, RIGHT, lay_out, share_at


def test_the_mirror_image_of_a_cell_has_its_number(sound: Found) -> None:
    assert sound.stack is not None
    sides = lay_out(sound.stack, sound.pose, sound.config)
    frame, row, column = 14, 50, 7
    for side in (RIGHT, LEFT):
        at = sides.place(side, frame, row, column)
        pixels = sound.stack.brain[frame, at.row : at.row + 2, at.column : at.column + 2]
        assert sides.brain[side, frame, row, column] == pixels.mean()
    right, left = (sides.place(side, frame, row, column).column for side in (RIGHT, LEFT))
    assert (right + 0.5) + (left + 0.5) == sound.stack.frames.shape[2] - 1, "mirrored pixels"
    assert round(sides.cell_ml, 6) == 0.02


def test_cells_lie_where_pose_and_template_say(sound: Found) -> None:
    assert sound.stack is not None
    sides = lay_out(sound.stack, sound.pose, sound.config)
    chosen = np.zeros(sides.hu.shape, np.bool_)
    chosen[LEFT, 14, 50, 7] = True
    (voxel,) = sides.voxels(chosen, sound.volume)
    mm = sound.volume.affine @ [*voxel[::-1], 1]
    upright = (np.linalg.inv(sound.pose.matrix) @ mm)[:3]
    z, y, x = sides.points
    template = [-x[0, 0, 7], y[0, 50, 0], z[14, 0, 0]]
    np.testing.assert_allclose(upright / sound.pose.stretch + CENTRE_MM, template, atol=1e-3)


def test_the_place_of_a_weight_is_its_middle(sound: Found) -> None:
    assert sound.stack is not None
    sides = lay_out(sound.stack, sound.pose, sound.config)
    weight = np.zeros_like(sides.hu)
    weight[LEFT, 9, 20:31, 4:7] = 1
    assert sides.place_of(weight, LEFT) == sides.place(LEFT, 9, 25, 5)


def test_white_matter_of_the_template_is_darker(sound: Found) -> None:
    assert sound.stack is not None
    sides = lay_out(sound.stack, sound.pose, sound.config)
    dry = sides.brain.min(axis=0) * (sides.fluid.max(axis=0) < 0.1) == 1
    white, grey = (share_at(sides.points, read_map(name)) > 0.9 for name in ("wm", "gm"))
    assert sides.hu[0][dry & white].mean() < sides.hu[0][dry & grey].mean() - 3
