"""The examples do what they say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
NEEDED = ("Orthanc", "storescu")


@pytest.mark.slow
@pytest.mark.skipif(
    any(shutil.which(name) is None for name in NEEDED), reason="Orthanc and DCMTK are not installed"
)
def test_a_silent_trial_goes_from_the_scanner_to_the_archive(tmp_path: Path) -> None:
    pytest.importorskip("pynetdicom", reason="the extra 'serve' is not installed")
    command = [sys.executable, EXAMPLES / "hospital.py", tmp_path / "trial", "--once"]
    done = subprocess.run(
        [*command, "--studies", "2"],
        capture_output=True, text=True, timeout=900, env=os.environ, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 studies delivered" in done.stdout
    held = int(done.stdout.split("Orthanc holds ")[1].split()[0])
    assert held >= 6  # of each study a picture, a report and a heatmap


def test_a_folder_that_is_there_is_not_written_to(tmp_path: Path) -> None:
    if any(shutil.which(name) is None for name in NEEDED):
        pytest.skip("Orthanc and DCMTK are not installed")
    done = subprocess.run(
        [sys.executable, EXAMPLES / "hospital.py", tmp_path],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert not list(tmp_path.iterdir())
