from __future__ import annotations

import os
from pathlib import Path

import pytest

from hemocast.simulate.workers import open_workers


def _running(pid: int) -> bool:
    """Whether a process is there and does more than wait for its parent to notice its end."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_one_process_works_here():
    with open_workers(1) as each:
        assert set(each(lambda _: os.getpid(), [None] * 3)) == {os.getpid()}


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_processes_are_kept_between_calls_and_end_with_the_context():
    class StoppedError(Exception):
        pass

    def work() -> None:
        seen = set()
        with open_workers(2) as each:
            for _ in range(2):
                seen |= set(each(lambda _: os.getpid(), [None] * 8))
            for _ in each(lambda _: os.getpid(), [None] * 8):
                raise StoppedError(seen)

    with pytest.raises(StoppedError) as stopped:
        work()
    (seen,) = stopped.value.args
    assert 1 <= len(seen) <= 2
    assert os.getpid() not in seen
    assert not any(map(_running, seen))
