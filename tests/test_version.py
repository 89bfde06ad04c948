"""The version: one place, the same for the package, the command and the installed metadata."""

from __future__ import annotations

import re
from pathlib import Path

import hemocast
from hemocast.version import VERSION

ROOT = Path(__file__).parents[1]


def test_it_is_a_version_and_the_packages() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+([ab]\d+|rc\d+)?", VERSION)
    assert hemocast.__version__ == VERSION


def test_the_build_reads_it_from_the_file() -> None:
    pattern = re.search(r"pattern = '(.*)'", (ROOT / "pyproject.toml").read_text())
    assert pattern is not None
    found = re.search(pattern[1], Path(hemocast.version.__file__).read_text())
    assert found is not None
    assert found["version"] == VERSION
