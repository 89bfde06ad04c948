"""The infarct's segmentation, read back by other software, is the mask on the scan's slices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

from hemocast.deliver import Analysed, Kind, Result, make_objects, write_objects
from hemocast.volume import Affine, BoolArray

hd = pytest.importorskip("highdicom", reason="the extra 'serve' is not installed")


def test_the_segment_is_the_mask_in_millimetres(
    result: Result,
    headers: tuple[Dataset, ...],
    infarct: BoolArray,
    affine: Affine,
    tmp_path: Path,
    faults: Callable[..., list[str]],
) -> None:
    objects = {Kind.INFARCT: make_objects(result)[Kind.INFARCT]}
    (path,) = write_objects(objects, tmp_path)
    assert faults(path) == []
    read = hd.seg.segread(path)
    volume = read.get_volume(combine_segments=True)
    found = volume.array > 0
    lps = np.array([volume.affine @ [*index, 1] for index in np.argwhere(found)])[:, :3]
    ras = lps * [-1, -1, 1]
    expected = np.array([affine @ [x, y, z, 1] for z, y, x in np.argwhere(infarct)])[:, :3]
    assert len(ras) == len(expected)
    order = [np.lexsort(one.T) for one in (ras, expected)]
    assert np.abs(ras[order[0]] - expected[order[1]]).max() < 0.1
    segment = read.get_segment_description(1)
    assert segment.segmented_property_type.value == "55641003"
    assert segment.SegmentAlgorithmType == "AUTOMATIC"
    assert "Hemocast" in segment.algorithm_identification.name
    uids = {uid for _, _, uid in read.get_source_image_uids()}
    assert uids == {headers[z].SOPInstanceUID for z in (6, 7, 8)}
    text = str(read)
    assert "Left" not in text
    assert "Right" not in text


def test_where_nothing_is_outlined_there_is_no_segmentation(result: Result) -> None:
    answer = result.answer
    assert isinstance(answer, Analysed)
    assert answer.infarct is not None
    none = replace(answer, infarct=np.zeros_like(answer.infarct))
    assert Kind.INFARCT not in make_objects(replace(result, answer=none))
