"""What was made is sent, while delivery is on, until each peer has said that it has it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from hemocast.errors import HemocastError
from hemocast.serve.hospital.pace import Pacer
from hemocast.serve.hospital.peers import Sent
from hemocast.serve.hospital.root import Root
from hemocast.serve.hospital.settings import HospitalConfig, Peer
from hemocast.serve.hospital.store.deliveries import Deliveries, Delivery
from hemocast.serve.hospital.store.jobs import Job, Jobs, State

_LOG = logging.getLogger(__name__)
_STATES = (State.PREDICTED, State.REFUSED, State.DELIVERED)


class Sends(Protocol):
    """Sends files to a peer, as `hemocast.serve.hospital.peers.Caller` does."""

    def store(self, peer: Peer, files: Sequence[Path]) -> Iterator[Sent]:
        """Send files; see `Caller.store`."""


class Courier:
    """Delivers.

    Parameters
    ----------
    jobs : Jobs
    deliveries : Deliveries
    root : Root
    settings : HospitalConfig
    caller : Sends
    clock : callable
        Seconds that only ever rise.
    """

    def __init__(
        self,
        jobs: Jobs,
        deliveries: Deliveries,
        root: Root,
        settings: HospitalConfig,
        caller: Sends,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._deliveries = deliveries
        self._root = root
        self._settings = settings
        self._caller = caller
        self._pacer = Pacer(settings.jobs.backoff_s, clock)

    def work(self) -> bool:
        """Deliver what waits of one study; False: there is nothing to do now."""
        if not self._deliveries.is_on():
            return False
        due = {one.study for one in self._deliveries.all(None, "waiting") if self._is_due(one)}
        if not due:
            return False
        with self._jobs.claim(lambda job: job.study in due, *_STATES) as job:
            if job is None:
                return False
            self._deliver(job)
        return True

    def _is_due(self, one: Delivery) -> bool:
        return self._pacer.is_due(-one.number, (one.revision, one.peer, one.attempts), one.attempts)

    def _deliver(self, job: Job) -> None:
        waiting = [one for one in self._deliveries.all(job.study, "waiting") if self._is_due(one)]
        for name in dict.fromkeys(one.peer for one in waiting):
            self._send([one for one in waiting if one.peer == name], name)
        last = [one for one in self._deliveries.all(job.study) if one.revision == job.revision]
        if job.state is State.PREDICTED and last and all(one.state == "sent" for one in last):
            self._jobs.move(job, State.DELIVERED)

    def _send(self, group: Sequence[Delivery], name: str) -> None:
        """Send what one peer is to have; each answer is kept before the next object goes."""
        of_file = {self._root.result(one.name, one.revision) / one.file: one for one in group}
        left = dict(of_file)
        try:
            for sent in self._caller.store(self._settings.peer(name), list(of_file)):
                self._mark(left.pop(sent.file), sent.taken, sent.answer)
                if not self._deliveries.is_on():
                    return
        except HemocastError as error:
            _LOG.warning("%s", error)
            for one in left.values():
                self._mark(one, False, error.seen)

    def _mark(self, one: Delivery, taken: bool, answer: str) -> None:
        if taken:
            self._deliveries.mark(one, "sent", answer)
        elif one.attempts + 1 < self._settings.jobs.attempts:
            self._deliveries.mark(one, "waiting", answer)
        else:
            self._deliveries.mark(one, "failed", answer)
            _LOG.error("an object of study %s failed for good to reach %s", one.name, one.peer)
