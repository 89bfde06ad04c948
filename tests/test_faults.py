"""A fault of our own: one line for the user, the cause in a file that only its owner can read."""

from __future__ import annotations

import re
import stat
import tempfile
from pathlib import Path

import pytest

from hemocast.errors import InternalError
from hemocast.faults import internal_error


def _fault(secret: str) -> InternalError:
    try:
        {}[secret]
    except KeyError as error:
        return internal_error(error)


def test_the_cause_is_in_a_private_file_and_not_in_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    line = str(_fault("DOE^JANE"))
    assert line.startswith("HC999 Hemocast failed (KeyError); its cause is in ")
    assert "DOE" not in line
    assert "\n" not in line
    (log,) = tmp_path.iterdir()
    assert str(log) in line
    assert re.search(r"Traceback.*KeyError: 'DOE\^JANE'", log.read_text(), re.DOTALL)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_two_faults_keep_two_causes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert str(_fault("one")) != str(_fault("two"))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_full_temporary_folder_does_not_hide_the_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    assert "HC999 Hemocast failed (KeyError); its cause could not be kept" in str(_fault("x"))
