"""``hemocast doctor`` as a user sees it."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from hemocast.cli.main import application
from hemocast.pipeline import doctor as examination
from hemocast.version import VERSION


def test_it_says_what_is_there_and_ends_with_0() -> None:
    result = CliRunner().invoke(application(), ["doctor"])
    assert f"ok      hemocast             {VERSION}, Python 3" in result.output
    for what in ("core libraries", "extra train", "DICOM compressions", "CPUs", "disk, here"):
        assert what in result.output
    assert result.output.splitlines()[-1] == "All is there"
    assert result.exit_code == 0


def test_what_is_missing_is_told_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    there = examination._version
    monkeypatch.setattr(
        examination,
        "_version",
        lambda name: None if name in ("nibabel", "lightning") else there(name),
    )
    result = CliRunner().invoke(application(), ["doctor"])
    assert "MISSING core libraries" in result.output
    assert ", without nibabel" in result.output
    assert 'pip install "hemocast[train]"' in result.output
    assert result.exit_code == 5
