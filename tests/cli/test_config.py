"""``hemocast config init``: a file to begin with, never over one that is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hemocast.cli.main import application
from hemocast.config import Config, load_config
from hemocast.errors import OutputExists


def test_the_file_is_what_train_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(application(), ["config", "init"])
    assert result.exit_code == 0, result.output
    assert load_config(tmp_path / "hemocast.yaml") == Config()
    (tmp_path / "hemocast.yaml").write_text("train: {epochs: 3}\n")
    result = CliRunner().invoke(application(), ["config", "init"])
    assert isinstance(result.exception, OutputExists)
    assert (tmp_path / "hemocast.yaml").read_text() == "train: {epochs: 3}\n"
