"""``hemocast deidentify`` as a user sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hemocast.cli.deidentify import deidentify

app = typer.Typer()
app.command()(deidentify)


def test_it_exports_and_says_what_was_left_behind(
    ge_head: Path, unpack: Callable[[str], Path], tmp_path: Path
) -> None:
    other = unpack("phantom_localizer_summary")
    out = tmp_path / "clean"
    result = CliRunner().invoke(app, [str(ge_head), str(other), "--out", str(out)])
    assert result.exit_code == 3, result.output
    assert "28 file(s) written, 0 already there" in result.output
    assert "7 left behind with HC305" in result.output
    table = (out / "left_behind.tsv").read_text().splitlines()
    assert table[0] == "participant_id\tfiles\tcode\treason"
    assert len(table) == 3
    assert (tmp_path / "clean.key").is_file()


def test_a_key_inside_the_export_is_refused(ge_head: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, [str(ge_head), "--out", str(tmp_path), "--key", str(tmp_path / "key")]
    )
    assert result.exit_code != 0
    assert result.exception is not None
    assert "HC001" in str(result.exception)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_processes_do_not_matter(workers: str, ge_head: Path, tmp_path: Path) -> None:
    out = tmp_path / "clean"
    result = CliRunner().invoke(app, [str(ge_head), "--out", str(out), "--workers", workers])
    assert result.exit_code == 0, result.output
    assert len(list(out.rglob("*.dcm"))) == 28


def test_a_refused_place_costs_no_key(ge_head: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    for name, code in (("mine", "HC004"), ("file", "HC005")):
        result = CliRunner().invoke(app, [str(ge_head), "--out", str(tmp_path / name)])
        assert code in str(result.exception)
    assert sorted(tmp_path.rglob("*")) == before
