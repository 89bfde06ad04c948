"""Reasons, counted."""

from __future__ import annotations

from hemocast.dataset.ingest.refusals import count_reasons


def test_reasons_are_counted_without_their_numbers() -> None:
    assert count_reasons(
        [
            "series 2 (3 image(s)) left out: localizer",
            "series without a number (1 image(s)) left out: localizer",
            "series 3 (28 image(s)) left out: series 2 was preferred: slices of 5 mm, plain",
            "series 4 (9 image(s)) left out: series without a number was preferred: covers 150 mm",
            "series 5 (9 image(s)) left out: covers 700 mm, more than a head",
            "series 6 (9 image(s)) left out: covers 720.5 mm, more than a head",
            "12 file(s) left out: not DICOM images",
            "30 file(s) left out: not DICOM images",
            "something else",
        ]
    ) == {
        "localizer": 2,
        "another series of the study was preferred": 2,
        "covers N mm, more than a head": 2,
        "not DICOM images": 42,
        "something else": 1,
    }
