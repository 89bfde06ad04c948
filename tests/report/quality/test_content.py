"""What the quality page shows: values that say nothing where nothing is known, and cannot drift."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from hemocast.report.quality.content import LeftOut, Quality, QualityScan
from hemocast.report.quality.page import quality_page


def test_a_scan_of_which_nothing_is_known_is_shown_without_numbers() -> None:
    scan = QualityScan("sub-01", "01")
    assert scan.spacing_mm is scan.tilt_degrees is scan.blood_ml is None
    page = quality_page(Quality([scan]))
    assert "sub-01" in page
    assert ">None<" not in page
    assert "nan" not in page


def test_what_was_left_out_is_counted_by_its_words() -> None:
    left = [LeftOut("sub-01", "01", "a localizer"), LeftOut("sub-02", "01", "a localizer")]
    assert "a localizer" in quality_page(Quality([QualityScan("sub-01", "01")], left_out=left))


def test_simulated_is_said_wherever_it_is_known() -> None:
    assert "SIMULATED" in quality_page(Quality([], simulated=True))
    assert "SIMULATED" in quality_page(Quality([QualityScan("sub-01", "01", simulated=True)]))


def test_values_do_not_change_once_made() -> None:
    with pytest.raises(FrozenInstanceError):
        QualityScan("sub-01", "01").blood = True  # type: ignore[misc]
