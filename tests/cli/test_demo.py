"""``hemocast demo`` as a user sees it."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hemocast.cli.demo import demo
from hemocast.config import Config, NetConfig, PrepareConfig, TrainConfig
from hemocast.errors import NotWritable, OutputExists
from hemocast.pipeline import demo as story

app = typer.Typer()
app.command()(demo)


def test_a_users_folder_and_a_file_are_refused_before_anything_is_simulated(
    tmp_path: Path,
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = CliRunner().invoke(app, ["--out", str(tmp_path)])
    assert isinstance(result.exception, OutputExists)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    result = CliRunner().invoke(app, ["--out", str(tmp_path / "mine.txt")])
    assert isinstance(result.exception, NotWritable)


@pytest.mark.parametrize("options", [["--seed", "-1"], ["--workers", "0"], ["--fast"]])
def test_wrong_usage_is_said_to_be(options: list[str]) -> None:
    assert CliRunner().invoke(app, options).exit_code == 2


@pytest.mark.slow
def test_it_says_simulated_the_auc_and_where_the_page_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Config(
        prepare=PrepareConfig(size=96, pixel_mm=2),
        net=NetConfig(pool=2, stem=8, widths=(8, 8)),
        train=TrainConfig(epochs=2, threads=1),
    )
    monkeypatch.setattr(story, "CONFIG", small)
    monkeypatch.setattr(story, "DEMO", story.DEMO.model_copy(update={"n_ht": 6, "n_non": 6}))
    result = CliRunner().invoke(app, ["--out", str(tmp_path / "out"), "--workers", "1"])
    assert result.exit_code == 0, result.output
    assert "SIMULATED scans and outcomes: this says nothing about patients." in result.output
    assert "AUC on held-out patients" in result.output
    assert str(tmp_path / "out" / "report.html") in result.output.replace("\n", "")
