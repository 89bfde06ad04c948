from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from hemocast.config import PrepareConfig
from hemocast.dicom import CTHeader, make_uid, read, write_ct
from hemocast.pipeline.simulated_truth import mask_on_stack
from hemocast.prepare import prepare
from hemocast.simulate import Edema, Infarct, Person, Protocol, Stroke, build_head, scan_head
from hemocast.simulate.write.study import write_mask

GRID = PrepareConfig(size=128, pixel_mm=1.5)


@pytest.fixture(scope="module")
def head():
    """A head with a large infarct."""
    stroke = Stroke(Infarct("MCA", "left", 90.0))
    return build_head(np.random.default_rng(3), Person(60, van_swieten=(0, 0)), stroke)


def _read_back(frames, folder):
    header = CTHeader(
        "S", "SIMULATED^S", make_uid("s"), make_uid("s", 1), series_description="H",
        slice_thickness=frames.thickness_mm,
    )  # fmt: skip
    spacing = (frames.pixel_mm, frames.pixel_mm)
    write_ct(frames.hu, frames.positions, frames.orientation, spacing, header, folder)
    return read(folder)


def _on_stack(volume, stack):
    """CT numbers of a volume at the voxels of a stack."""
    move = np.linalg.inv(volume.affine) @ stack.affine
    shape = stack.frames.shape[::-1]
    hu = ndimage.affine_transform(
        volume.hu.transpose(2, 1, 0), move[:3, :3], move[:3, 3], output_shape=shape, order=1
    )
    return hu.transpose(2, 1, 0)


@pytest.mark.parametrize(
    "protocol",
    [
        Protocol(matrix=128),
        Protocol(matrix=128, tilt_degrees=15.0),
        Protocol(matrix=128, mixed=True),
        Protocol(matrix=128, mixed=True, tilt_degrees=-12.0),
    ],
    ids=["plain", "tilted", "mixed", "mixed and tilted"],
)
def test_the_mask_lies_where_the_infarct_darkens_the_prepared_scan(head, protocol, tmp_path):
    wet, dry = (scan_head(replace(head, edema=Edema(u)), protocol) for u in (0.3, 0.0))
    write_mask(wet, tmp_path / "mask.nii.gz")
    with_infarct = _read_back(wet, tmp_path / "wet")
    stack = prepare(with_infarct, GRID)
    mask = mask_on_stack(tmp_path / "mask.nii.gz", stack)
    without = _on_stack(_read_back(dry, tmp_path / "dry"), stack)
    darker = without - _on_stack(with_infarct, stack) > 5  # half of 0.3 times 32 HU
    assert 2 * (mask & darker).sum() / (mask.sum() + darker.sum()) > 0.85
    assert mask.sum() * np.prod(stack.spacing) / 1000 == pytest.approx(90, rel=0.05)
