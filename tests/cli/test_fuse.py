"""``hemocast fuse`` as a user sees it."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from hemocast.cli.fuse import fuse
from hemocast.errors import NothingThere

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(fuse)


def test_it_says_what_the_image_adds(tmp_path: Path) -> None:
    rows = ["participant_id,scan_id,label,probability"]
    record = ["participant_id,nihss,treatment"]
    for at in range(80):
        rows.append(f"p{at},s{at},{at % 2},{0.3 + 0.004 * ((at * 37) % 80) + 0.1 * (at % 2):.3f}")
        record.append(f"p{at},{(at * 13) % 40},none")
    (tmp_path / "p.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "c.csv").write_text("\n".join(record) + "\n")
    given = [str(tmp_path / "p.csv"), "--clinical", str(tmp_path / "c.csv"), "--resamples", "20"]
    result = CliRunner().invoke(app, [*given, "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "80 patients, 40 with HT" in result.output
    assert "What the image adds: AUC " in result.output
    assert "net benefit at 20 %" in result.output
    assert "Treatment none: 80 patients" in result.output
    assert "Treatments differ" not in result.output
    given[2] = str(tmp_path / "absent.csv")
    absent = CliRunner().invoke(app, [*given, "--out", str(tmp_path / "other")])
    assert isinstance(absent.exception, NothingThere)
    assert not (tmp_path / "other").exists()
