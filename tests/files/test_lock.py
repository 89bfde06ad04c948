from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hemocast import files
from hemocast.errors import InUse


def test_two_writers_at_once_and_a_writer_that_was_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time, pathlib; from hemocast.files import claim\n"
        f"with claim(pathlib.Path({str(tmp_path)!r}) / 'out', 'ingest'):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with (
        pytest.raises(InUse, match=f"process {other.pid}"),
        files.claim(tmp_path / "out", "ingest"),
    ):
        pass
    other.kill()
    other.wait()
    with files.claim(tmp_path / "out", "ingest"):
        pass
