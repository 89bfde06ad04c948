"""``hemocast demo`` as README's first command starts it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hemocast.cli.main import application


@pytest.mark.slow
def test_the_whole_way_once_learns_something_and_ends_in_a_page(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    result = CliRunner().invoke(application(), ["demo", "--out", str(out), "--workers", "1"])
    assert result.exit_code == 0, result.output
    assert "SIMULATED" in result.output
    auc = re.search(r"AUC on held-out patients 0?\.\d+ \((0?\.\d+) to", result.output)
    assert auc is not None, result.output
    assert float(auc[1]) > 0.5  # of 50 patients: the interval is wide, and the seed is one of many
    assert str((out / "report.html").resolve()) in result.output.replace("\n", "")
    assert (out / "report.html").is_file()


@pytest.mark.parametrize("wrong", [("--seed", "-1"), ("--workers", "0")])
def test_numbers_that_cannot_be_are_wrong_usage(wrong: tuple[str, str], tmp_path: Path) -> None:
    result = CliRunner().invoke(application(), ["demo", "--out", str(tmp_path / "demo"), *wrong])
    assert result.exit_code == 2
    assert not (tmp_path / "demo").exists()
