"""Refusals in the same words wherever a file is read."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from hemocast.dicom.refusals import is_denied, malformed, reading, truncated, unreadable
from hemocast.errors import Unreadable


def test_each_says_what_was_seen_expected_and_to_be_done() -> None:
    assert truncated().code == "HC104"
    assert str(malformed("Two sizes")).startswith("HC107 Two sizes. Expected ")
    assert all(error.action for error in (truncated(), malformed("a")))


def test_what_cannot_be_read_is_counted_with_the_systems_reasons_and_no_path() -> None:
    denied = [PermissionError(13, "Permission denied", "/data/DOE^JANE")] * 2
    error = unreadable([*denied, OSError(5, "Input/output error", "/data/DOE^JANE")])
    assert error.code == "HC109"
    assert error.seen.startswith("3 file(s) or folder(s)")
    assert "Input/output error, Permission denied" in error.seen
    assert "DOE" not in str(error)


def test_a_failing_disk_is_no_damaged_file() -> None:
    with pytest.raises(Unreadable, match="Input/output error"), reading():
        Path("/proc/self/mem").read_bytes()
    assert is_denied(OSError(errno.EIO, "Input/output error"))
    assert not is_denied(OSError("cannot identify image"))
    assert not is_denied(OSError(errno.EINVAL, "Invalid argument"))
    assert not is_denied(ValueError("a"))
