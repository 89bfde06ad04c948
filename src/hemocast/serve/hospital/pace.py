"""When what failed may be tried again: after a time that doubles with every attempt."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable


class Pacer:
    """Says when something may be tried again.

    The time is the machine's monotonic clock, since this process first saw the attempt: a clock
    that is set changes nothing.

    Parameters
    ----------
    backoff_s : float
        Before the second attempt.
    clock : callable
        Seconds that only ever rise.
    """

    def __init__(self, backoff_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._backoff_s = backoff_s
        self._clock = clock
        self._seen: dict[int, tuple[Hashable, float]] = {}

    def is_due(self, number: int, mark: Hashable, attempts: int) -> bool:
        """Tell whether the time of something has come.

        Parameters
        ----------
        number : int
            Which thing.
        mark : hashable
            Changes with every attempt.
        attempts : int
            Made so far.
        """
        if attempts == 0:
            self._seen.pop(number, None)
            return True
        seen = self._seen.get(number)
        since = self._clock() if seen is None or seen[0] != mark else seen[1]
        self._seen[number] = mark, since
        wait: float = self._backoff_s * 2 ** (attempts - 1)
        return self._clock() - since >= wait
