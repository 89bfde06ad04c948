"""``python -m hemocast`` is the command ``hemocast``."""

from __future__ import annotations

import subprocess
import sys

from hemocast.version import VERSION


def _module(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hemocast", *arguments], capture_output=True, text=True, timeout=60
    )


def test_the_package_runs_as_a_module() -> None:
    assert _module("--version").stdout == f"hemocast {VERSION}\n"


def test_it_refuses_as_the_command_does() -> None:
    done = _module("quality", "/nowhere")
    assert done.returncode == 4
    assert done.stderr.startswith("HC")
    assert "Traceback" not in done.stderr
