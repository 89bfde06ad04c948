"""Reasons, counted."""

from __future__ import annotations

from hemocast.dataset.ingest.refusals import count_reasons
from hemocast.left_out import LeftOut, LeftOutCode


def test_reasons_are_counted_by_code_and_files_by_their_number() -> None:
    preferred = LeftOutCode.NOT_PREFERRED
    assert count_reasons(
        [
            LeftOut(LeftOutCode.LOCALIZER, 3, 2),
            LeftOut(LeftOutCode.LOCALIZER, 1),
            LeftOut(preferred, 28, 3, "series 2, for slices of 5 mm"),
            LeftOut(preferred, 9, 4, "series without a number, for covers 150 mm"),
            LeftOut(LeftOutCode.NOT_DICOM, 12),
            LeftOut(LeftOutCode.NOT_DICOM, 30),
        ]
    ) == {
        "localizer": 2,
        "another series of the study was preferred": 2,
        "not DICOM images": 42,
    }
