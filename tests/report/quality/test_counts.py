"""What the quality page counts."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from hemocast.left_out import RefusedStudy
from hemocast.report.quality.content import LeftOut, Quality, QualityScan
from hemocast.report.quality.counts import (
    Reason,
    alike,
    codes_of,
    flow_of,
    most_of,
    number_of,
    reasons_of,
    refused_of,
    thicknesses,
)


@pytest.mark.parametrize(
    ("count", "noun", "said"),
    [(1, "study", "1 study"), (2, "study", "2 studies"), (0, "series", "0 series"),
     (3, "scan", "3 scans")],
)  # fmt: skip
def test_numbers_have_their_nouns(count: int, noun: str, said: str) -> None:
    assert number_of(count, noun) == said


def test_remarks_are_alike_whatever_their_numbers() -> None:
    assert alike("tilt of 13.4 degrees") == alike("tilt of 7 degrees") == "tilt of … degrees"


def test_the_most_frequent_come_first_and_the_rest_as_one() -> None:
    counts = Counter({"a": 1, "b": 5, "c": 1, "d": 2})
    assert most_of(counts, 2) == [("b", 5), ("d", 2), ("2 others", 2)]
    assert most_of(counts) == [("b", 5), ("d", 2), ("a", 1), ("c", 1)]


def test_thicknesses_show_every_bin_between_the_thinnest_and_the_thickest() -> None:
    scans = [QualityScan("p", "s", thickness_mm=mm) for mm in ((0.6,), (2.5, 5.0), (9.0,), ())]
    found = thicknesses(scans)
    assert found[0] == ("up to 1 mm", 1)
    assert ("4 to 5 mm", 1) in found
    assert ("2 to 3 mm", 0) in found, "the thickest slice of a scan counts"
    assert found[-2:] == [("over 8 mm", 1), ("not stated", 1)]
    assert thicknesses([]) == []


def test_a_study_refused_twice_counts_once_and_a_source_apart() -> None:
    refused = [
        RefusedStudy("a", "HC203", "gap", "study-1"),
        RefusedStudy("a", "HC302", "no brain", "study-1"),
        RefusedStudy("b", "HC203", "gap", ""),
        RefusedStudy("", "HC105", "zip"),
    ]
    quality = Quality(scans=[], refused=refused)
    assert refused_of(quality) == (2, 1)
    codes = codes_of(refused)
    assert codes[0] == ("HC203", "A gap in the slices.", 2)
    assert {code for code, _, _ in codes} == {"HC203", "HC302", "HC105"}
    assert codes_of([RefusedStudy("a", "HC998", "?")])[0][1].startswith("A code that this version")


def test_reasons_tell_kept_studies_others_and_files_apart() -> None:
    left = [
        LeftOut("a", "ses-01", "localizer"),
        LeftOut("a", "ses-01", "covers 20 mm"),
        LeftOut("a", "ses-01", "covers 35 mm"),
        LeftOut("b", "", "localizer"),
        LeftOut("", "", "not DICOM", files=12),
        LeftOut("b", "", ""),
    ]
    quality = Quality(scans=[QualityScan("a", "ses-01")], left_out=left)
    assert reasons_of(quality) == [
        Reason("covers … mm", 2, 0, 0),
        Reason("localizer", 1, 1, 0),
        Reason("no reason given", 0, 1, 0),
        Reason("not DICOM", 0, 0, 12),
    ]


def test_the_flow_adds_up() -> None:
    scans = [QualityScan("a", "ses-01", blood=True), QualityScan("a", "ses-02")]
    quality = Quality(
        scans=scans,
        refused=[RefusedStudy("b", "HC207", "contrast", "study-9")],
        left_out=[LeftOut("a", "ses-01", "localizer"), LeftOut("b", "", "contrast")],
    )
    flow = flow_of(quality)
    assert [box.title for box in flow.main] == [
        "3 studies found", "2 studies entered", "3 series in them", "2 scans kept",
    ]  # fmt: skip
    assert [box.title for box in flow.lost] == ["1 study refused", "1 series left out"]
    assert flow.main[3].lines == ("of 1 participant; blood seen in 1",)
    boxes = [*flow.main, *flow.lost]
    assert flow.height >= max(box.y + box.height for box in boxes)
    ends = [(box.y, box.y + box.height) for box in flow.main]
    assert all(first[1] < second[0] for first, second in itertools.pairwise(ends))
