"""Refusals in the same words wherever a file is read."""

from __future__ import annotations

from hemocast.dicom.refusals import malformed, truncated


def test_each_says_what_was_seen_expected_and_to_be_done() -> None:
    assert truncated().code == "HC104"
    assert str(malformed("Two sizes")).startswith("HC107 Two sizes. Expected ")
    assert all(error.action for error in (truncated(), malformed("a")))
