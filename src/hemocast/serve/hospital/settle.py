"""When a study is complete: DICOM does not say, so no image may have come for some time.

The time is the machine's monotonic clock, since this process first saw as many images as there are:
a clock that is set, a restart and a second node change nothing but that a study waits longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from hemocast.serve.hospital.store.jobs import Job, Jobs, State


class Settler:
    """Settles studies.

    Parameters
    ----------
    jobs : Jobs
    settle_s : float
        How long no image may have come.
    clock : callable
        Seconds that only ever rise.
    """

    def __init__(
        self, jobs: Jobs, settle_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._jobs = jobs
        self._settle_s = settle_s
        self._clock = clock
        self._seen: dict[int, tuple[int, float]] = {}

    def look(self) -> int:
        """Settle what is complete; return how many studies that were."""
        waiting = self._jobs.all(State.RECEIVED)
        self._seen = {job.study: self._seen_of(job) for job in waiting}
        ready = [job for job in waiting if self._is_complete(job)]
        return sum(self._jobs.move(job, State.SETTLED) is not None for job in ready)

    def _seen_of(self, job: Job) -> tuple[int, float]:
        images, since = self._seen.get(job.study, (-1, 0.0))
        return (images, since) if images == job.images else (job.images, self._clock())

    def _is_complete(self, job: Job) -> bool:
        if job.expected is not None and job.images >= job.expected:
            return True
        return self._clock() - self._seen[job.study][1] >= self._settle_s
