"""When a study is complete: DICOM does not say, so no image may have come for some time.

Where a query or the modality told how many images there are, and so many are here, that time is
shorter. It is not nothing: some modalities ask for commitment image by image, so that each list is
whole for a moment.

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
    told_s : float
        The same, when as many are here as somebody told of.
    clock : callable
        Seconds that only ever rise.
    """

    def __init__(
        self,
        jobs: Jobs,
        settle_s: float,
        told_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._settle_s = settle_s
        self._told_s = told_s
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
        told = job.images == job.expected  # more than were told of: the number was not the whole
        wait = min(self._told_s, self._settle_s) if told else self._settle_s
        return self._clock() - self._seen[job.study][1] >= wait
