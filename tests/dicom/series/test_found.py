"""What a folder holds: named without identifying anybody."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hemocast.dicom import find_scans
from hemocast.dicom.files.write import make_uid
from hemocast.dicom.series.found import Refusal
from hemocast.errors import NoCT


def test_a_scan_is_named_by_a_hash_of_its_uids(
    write: Callable[..., Any], scan: Any, series_of: Any, tmp_path: Path
) -> None:
    write(scan(size=4, heights=(0.0, 5.0)), tmp_path)
    pair = f"{make_uid('study')}\x1f{make_uid('study', 'series')}"
    expected = hashlib.sha256(pair.encode()).hexdigest()[:16]
    assert series_of(tmp_path).scan_uid == expected


@pytest.mark.parametrize(
    ("acquired", "expected"),
    [(datetime(2020, 1, 2, 3, 4, 5), datetime(2020, 1, 2, 3, 4, 5)), (None, None)],
)
def test_when_it_was_acquired(
    acquired: Any, expected: Any, write: Callable[..., Any], scan: Any, series_of: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    write(scan(size=4, heights=(0.0,)).with_header(acquired=acquired), tmp_path)
    assert series_of(tmp_path).acquired == expected


def test_neither_scan_nor_refusal_shows_whose_it_is(
    write: Callable[..., Any], scan: Any, tmp_path: Path
) -> None:
    write(scan(size=4, pixel=40.0).with_header(patient_id="SECRET-1"), tmp_path)
    found = find_scans(tmp_path).scans[0]
    refusal = Refusal("SECRET-1", "1.2.3", NoCT("a", "b", "c"))
    assert "SECRET" not in repr(found)
    assert "SECRET" not in repr(refusal)
    assert found.series.first.patient_key == "SECRET-1"
