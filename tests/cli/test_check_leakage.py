"""``hemocast check-leakage`` as a user sees it."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from hemocast.cli.check_leakage import check_leakage
from hemocast.errors import NothingThere, UsageError

app = typer.Typer()
app.command()(check_leakage)


def _split(folder: Path, train: range, test: range) -> Path:
    rows = [f"sub-{i:04d}\ttrain" for i in train] + [f"sub-{i:04d}\ttest" for i in test]
    path = folder / "splits" / "default.tsv"
    path.parent.mkdir()
    path.write_text("participant_id\tpart\n" + "\n".join(rows) + "\n")
    return path


def test_the_papers_split_is_found_with_code_5(tmp_path: Path) -> None:
    _split(tmp_path, range(437), range(413, 474))
    result = CliRunner().invoke(app, [str(tmp_path)])
    assert result.exit_code == 5
    assert "train & test: 24 patient(s) in both (39.3 % of test)" in result.output
    assert "LEAK: sub-0413, sub-0414" in result.output
    assert "sub-0436" in result.output


def test_a_clean_split_passes_by_path(tmp_path: Path) -> None:
    path = _split(tmp_path, range(400), range(400, 474))
    result = CliRunner().invoke(app, [str(tmp_path), "--split", str(path), "--no-pixels"])
    assert result.exit_code == 0, result.output
    assert "0 patient(s) in both" in result.output
    assert "No leak found" in result.output


def test_the_only_split_is_taken_and_of_several_the_names_are_told(tmp_path: Path) -> None:
    path = _split(tmp_path, range(40), range(40, 50))
    path = path.rename(path.with_name("ctnet.tsv"))  # as 'hemocast train' calls it
    result = CliRunner().invoke(app, [str(tmp_path), "--no-pixels"])
    assert result.exit_code == 0, result.output
    assert "Split: ctnet" in result.output
    path.with_name("site.tsv").write_bytes(path.read_bytes())
    result = CliRunner().invoke(app, [str(tmp_path), "--no-pixels"])
    assert isinstance(result.exception, UsageError)
    assert "the dataset has ctnet, site" in str(result.exception)
    result = CliRunner().invoke(app, [str(tmp_path), "--split", "default"])
    assert isinstance(result.exception, NothingThere)
    assert "no such split; the dataset has ctnet, site" in str(result.exception)
