"""How long the stages of a long run take, and how they tell of their progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Clock:
    """Seconds of every stage, in order."""

    def __init__(self) -> None:
        self.seconds: list[tuple[str, float]] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is done within."""
        start = time.perf_counter()
        yield
        self.seconds.append((name, time.perf_counter() - start))


def stage_of(
    progress: Callable[[str, int, int], None] | None, name: str
) -> Callable[[int, int], None] | None:
    """Turn a report of (stage, done, total) into one of (done, total) for one stage."""
    if progress is None:
        return None
    return lambda done, total: progress(name, done, total)
