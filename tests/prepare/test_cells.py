"""A map's means over the cells of a stack: of the brain alone, on the scan's own grid."""

from __future__ import annotations

import numpy as np
import pytest

from hemocast.prepare.cells import CELLS, cell_means, map_cells
from hemocast.volume import Stack, StackRecord

SHAPE = (28, 48, 48)


def test_a_cell_is_the_mean_of_its_brain() -> None:
    values = np.zeros(SHAPE, np.float32)
    brain = np.zeros(SHAPE, bool)
    values[:2, :2, :2] = 7
    values[:2, :2, :1] = 3
    brain[:2, :2, :2] = True
    brain[2, 0, 0] = True  # an eighth of the next cell
    means = cell_means(values, brain)
    assert means.shape == CELLS
    assert means[0, 0, 0] == pytest.approx(5)
    assert np.isnan(means.ravel()[1:]).all()


@pytest.mark.parametrize("slice_mm", [1.25, 5.0, 7.5])
def test_a_ramp_lies_where_it_does_in_the_scan_whatever_its_slices(slice_mm: float) -> None:
    affine = np.diag([-2.0, -2.0, slice_mm, 1.0])
    affine[:3, 3] = 60, 60, -10
    shape = (round(180 / slice_mm), 100, 100)
    z, _, x = np.indices(shape, dtype=np.float32)
    values = (10 * x + 3 * slice_mm * z).astype(np.float32)
    to_mm = np.diag([-3.0, -3.0, 5.0, 1.0])
    to_mm[:3, 3] = 40, 40, 0
    stack = Stack(
        np.zeros(SHAPE, np.float32), np.ones(SHAPE, bool), to_mm,
        StackRecord("", "", (0, 0, 0), (0, 0, 0), 1300, 0, 0, 0),
    )  # fmt: skip
    means = map_cells(values, affine, stack)
    first = means[2, 12, 12]
    # A cell further along x is two pixels of 3 mm, in voxels of 2 mm; along z two frames of 5 mm.
    assert means[2, 12, 13] - first == pytest.approx(10 * 3, abs=0.1)
    assert means[3, 12, 12] - first == pytest.approx(3 * 10, abs=0.1)
    assert first == pytest.approx(10 * (60 - 40 + 24.5 * 3) / 2 + 3 * (10 + 4.5 * 5), abs=0.2)
