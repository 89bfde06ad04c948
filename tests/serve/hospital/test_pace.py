"""The pace of attempts: each waits twice as long, by a clock that nobody sets."""

from __future__ import annotations

from hemocast.serve.hospital.pace import Pacer


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_every_attempt_waits_twice_as_long_as_the_one_before() -> None:
    clock = Clock()
    pacer = Pacer(10, clock)
    assert pacer.is_due(1, "a", 0)
    for attempts, wait in ((1, 10), (2, 20), (3, 40)):
        assert not pacer.is_due(1, attempts, attempts)
        clock.seconds += wait - 1
        assert not pacer.is_due(1, attempts, attempts)
        clock.seconds += 1
        assert pacer.is_due(1, attempts, attempts)


def test_things_wait_each_for_themselves_and_begin_anew() -> None:
    clock = Clock()
    pacer = Pacer(10, clock)
    assert not pacer.is_due(1, "a", 1)
    clock.seconds += 10
    assert not pacer.is_due(2, "a", 1)
    assert pacer.is_due(1, "a", 1)
    assert pacer.is_due(1, "b", 0)
    assert not pacer.is_due(1, "a", 1)
