"""How often somebody may try in vain."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Lock

_WINDOW_S = 900.0
_MOST_NAMES = 10_000


class Attempts:
    """Failed attempts of the last quarter of an hour, by name.

    They are in memory: a restart of the service forgets them.

    Parameters
    ----------
    most : int
        After so many failures a name waits until the first of them is a quarter of an hour old.
    clock : callable
        Seconds that only ever rise.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()
        self._turn = Lock()

    def begin(self, name: str) -> bool:
        """Count an attempt as failed before it is made; False: the name has to wait."""
        with self._turn:
            now = self._clock()
            failed = self._failed.setdefault(name, deque(maxlen=self._most))
            self._failed.move_to_end(name)
            if len(self._failed) > _MOST_NAMES:  # those that tried longest ago are forgotten
                self._failed.popitem(last=False)
            if len(failed) == self._most and now - failed[0] < _WINDOW_S:
                return False
            failed.append(now)
            return True

    def succeeded(self, name: str, *, forget: bool) -> None:
        """Take back the last attempt of a name, or forget all of them."""
        with self._turn:
            failed = self._failed.get(name)
            if failed and forget:
                failed.clear()
            elif failed:
                failed.pop()
