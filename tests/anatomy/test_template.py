from __future__ import annotations

from importlib.resources import files

import nibabel
import numpy as np
import pytest

from hemocast.anatomy import template as module
from hemocast.anatomy.template import CENTRE_MM, STEP_MM, VERTEX_MM, read_map, template


@pytest.mark.parametrize("name", ["t1", "gm", "wm"])
def test_the_geometry_written_down_is_that_of_the_files(name):
    image = nibabel.load(files("hemocast") / "assets" / "template" / module._FILE.format(name))
    assert image.shape == module._SHAPE_XYZ
    assert image.get_data_dtype() == np.uint8
    assert image.affine[:3, :3] == pytest.approx(np.eye(3))
    assert tuple(image.affine[:3, 3]) == module.FIRST_VOXEL_MM
    assert np.array_equal(read_map(name).transpose(2, 1, 0), np.asarray(image.dataobj))


def test_a_map_is_unpacked_once_for_all_scans():
    first = [read_map(name) for name in ("gm", "wm")]
    assert all(read_map(name) is one for name, one in zip(("gm", "wm"), first, strict=True))
    assert not first[0].flags.writeable


def test_the_vertex_is_the_highest_point_of_the_brain():
    used = np.flatnonzero((read_map("t1") > 0).any(axis=(1, 2))) + module.FIRST_VOXEL_MM[2]
    assert used[-1] == VERTEX_MM


def test_the_field_is_symmetric_and_centred_on_the_brain():
    made = template()
    brain = made.fields[..., 0, 0]
    x = made.origin_mm[0] + STEP_MM * np.arange(brain.shape[2])
    mean_x = (brain.sum(axis=(0, 1)) * x).sum() / brain.sum()
    assert abs(mean_x) < 0.5
    z, y, x = np.nonzero(brain > 0.5)
    for used, first in ((y, made.origin_mm[1]), (z, made.origin_mm[2])):
        middle = first + STEP_MM * (used.min() + used.max()) / 2
        assert abs(middle) <= STEP_MM
    assert 1700 < (brain > 0.5).sum() * STEP_MM**3 / 1000 < 2000
    assert CENTRE_MM[0] == 0


def test_slopes_are_those_of_the_field():
    fields = template().fields
    rise = (fields[1:, :, :, 0, 0] - fields[:-1, :, :, 0, 0]) / STEP_MM
    mean_slope = (fields[1:, :, :, 0, 3] + fields[:-1, :, :, 0, 3]) / 2
    assert np.abs(rise - mean_slope).max() < 0.02
