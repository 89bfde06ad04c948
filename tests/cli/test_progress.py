"""Progress: a bar for every stage in a terminal, lines in a log."""

from __future__ import annotations

import pytest

from hemocast.cli import progress
from hemocast.cli.progress import progress_bar, stage_bars


def test_in_a_terminal_every_stage_has_its_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with stage_bars() as move:
        move("reading", 1, 4)
        move("drawing", 0, 2)
        move("reading", 4, 4)
    shown = capsys.readouterr().out
    assert "reading" in shown
    assert "4/4" in shown
    assert "0/2" in shown
    assert "-:--:--" in shown  # the time left, of a stage that has not begun


def test_in_a_log_a_stage_has_a_line_at_its_start_end_and_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 10.0, 40.0, 100.0, 100.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress_bar("training") as move:
        for done in (0, 1, 2, 4, 4):
            move(done, 4)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "training: 0 of 4, 0:00:00",
        "training: 2 of 4, 0:00:40, about 0:00:40 left",
        "training: 4 of 4, 0:01:40",
    ]


def test_an_error_ends_the_bar_and_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), progress_bar("cleaning") as move:
        move(1, 1 // 0)
