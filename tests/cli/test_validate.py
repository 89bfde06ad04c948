"""``hemocast validate``, as typed wrongly; how it goes is tested in ``pipeline``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import hemocast as package

MODEL = Path(package.__file__).parent / "assets" / "demo_model"


def test_what_is_missing_or_cannot_be_is_refused_and_nothing_written(
    tmp_path: Path, hemocast: Callable[..., CompletedProcess[str]]
) -> None:
    out = ("--out", tmp_path / "out")
    missing = hemocast("validate", MODEL, tmp_path / "none", *out)
    assert missing.returncode == 4
    assert "HC101" in missing.stderr
    assert hemocast("validate", tmp_path, tmp_path, *out).returncode == 4
    assert hemocast("validate", MODEL, tmp_path, *out, "--cstat", 1.2).returncode == 2
    assert not (tmp_path / "out").exists()
