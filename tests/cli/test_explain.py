"""``hemocast explain`` as a user sees it."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from hemocast.cli.explain import explain
from hemocast.errors import HemocastError

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(explain)


def test_a_scan_is_explained_in_words(ge_head: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = CliRunner().invoke(app, [str(ge_head), "--method", "cam", "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "cam: evidence right" in result.output
    assert (out / "explanation.html").is_file()
    assert "not for clinical" in result.output
    assert (out / "heatmap-cam.nii.gz").is_file()


def test_what_is_no_scan_is_refused_with_its_code(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(tmp_path / "none"), "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, HemocastError)
    assert result.exception.code == "HC101"
