"""``hemocast quality`` as a user sees it."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from typer.testing import CliRunner

from hemocast.cli.quality import quality
from hemocast.errors import DatasetError, NothingThere, OutputExists
from hemocast.files import RECORD

app = typer.Typer()
app.command()(quality)
OURS = {"DatasetType": "raw", "GeneratedBy": [{"Name": "hemocast"}]}


def test_it_says_where_the_page_is(tmp_path: Path) -> None:
    (tmp_path / "dataset_description.json").write_text(json.dumps(OURS))
    done = CliRunner().invoke(app, [str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert str(tmp_path / "quality" / "report.html") in done.output.replace("\n", "")
    assert "holds no scan" in (tmp_path / "quality" / "report.html").read_text()


def test_a_foreign_folder_is_refused_and_not_written_to(tmp_path: Path) -> None:
    own = tmp_path / "quality" / "report.html"
    own.parent.mkdir()
    own.write_text("mine")
    assert isinstance(CliRunner().invoke(app, [str(tmp_path)]).exception, DatasetError)
    assert own.read_text() == "mine"
    assert isinstance(CliRunner().invoke(app, [str(tmp_path / "no")]).exception, NothingThere)


def test_a_page_that_somebody_changed_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "dataset_description.json").write_text(json.dumps(OURS))
    assert CliRunner().invoke(app, [str(tmp_path)]).exit_code == 0
    page = tmp_path / "quality" / "report.html"
    page.write_text(page.read_text() + "<!-- my note -->")
    assert isinstance(CliRunner().invoke(app, [str(tmp_path)]).exception, OutputExists)
    assert page.read_text().endswith("<!-- my note -->")


def test_a_page_of_the_version_before_is_replaced_and_one_of_the_users_is_not(
    tmp_path: Path,
) -> None:
    (tmp_path / "dataset_description.json").write_text(json.dumps(OURS))
    assert CliRunner().invoke(app, [str(tmp_path)]).exit_code == 0
    (tmp_path / "quality" / RECORD).unlink()
    assert CliRunner().invoke(app, [str(tmp_path)]).exit_code == 0
    (tmp_path / "quality" / RECORD).unlink()
    (tmp_path / "quality" / "report.html").write_text("mine")
    assert isinstance(CliRunner().invoke(app, [str(tmp_path)]).exception, OutputExists)
