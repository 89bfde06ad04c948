"""When a study is complete: DICOM does not say, so no image may have come for some time.

Where a query or the modality told how many images there are, that time is shorter once so many are
here, and longer, but not for ever, while fewer are. The shorter one is not nothing: some modalities
ask for commitment image by image, so that each list is whole for a moment.

The time is the machine's monotonic clock, since this process first saw as many images as there are:
a clock that is set, a restart and a second node change nothing but that a study waits longer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from hemocast.serve.hospital.settings import JobsConfig
from hemocast.serve.hospital.store.jobs import Job, Jobs, State

_LOG = logging.getLogger(__name__)


class Stillness:
    """For how long no image has come of each study, as this process saw it.

    Parameters
    ----------
    clock : callable
        Seconds that only ever rise.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[int, tuple[int, float]] = {}

    def look(self, jobs: Sequence[Job]) -> dict[int, float]:
        """Give the seconds of each job that waits now, by study; others are forgotten."""
        now = self._clock()
        seen = {job.study: self._seen.get(job.study, (-1, 0.0)) for job in jobs}
        for job in jobs:
            if seen[job.study][0] != job.images:
                seen[job.study] = job.images, now
        self._seen = seen
        return {study: now - since for study, (_, since) in seen.items()}


class Settler:
    """Settles studies.

    Parameters
    ----------
    jobs : Jobs
    settings : JobsConfig
        How long no image may have come.
    clock : callable
        Seconds that only ever rise.
    """

    def __init__(
        self, jobs: Jobs, settings: JobsConfig, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._jobs = jobs
        self._settings = settings
        self._still = Stillness(clock)

    def look(self) -> int:
        """Settle what is complete; return how many studies that were."""
        waiting = self._jobs.all(State.RECEIVED)
        still = self._still.look(waiting)
        return sum(self._settle(job) for job in waiting if still[job.study] >= self._wait_s(job))

    def _wait_s(self, job: Job) -> float:
        usual_s = self._settings.settle_s
        if job.expected is None or job.images > job.expected:
            return usual_s  # more than were told of: the number was not the whole
        if job.images == job.expected:
            return min(self._settings.told_s, usual_s)
        return max(self._settings.lacking_s, usual_s)

    def _settle(self, job: Job) -> bool:
        settled = self._jobs.move(job, State.SETTLED) is not None
        if settled and job.images < (job.expected or 0):
            _LOG.warning(
                "study %s is taken as it is: %d of %d images", job.name, job.images, job.expected
            )
        return settled
