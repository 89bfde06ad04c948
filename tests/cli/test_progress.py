"""Progress bars move as they are told, one for every stage."""

from __future__ import annotations

import pytest

from hemocast.cli.progress import progress_bar, stage_bars


def test_every_stage_has_its_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with stage_bars() as move:
        move("reading", 1, 4)
        move("drawing", 0, 2)
        move("reading", 4, 4)
    shown = capsys.readouterr().out
    assert "reading" in shown
    assert "4/4" in shown
    assert "0/2" in shown


def test_one_bar_counts(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("cleaning") as move:
        move(3, 7)
    shown = capsys.readouterr().out
    assert "cleaning" in shown
    assert "3/7" in shown


def test_an_error_ends_the_bar_and_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), progress_bar("cleaning") as move:
        move(1, 1 // 0)
