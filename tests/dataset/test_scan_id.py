"""Names of scans: made and read in one place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hemocast.dataset.scan_id import ScanId, participant_of


@given(label=st.from_regex(r"[0-9A-Za-z]{1,12}", fullmatch=True), number=st.integers(1, 999))
def test_a_name_is_read_as_it_was_made(label: str, number: int) -> None:
    scan = ScanId.numbered(f"sub-{label}", number)
    assert ScanId.parse(str(scan)) == scan
    assert scan.number == number
    assert participant_of(str(scan)) == f"sub-{label}"
    for ending in (".nii.gz", ".nii", ".json"):
        assert ScanId.of_file(scan.file_name.removesuffix(".nii.gz") + ending) == scan


@pytest.mark.parametrize(
    "text",
    ["", "sub-1", "ses-01", "sub-1_ses-", "sub-1_ses-01_ct", "sub-a/b_ses-01", "SUB-1_ses-1"],
)
def test_what_is_no_name_is_none(text: str) -> None:
    assert ScanId.parse(text) is None
    assert ScanId.of_file(text) is None


def test_a_file_is_named_only_with_its_ending() -> None:
    assert ScanId.of_file("sub-1_ses-01_ct.nii.gz") == ScanId("sub-1", "ses-01")
    assert ScanId.of_file("sub-1_ses-01.nii.gz") is None
    assert ScanId.of_file("sub-1_ses-01_ct.nii.gz.partial") is None


def test_a_session_with_a_word_has_no_number() -> None:
    assert ScanId("sub-1", "ses-pre").number is None


def test_the_participant_of_somebodys_own_scan_id() -> None:
    assert participant_of("P7_first_look") == "P7"
    assert participant_of("P7") == "P7"


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("sub-0123456789ab_ses-01", True), ("sub-fedcba987654_ses-123", True),
        ("sub-DOEJOHN1933_ses-01", False), ("sub-0123456789AB_ses-01", False),
        ("sub-0123456789ab_ses-20240131", False), ("sub-0123456789abc_ses-01", False),
        ("sub-0123456789ab_ses-Doe", False), ("sub-0001_ses-01", False),
    ],
)  # fmt: skip
def test_only_a_pseudonym_of_ours_is_one(name: str, ours: bool) -> None:
    scan = ScanId.parse(name)
    assert scan is not None
    assert scan.is_pseudonym == ours
