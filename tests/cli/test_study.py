from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from hemocast.cli.main import application

run = CliRunner().invoke


def test_a_study_is_told_from_a_dataset_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/dataset_description.json").write_text(
        '{"Name": "x", "Simulated": true}', encoding="utf-8"
    )
    done = run(
        application(), ["study", "--dataset", str(tmp_path / "data"), "--out", str(tmp_path / "o")]
    )
    assert done.exit_code == 0
    assert "SIMULATED data" in done.stdout
    assert "TRIPOD+AI 2024: " in done.stdout
    assert (tmp_path / "o/study.html").is_file()
