"""The parametric map, read back by other software, lies where the heatmap does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from hemocast.deliver import Analysed, Kind, Result, make_objects, write_objects
from hemocast.deliver.planes import planes_of

hd = pytest.importorskip("highdicom", reason="the extra 'serve' is not installed")


def test_the_map_lies_on_the_slices_to_a_tenth_of_a_millimetre(
    result: Result, headers: tuple[Dataset, ...], tmp_path: Path, faults: Callable[..., list[str]]
) -> None:
    import SimpleITK

    objects = {Kind.HEATMAP: make_objects(result)[Kind.HEATMAP]}
    (path,) = write_objects(objects, tmp_path)
    assert faults(path) == []
    read = hd.pm.pmread(path) if hasattr(hd.pm, "pmread") else dcmread(path)
    assert read.ContentLabel == "HEATMAP"
    assert read.SOPClassUID == "1.2.840.10008.5.1.4.1.1.30"
    values = np.frombuffer(read.FloatPixelData, "<f4").reshape(-1, read.Rows, read.Columns)
    sources = {one.SOPInstanceUID: one for one in headers}
    answer = result.answer
    assert isinstance(answer, Analysed)
    image = SimpleITK.GetImageFromArray(answer.prediction.heatmap)
    to_stack = np.linalg.inv(answer.prediction.stack.affine)
    for frame, groups in zip(values, read.PerFrameFunctionalGroupsSequence, strict=True):
        position = np.array(groups.PlanePositionSequence[0].ImagePositionPatient, float)
        source = groups.DerivationImageSequence[0].SourceImageSequence[0]
        header = sources[source.ReferencedSOPInstanceUID]
        assert np.abs(position - np.array(header.ImagePositionPatient, float)).max() < 0.1
        (plane,) = planes_of([header])
        for row, column in ((30, 50), (31, 30), (5, 5)):
            x, y, z, _ = to_stack @ plane.to_mm @ [column, row, 0, 1]
            inside = 0 <= z <= 27
            expected = image.EvaluateAtContinuousIndex((x, y, z)) if inside else 0
            assert frame[row, column] == pytest.approx(expected, abs=1e-6)
    assert values.max() == pytest.approx(0.015, abs=1e-6)
    assert values.min() == pytest.approx(-0.004, abs=1e-6)


def test_a_model_without_places_has_no_map(result: Result) -> None:
    answer = result.answer
    assert isinstance(answer, Analysed)
    from hemocast.model.heatmap import NO_PLACES

    still = replace(answer.prediction, heatmap_kind=NO_PLACES)
    assert Kind.HEATMAP not in make_objects(
        replace(result, answer=replace(answer, prediction=still))
    )
