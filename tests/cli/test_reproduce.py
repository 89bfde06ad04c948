"""``hemocast reproduce`` as a user sees it."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hemocast.cli.reproduce import reproduce
from hemocast.errors import NotWritable, OutputExists
from hemocast.files import claim
from hemocast.pipeline.reproduce.plan import make_plan
from hemocast.pipeline.reproduce.run import FOLDER

app = typer.Typer()
app.command()(reproduce)


def test_a_users_folder_and_a_file_are_refused_before_anything_is_simulated(
    tmp_path: Path,
) -> None:
    (tmp_path / "reproduce.yaml").write_text("simulate: [")
    result = CliRunner().invoke(app, ["--out", str(tmp_path)])
    assert isinstance(result.exception, OutputExists)
    assert (tmp_path / "reproduce.yaml").read_text() == "simulate: ["
    result = CliRunner().invoke(app, ["--out", str(tmp_path / "reproduce.yaml")])
    assert isinstance(result.exception, NotWritable)


def test_a_fast_run_does_not_enter_the_folder_of_a_full_one(tmp_path: Path) -> None:
    plan = make_plan(fast=False, seed=0)
    with FOLDER.open(tmp_path / "out", plan, plan.simulate):
        pass
    result = CliRunner().invoke(app, ["--out", str(tmp_path / "out"), "--fast"])
    assert isinstance(result.exception, OutputExists)
    assert "did not make" in str(result.exception)


def test_a_folder_of_another_command_is_refused(tmp_path: Path) -> None:
    with claim(tmp_path / "out", "evaluation"):
        pass
    result = CliRunner().invoke(app, ["--out", str(tmp_path / "out")])
    assert isinstance(result.exception, OutputExists)
    assert "evaluation" in str(result.exception)


@pytest.mark.parametrize("options", [["--seed", "-1"], ["--workers", "0"]])
def test_wrong_usage_is_said_to_be(options: list[str]) -> None:
    assert CliRunner().invoke(app, options).exit_code == 2
