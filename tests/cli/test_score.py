"""``hemocast score`` as a user sees it."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from hemocast.cli.score import score
from hemocast.errors import OutputExists, TableError, UsageError

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(score)


def _clinical(folder: Path, row: str = "a,70,18,none,North") -> Path:
    path = folder / "c.csv"
    path.write_text(f"participant_id,age,nihss,treatment,dense_arteries\n{row}\n")
    return path


def _run(*arguments: object) -> object:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_it_says_who_has_all_items_whom_it_is_not_for_and_what_is_not_used(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = _run("--clinical", _clinical(tmp_path), "--score", "span-100", "--out", out)
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "SPAN-100 (any intracerebral hemorrhage" in said
    assert "1 of 1 have all items; 1 are not whom it is for" in said
    assert "column dense_arteries is not used; dense_artery would be" in said
    assert "HAT" not in said
    assert (out / "scores.csv").read_text().count("\n") == 2


def test_outcomes_are_counted(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("participant_id,label\na,1\n")
    result = _run("--clinical", _clinical(tmp_path), "--labels", tmp_path / "l.csv",
                  "--out", tmp_path / "out")  # fmt: skip
    assert "Outcome any_ht: 1 yes, 0 not known, of 1" in result.output
    assert "Outcome ecass_ii: 0 yes, 1 not known, of 1" in result.output


def test_bad_tables_names_and_folders_are_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    bad = _run("--clinical", _clinical(tmp_path, "a,70,99,none,x"), "--out", out)
    assert isinstance(bad.exception, TableError)
    assert bad.exception.exit_code == 4
    unknown = _run("--clinical", _clinical(tmp_path), "--score", "XYZ", "--out", out)
    assert isinstance(unknown.exception, UsageError)
    alone = _run("--clinical", _clinical(tmp_path), "--nihss", tmp_path / "c.csv", "--out", out)
    assert isinstance(alone.exception, UsageError)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "scores.csv").write_text("mine")
    theirs = _run("--clinical", _clinical(tmp_path), "--out", tmp_path / "theirs")
    assert isinstance(theirs.exception, OutputExists)
    assert not out.exists()


def test_race_is_left_out_on_request(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _run("--clinical", _clinical(tmp_path), "--score", "GRASPS", "--without-race", "--out", out)
    assert "race_left_out" in (out / "scores.csv").read_text()
