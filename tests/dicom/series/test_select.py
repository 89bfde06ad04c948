from __future__ import annotations

import pytest

from hemocast.dicom import find_scans, read
from hemocast.errors import (
    BadGeometry,
    BoneKernel,
    ContrastGiven,
    NoHeadSeries,
    TooFewSlices,
)
from hemocast.left_out import LeftOutCode

HEIGHTS = tuple(float(h) for h in range(-90, 91, 5))


def only(found):
    assert not found.scans
    return found.refused[0].error


def test_the_plain_soft_tissue_series_is_chosen_and_each_other_has_its_reason(
    scan, write, tmp_path
):
    ways = {
        2: {"series_description": "HEAD 5MM", "kernel": "H30s"},
        3: {"series_description": "HEAD 1MM", "kernel": "H30s", "slice_thickness": 1.0},
        4: {"series_description": "BONE", "kernel": "H60s"},
        5: {"series_description": "HEAD", "contrast_agent": "ISOVUE 300"},
        6: {"series_description": "CTA HEAD"},
        7: {"series_description": "SCOUT"},
        8: {"series_description": "HEAD", "image_type": ("DERIVED", "SECONDARY", "MPR")},
        9: {"series_description": "PERFUSION"},
        10: {"series_description": "C-SPINE"},
    }
    for number, fields in ways.items():
        write(
            scan(series=str(number)).with_header(series_number=number, **fields),
            tmp_path / str(number),
        )
    scan_ = find_scans(tmp_path).scans[0]
    assert scan_.series.first.series_number == 2
    assert {item.images for item in scan_.left_out} == {37}
    assert scan_.left_out[0].detail.startswith("series 2, for ")
    assert {item.series: item.code for item in scan_.left_out} == {
        3: LeftOutCode.NOT_PREFERRED,
        4: LeftOutCode.BONE_KERNEL,
        5: LeftOutCode.CONTRAST,
        6: LeftOutCode.CONTRAST,
        7: LeftOutCode.LOCALIZER,
        8: LeftOutCode.DERIVED,
        9: LeftOutCode.PERFUSION,
        10: LeftOutCode.NOT_HEAD,
    }
    assert read(tmp_path).source.left_out == scan_.left_out


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"contrast_agent": "OMNIPAQUE"}, ContrastGiven),
        ({"series_description": "HEAD C+"}, ContrastGiven),
        ({"series_description": "HEAD WITH CONTRAST"}, ContrastGiven),
        ({"kernel": "BONEPLUS"}, BoneKernel),
        ({"kernel": "Hr64f"}, BoneKernel),
        ({"kernel": "FC81"}, BoneKernel),
        ({"kernel": "YD"}, BoneKernel),
        ({"body_part": "CHEST", "series_description": "LUNG BASE"}, BoneKernel),
        ({"body_part": "CHEST", "series_description": "ROUTINE"}, NoHeadSeries),
    ],
)
def test_a_study_with_no_plain_head_says_why(fields, error, scan, write, tmp_path):
    write(scan().with_header(**fields), tmp_path)
    assert isinstance(only(find_scans(tmp_path)), error)


@pytest.mark.parametrize(
    "fields",
    [
        {"series_description": "HEAD W/O CONTRAST", "study_description": "HEAD W AND W/O"},
        {"series_description": "BRAIN WITHOUT CONTRAST"},
        {"series_description": "NON CONTRAST HEAD"},
        {"series_description": "KOPF NATIV", "contrast_agent": "NONE"},
        {"series_description": "SCHAEDEL OHNE KM"},
        {"series_description": "HEAD C-"},
        {"series_description": "UNENHANCED"},
        {"kernel": "STD+"},
        {"kernel": "FC26"},
        {"kernel": "UB"},
        {"kernel": "Hr40f"},
        {"kernel": "J40s"},
        {"kernel": "SOFT", "body_part": ""},
        {"body_part": "HEADNECK"},
        {"image_type": ("DERIVED", "PRIMARY", "AXIAL")},
    ],
)  # fmt: skip
def test_plain_heads_by_other_names_are_taken(fields, scan, write, tmp_path):
    write(scan().with_header(**fields), tmp_path)
    assert len(find_scans(tmp_path).scans) == 1


def test_a_stack_that_is_not_axial_or_too_short_is_refused(scan, write, tmp_path):
    write(scan(row=(1, 0, 0), column=(0, 0, -1)), tmp_path / "coronal")
    error = only(find_scans(tmp_path / "coronal"))
    assert isinstance(error, NoHeadSeries)
    assert "not axial" in error.seen
    write(scan(heights=HEIGHTS[:10]), tmp_path / "short")
    assert isinstance(only(find_scans(tmp_path / "short")), TooFewSlices)


def test_a_series_in_two_pieces_is_not_read_as_half_a_head(scan, write, tmp_path):
    write(scan(heights=HEIGHTS[:25]), tmp_path / "base")
    write(scan(heights=HEIGHTS[25:], pixel=2.5), tmp_path / "vertex")
    assert isinstance(only(find_scans(tmp_path)), BadGeometry)


def test_localizers_and_summaries_are_left_out_with_their_reasons(unpack):
    error = only(find_scans(unpack("phantom_localizer_summary")))
    assert isinstance(error, NoHeadSeries)
    assert error.code == "HC201"
    assert "localizer" in error.seen
    assert "secondary capture" in error.seen
