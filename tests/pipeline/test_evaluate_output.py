"""The output folder: only what an evaluation writes is ever removed from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hemocast.errors import OutputExists
from hemocast.pipeline.evaluate_output import ALL_FILES, READER_FILES, clear, make_folder


def test_known_files_go_and_all_else_stays(tmp_path: Path) -> None:
    make_folder(tmp_path)
    for name in (*ALL_FILES, "mine.csv", "figures/mine.svg", "figures/roc.pdf", "predictions.csv"):
        (tmp_path / name).write_text("x")
    clear(tmp_path, READER_FILES, ())
    assert not (tmp_path / "table2.csv").exists()
    assert (tmp_path / "metrics.csv").exists()
    clear(tmp_path, ALL_FILES, ())
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"mine.csv", "figures/mine.svg", "figures/roc.pdf", "predictions.csv"}


def test_an_input_and_what_a_link_points_to_are_never_removed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_folder(out)
    (out / "times.csv").write_text("input")
    (tmp_path / "work.csv").write_text("work")
    (out / "subgroups.csv").symlink_to(tmp_path / "work.csv")
    (out / "metrics.csv").mkdir()
    clear(out, ALL_FILES, (out / "figures" / ".." / "times.csv", None))
    assert (out / "times.csv").read_text() == "input"
    assert (tmp_path / "work.csv").read_text() == "work"
    assert not (out / "subgroups.csv").is_symlink()
    assert (out / "metrics.csv").is_dir()


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(OutputExists):
        make_folder(tmp_path / "out")
