"""``hemocast federate``, as typed wrongly; how it goes is tested in ``pipeline``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess


def test_what_is_missing_or_cannot_be_is_refused_and_nothing_written(
    tmp_path: Path, hemocast: Callable[..., CompletedProcess[str]]
) -> None:
    command = ("federate", "rehearse", tmp_path / "none", "--out", tmp_path / "out")
    missing = hemocast(*command)
    assert missing.returncode == 4
    assert "HC101" in missing.stderr
    assert hemocast(*command, "--rounds", 0).returncode == 2
    assert not (tmp_path / "out").exists()
