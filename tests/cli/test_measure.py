"""``hemocast measure`` as a user sees it."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from hemocast.cli.measure import measure
from hemocast.errors import OutputExists

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(measure)


def test_a_scan_is_measured_and_a_missing_one_told(ge_head: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = [str(ge_head), str(tmp_path / "none"), "--out", str(out)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 3, result.output
    assert "1 done scan-" in result.output
    assert "2 refused  HC101" in result.output
    assert "1 measured, 1 not" in result.output
    assert "SIMULATED" not in result.output
    assert (out / "measurements.csv").read_text().count("\n") == 3


def test_nothing_measured_is_exit_code_4(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(tmp_path / "none"), "--out", str(tmp_path / "out")])
    assert result.exit_code == 4


def test_a_folder_of_the_users_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    result = CliRunner().invoke(app, [str(tmp_path), "--out", str(tmp_path)])
    assert isinstance(result.exception, OutputExists)
