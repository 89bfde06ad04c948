"""How long stages take, and how they tell of their progress."""

from __future__ import annotations

import time

import pytest

from hemocast.pipeline.clock import Clock, stage_of


def test_stages_are_timed_in_order() -> None:
    clock = Clock()
    with clock.stage("first"):
        time.sleep(0.01)
    with clock.stage("second"):
        pass
    assert [name for name, _ in clock.seconds] == ["first", "second"]
    assert clock.seconds[0][1] >= 0.01 > clock.seconds[1][1] >= 0


def test_a_stage_that_fails_has_no_time() -> None:
    clock = Clock()
    with pytest.raises(ValueError, match="no"), clock.stage("first"):
        raise ValueError("no")
    assert clock.seconds == []


def test_progress_carries_the_name_of_its_stage() -> None:
    seen: list[tuple[str, int, int]] = []
    move = stage_of(lambda *told: seen.append(told), "training")
    assert move is not None
    move(1, 3)
    assert seen == [("training", 1, 3)]
    assert stage_of(None, "training") is None
