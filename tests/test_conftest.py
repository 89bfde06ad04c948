"""What the tests share: where CI is set, a skip for a missing component is a failure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

def test_program():
    pytest.skip("Orthanc is not installed")

def test_data():
    pytest.skip("no real test data: set HEMOCAST_TEST_DATA")

@pytest.mark.xfail(reason="known")
def test_known():
    assert 1 == 2
"""


def _run(folder: Path, ci: str) -> str:
    shutil.copy(Path(__file__).with_name("conftest.py"), folder / "conftest.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "CI"} | {"CI": ci},
    )
    return done.stdout


@pytest.mark.parametrize(("ci", "words"), [("", "2 skipped, 1 xfailed"), ("true", "1 failed, 1 s")])
def test_a_missing_program_fails_where_ci_is_set(tmp_path: Path, ci: str, words: str) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    assert words in _run(tmp_path, ci)


def test_a_file_that_skips_itself_fails_too(tmp_path: Path) -> None:
    (tmp_path / "test_file.py").write_text(
        "import pytest\npytest.importorskip('nonsuch', reason='nonsuch is not installed')\n"
    )
    assert "1 skipped" in _run(tmp_path, "")
    assert "Missing where CI is set: Skipped: nonsuch is not installed" in _run(tmp_path, "true")
