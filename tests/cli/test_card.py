from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from hemocast.cli.main import application

run = CliRunner().invoke


def test_a_data_sheet_is_printed_or_written(tmp_path: Path) -> None:
    (tmp_path / "dataset_description.json").write_text('{"Name": "Ours"}', encoding="utf-8")
    printed = run(application(), ["card", str(tmp_path)])
    assert printed.exit_code == 0
    assert "# Data sheet: Ours" in printed.stdout
    written = run(application(), ["card", str(tmp_path), "--out", str(tmp_path / "out")])
    assert "questions answered" in written.stdout
    assert "# Data sheet: Ours" in (tmp_path / "out/datasheet.md").read_text(encoding="utf-8")
