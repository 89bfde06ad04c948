"""``hemocast reproduce`` as a user starts it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hemocast.cli.main import application
from hemocast.errors import TableError


@pytest.mark.slow
def test_the_fast_run_ends_in_a_page_that_says_simulated(tmp_path: Path) -> None:
    out = tmp_path / "paper"
    result = CliRunner().invoke(
        application(), ["reproduce", "--fast", "--out", str(out), "--workers", "1"]
    )
    assert result.exit_code == 0, result.output
    assert "SIMULATED patients, outcomes and readers" in result.output
    (line,) = (line for line in result.output.splitlines() if line.startswith("Page: "))
    page = Path(line.removeprefix("Page: "))
    assert page.parent == out
    assert "SIMULATED" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("wrong", [("--seed", "-1"), ("--workers", "0"), ("--fast", "yes")])
def test_wrong_usage_starts_nothing(wrong: tuple[str, str], tmp_path: Path) -> None:
    result = CliRunner().invoke(
        application(), ["reproduce", "--out", str(tmp_path / "paper"), *wrong]
    )
    assert result.exit_code == 2
    assert not (tmp_path / "paper").exists()


def test_a_benchmark_that_is_none_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    arguments = ["reproduce", "--out", str(tmp_path / "paper"), "--benchmark", str(tmp_path)]
    result = CliRunner().invoke(application(), arguments)
    assert isinstance(result.exception, TableError)
    assert not (tmp_path / "paper").exists()
