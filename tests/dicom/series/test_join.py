"""Parts of one scan are joined where they fit, and never two scans or two reconstructions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from hemocast.dicom import find_scans, read
from hemocast.dicom.header.images import read_images
from hemocast.dicom.series.find import split_stacks
from hemocast.dicom.series.found import Series
from hemocast.dicom.series.join import join_halves, merge_slivers
from hemocast.errors import TooFewSlices

HEIGHTS = tuple(np.arange(-70.0, 71.0, 5.0))
NOON = datetime(2020, 1, 2, 12, 0, 0)
FRAME = "1.2.3"


@pytest.fixture
def halves(scan, write, edit, tmp_path):
    """Return a function that writes a base and a vertex as two series, and gives their folder."""

    def _halves(cut=14, step_between=0.0, tilt=0.0, overlap=0, **other):
        parts = (HEIGHTS[:cut], tuple(h + step_between for h in HEIGHTS[cut - overlap :]))
        for number, heights in enumerate(parts):
            fields = {"series_number": number + 2, **(other if number else {})}
            part = scan(heights=heights, series=str(number), tilt=tilt, brain=True).with_header(
                **({"acquired": NOON} | fields)
            )
            for path in write(part, tmp_path / "scan" / str(number)):
                edit(path, FrameOfReferenceUID=FRAME)
        return tmp_path / "scan"

    return _halves


def stacks_of(folder):
    images = [i for path in sorted(folder.rglob("*")) if path.is_file() for i in read_images(path)]
    series = {image.series_uid for image in images}
    return [
        s
        for uid in sorted(series)
        for s in split_stacks([i for i in images if i.series_uid == uid])
    ]


@pytest.mark.parametrize("how", [{}, {"tilt": 15.0}, {"overlap": 2}, {"step_between": -3.9}])
def test_base_and_vertex_become_one_scan_and_the_scan_says_so(how, halves):
    folder = halves(**how)
    (found,) = find_scans(folder).scans
    assert found.series.joined == 2
    assert len(found.series.images) == len(HEIGHTS)
    assert {i.series_number for i in found.series.images} == {2, 3}
    volume = read(folder)
    assert any("2 series of one scan joined" in text for text in volume.source.corrected)
    reach = volume.hu.shape[0] * volume.spacing[0]
    assert reach == pytest.approx(145 + how.get("step_between", 0), abs=6)


@pytest.mark.parametrize(
    "other",
    [
        {"kernel": "OTHER"},
        {"contrast_agent": "NO"},  # headers that differ: not one reconstruction
        {"acquired": NOON + timedelta(minutes=30)},
        {"acquired": None},
        {"step_between": 6.5},
        {"overlap": 6},
    ],
)
def test_what_does_not_fit_stays_apart(other, halves):
    assert {stack.joined for stack in stacks_of(halves(**other))} == {1}
    assert {stack.joined for stack in join_halves(stacks_of(halves(**other)))} == {1}


def test_another_frame_of_reference_grid_or_place_stays_apart(halves):
    one, other = stacks_of(halves())
    for change in ({"frame_uid": "9"}, {"spacing": (2.0, 2.0)}, {"kvp": 80.0}):
        changed = Series(tuple(replace(image, **change) for image in other.images))
        assert len(join_halves([one, changed])) == 2
    aside = [replace(i, position=(i.position[0] + 20, *i.position[1:])) for i in other.images]
    assert len(join_halves([one, Series(tuple(aside))])) == 2
    assert len(join_halves([one, other])) == 1


def test_two_vertices_that_fit_as_well_are_joined_to_neither(halves):
    one, other = stacks_of(halves())
    twin = Series(
        tuple(replace(i, series_uid="1.9", sop_uid=i.sop_uid + "9") for i in other.images)
    )
    assert len(join_halves([one, other, twin])) == 3


def test_a_series_for_every_slice_is_one_series(scan, write, edit, tmp_path):
    for index, path in enumerate(write(scan(heights=HEIGHTS, brain=True), tmp_path)):
        edit(path, SeriesInstanceUID=f"1.2.3.{index}", SeriesNumber=4)
    (found,) = find_scans(tmp_path).scans
    assert len(found.series.images) == found.series.joined == len(HEIGHTS)
    assert any("29 series" in text for text in read(tmp_path).source.corrected)


def test_slivers_of_two_time_points_are_never_mixed(scan, write, edit, tmp_path):
    for index, path in enumerate(write(scan(heights=HEIGHTS), tmp_path)):
        when = NOON + timedelta(hours=index % 2)
        day, time = when.strftime("%Y%m%d"), when.strftime("%H%M%S")
        edit(path, SeriesInstanceUID=f"1.2.3.{index}", SeriesNumber=4)
        edit(path, AcquisitionDate=day, AcquisitionTime=time)
    images = [image for path in sorted(tmp_path.iterdir()) for image in read_images(path)]
    merged = merge_slivers([[image] for image in images])
    assert sorted(map(len, merged)) == [14, 15]
    assert all(len({image.acquired for image in part}) == 1 for part in merged)


def test_few_or_differing_short_series_are_left_alone(scan, write, tmp_path):
    paths = write(scan(heights=HEIGHTS), tmp_path)
    images = [image for path in paths for image in read_images(path)]
    numbered = [[replace(i, series_number=n)] for n, i in enumerate(images, start=1)]
    assert merge_slivers(numbered) == numbered
    pair = [[replace(image, series_number=3)] for image in images[:2]]
    assert merge_slivers(pair) == pair


def test_slices_that_nothing_holds_together_are_told_as_such(scan, write, edit, tmp_path):
    for index, path in enumerate(write(scan(heights=HEIGHTS), tmp_path)):
        edit(path, SeriesInstanceUID=f"1.2.3.{index}", SeriesNumber=index + 1)
    (refusal,) = find_scans(tmp_path).refused
    assert isinstance(refusal.error, TooFewSlices)
    assert refusal.error.seen.startswith("There are 29 series of one slice each")
