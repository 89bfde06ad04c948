"""The two walls: the standard's table, and an allow-list that never keeps what it removes."""

from __future__ import annotations

import pytest
from pydicom.datadict import keyword_for_tag, tag_for_keyword

from hemocast.dicom.deidentify import policy


def rule(keyword: str) -> str | None:
    return policy.rules().get(tag_for_keyword(keyword) or 0)


def test_nothing_that_the_profile_removes_is_kept_as_it_is() -> None:
    profile = policy.basic_profile()
    kept = [tag for tag, what in policy.rules().items() if what == "keep" and tag in profile]
    assert [keyword_for_tag(tag) for tag in kept if "U" not in profile[tag]] == []
    assert len(profile) > 600


@pytest.mark.parametrize(
    "keyword",
    ["PatientName", "PatientID", "AccessionNumber", "InstitutionName", "DeviceSerialNumber",
     "OperatorsName", "PatientBirthDate", "StationName", "ContentSequence", "IconImageSequence",
     "RequestAttributesSequence", "OverlayData", "PatientComments"],
)  # fmt: skip
def test_identifiers_are_not_looked_at(keyword: str) -> None:
    assert rule(keyword) is None


@pytest.mark.parametrize(
    ("keyword", "what"),
    [
        ("ImagePositionPatient", "keep"), ("StudyInstanceUID", "uid"), ("StudyDate", "shift"),
        ("ConvolutionKernel", "disguise"), ("SeriesDescription", "words"),
        ("Manufacturer", "scanner"), ("SharedFunctionalGroupsSequence", "items"),
    ],
)  # fmt: skip
def test_what_a_scan_needs_stays(keyword: str, what: str) -> None:
    assert rule(keyword) == what


def test_terms_are_no_free_text() -> None:
    assert all(term == term.upper() and len(term) <= 16 for term in policy.TERMS)
