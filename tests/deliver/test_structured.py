"""The structured report: shown with its region, coded, and valid by two other programs."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset

from hemocast.deliver import Analysed, Kind, Result, make_objects, write_objects

hd = pytest.importorskip("highdicom", reason="the extra 'serve' is not installed")

PIXELMED = Path("/usr/share/java/pixelmed.jar")
# Newer Java limits what a stylesheet may hold, and PixelMed's is larger.
LIMITS = [f"-Djdk.xml.xpath{what}Limit=0" for what in ("ExprOp", "ExprGrp", "TotalOp")]


def report_of(result: Result) -> Dataset:
    return make_objects(replace(result, wanted=frozenset({Kind.REPORT})))[Kind.REPORT]


def written(result: Result, folder: Path) -> Path:
    return write_objects({Kind.REPORT: report_of(result)}, folder)[0]


def words(dataset: Dataset) -> list[str]:
    return [
        str(element.value)
        for element in dataset.iterall()
        if element.keyword in ("TextValue", "CodeMeaning", "NumericValue")
    ]


def test_the_risk_stands_in_a_region_of_an_image(
    result: Result,
    headers: tuple[Dataset, ...],
    tmp_path: Path,
    faults: Callable[..., list[str]],
) -> None:
    path = written(result, tmp_path)
    assert faults(path) == []
    report = hd.sr.srread(path)
    group, signs = report.content.get_planar_roi_measurement_groups()
    assert "ASPECTS" in {one.name.value for one in signs.get_measurements()}
    values = {one.name.value: one.value for one in group.get_measurements()}
    assert (values["HT-RISK"], values["HT-RISK-LO"], values["HT-RISK-HI"]) == (37, 21, 56)
    region = group.roi
    assert region.GraphicType == "POLYLINE"
    uid = region.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    at = [one.SOPInstanceUID for one in headers].index(uid)
    assert 5 <= at <= 8  # the heatmap lies in frames 10 to 17 of 28, two a slice
    # Numbers of two regions in one slice would be written over each other.
    other = signs.roi.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
    assert other != uid
    points = np.reshape(region.GraphicData, (-1, 2))
    assert points.min() >= 0
    assert points.max(axis=0)[0] <= headers[0].Columns
    assert points.max(axis=0)[1] <= headers[0].Rows
    assert "ctnet3d-demo" in words(report)
    (tracked,) = report.content.get_volumetric_roi_measurement_groups()
    assert {one.name.value for one in tracked.get_measurements()} >= {"118565006", "WATER-UPTAKE"}
    # Outlined in its three slices, and known to be the segment by its UID.
    assert len(tracked.roi) == 3
    segment = make_objects(result)[Kind.INFARCT].SegmentSequence[0]
    assert tracked.tracking_uid == segment.TrackingUID
    schemes = report.CodingSchemeIdentificationSequence
    assert [one.CodingSchemeDesignator for one in schemes] == ["99HEMOCAST"]


def test_images_without_a_frame_of_reference_get_a_report_without_a_region(
    result: Result, tmp_path: Path, faults: Callable[..., list[str]]
) -> None:
    odd = []
    for header in result.headers:
        one = deepcopy(header)
        del one.FrameOfReferenceUID
        odd.append(one)
    objects = make_objects(replace(result, headers=tuple(odd)))
    assert set(objects) == {Kind.CAPTURE, Kind.REPORT}
    for path in write_objects(objects, tmp_path):
        assert faults(path) == []


def test_a_revision_names_what_it_replaces(
    result: Result, tmp_path: Path, faults: Callable[..., list[str]]
) -> None:
    first = report_of(result)
    path = written(replace(result, revision=2), tmp_path)
    assert faults(path) == []
    second = hd.sr.srread(path)
    assert second.SOPInstanceUID != first.SOPInstanceUID
    assert second.SeriesInstanceUID == first.SeriesInstanceUID
    before = second.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert before.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == first.SOPInstanceUID
    assert "PredecessorDocumentsSequence" not in first


def test_no_side_is_named_that_is_not_known(result: Result, sides_unknown: Result) -> None:
    assert "Left" in words(report_of(result))
    told = words(report_of(sides_unknown))
    assert not {"Left", "Right"} & {*told}


def test_a_report_without_signs_or_infarct_still_tells_the_risk(
    result: Result, tmp_path: Path, faults: Callable[..., list[str]]
) -> None:
    answer = result.answer
    assert isinstance(answer, Analysed)
    alone = replace(answer, signs=None, infarct=None, affine=None)
    path = written(replace(result, answer=alone), tmp_path)
    assert faults(path) == []
    assert "37.0" in words(hd.sr.srread(path))


@pytest.mark.slow
def test_pixelmed_finds_no_error_in_a_report(result: Result, tmp_path: Path) -> None:
    java = shutil.which("java")
    if java is None or not PIXELMED.is_file():
        pytest.skip("PixelMed's validator (Debian's pixelmed-apps) is not installed")
    path = written(replace(result, revision=2), tmp_path)
    validator = "com.pixelmed.validate.DicomSRValidator"
    done = subprocess.run(
        [java, *LIMITS, "-cp", str(PIXELMED), validator, str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Found Root Template TID_1500" in done.stdout
    assert "IOD validation complete" in done.stdout
    said = (done.stdout + done.stderr).splitlines()
    assert [line for line in said if "Error" in line] == []
