"""The command line as a user meets it: help, wrong usage, refusals without a traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hemocast

HEMOCAST = Path(sys.executable).with_name("hemocast")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HEMOCAST, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def test_help_names_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("predict", "demo", "simulate", "ingest", "train"):
        assert command in done.stdout
    assert "Not a medical device" in done.stdout


def test_version() -> None:
    assert run("--version").stdout.strip() == f"hemocast {hemocast.__version__}"


@pytest.mark.parametrize(
    "arguments",
    [
        ("predict",),
        ("predict", "x", "--nonsense"),
        ("ingest", "x"),
        ("nonsense",),
        ("simulate", "--out", "x", "--preset", "nonsense"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = subprocess.run(
        [HEMOCAST, *arguments], capture_output=True, text=True, timeout=120, cwd=tmp_path
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    done = run("predict", tmp_path, "--model", tmp_path / "none", "--out", tmp_path / "out")
    assert done.returncode == 4
    assert done.stderr.startswith("HC501 ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
