"""Progress of all commands: bars in a terminal, lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

EVERY = 30.0
"""Seconds between two lines of a stage in a log."""


@contextmanager
def stage_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Show every stage and give the function ``(stage, done, total)`` that moves it.

    In a terminal a stage is a bar; where the output goes to a file or another program it is lines
    of text to standard error: when it begins, every half minute, and when it is done.
    """
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        yield _Lines().move
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        tasks = {}

        def move(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield move


@contextmanager
def bar_below(console: Console, title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar below what the console prints, and give the function ``(done)`` that moves it.

    Only in a terminal, and where there is more than one thing to wait for.
    """
    if total < 2 or not console.is_terminal:
        yield lambda done: None
        return
    from rich.progress import Progress

    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)


class _Lines:
    """Stages as lines of a log."""

    def __init__(self) -> None:
        self._begun: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._ended: set[str] = set()

    def move(self, stage: str, done: int, total: int) -> None:
        """Say where a stage is, unless it was said a moment ago."""
        now = time.monotonic()
        begun = self._begun.setdefault(stage, now)
        ended = done >= total
        if stage in self._ended or not (ended or now - self._told.get(stage, -EVERY) >= EVERY):
            return
        self._told[stage] = now
        if ended:
            self._ended.add(stage)
        seconds = now - begun
        line = f"{stage}: {done} of {total}, {_time(seconds)}"
        if done and not ended:
            line += f", about {_time(seconds / done * (total - done))} left"
        print(line, file=sys.stderr, flush=True)


def _time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar and give the function ``(done, total)`` that moves it."""
    with stage_bars() as move:
        yield lambda done, total: move(title, done, total)
