"""What was made is sent, while delivery is on, until each peer has said that it has it.

A peer of the settings with `commitment` has it once it has committed to keep it, too.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from hemocast.dicom import make_uid
from hemocast.errors import HemocastError
from hemocast.serve.hospital.commitment.asked import Asked
from hemocast.serve.hospital.commitment.references import Reference
from hemocast.serve.hospital.endpoints import post
from hemocast.serve.hospital.pace import Pacer
from hemocast.serve.hospital.peers import Sent, reference_of
from hemocast.serve.hospital.root import Root
from hemocast.serve.hospital.settings import Endpoint, HospitalConfig, Peer
from hemocast.serve.hospital.store.deliveries import Deliveries, Delivery
from hemocast.serve.hospital.store.jobs import Job, Jobs, State

_LOG = logging.getLogger(__name__)
_LINGER_S = 2.0
"""How long an association stays for reports of commitment; later ones come to the node."""
_STATES = (State.PREDICTED, State.REFUSED, State.DELIVERED)


class Sends(Protocol):
    """Sends files to a peer, as `hemocast.serve.hospital.peers.Caller` does."""

    def store(self, peer: Peer, files: Sequence[Path]) -> Iterator[Sent]:
        """Send files; see `Caller.store`."""

    def asking(
        self, peer: Peer, heard: Callable[[Any], tuple[int, None]]
    ) -> AbstractContextManager[Callable[[str, Reference], str]]:
        """Ask for commitment; see `Caller.asking`."""


class Courier:
    """Delivers.

    Parameters
    ----------
    jobs : Jobs
    deliveries : Deliveries
    root : Root
    settings : HospitalConfig
    caller : Sends
    asked : Asked
        What peers were asked to commit to; the node hears their reports.
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
        asked: Asked,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._deliveries = deliveries
        self._root = root
        self._settings = settings
        self._caller = caller
        self._asked = asked
        self._pacer = Pacer(settings.jobs.backoff_s, clock)

    def work(self) -> bool:
        """Deliver what waits of one study; False: there is nothing to do now."""
        for answer in self._asked.answers():
            self._mark(answer.delivery, bool(answer.kept), answer.answer, request=answer.request)
            self._close(self._jobs.get(answer.delivery.study))
        if not self._deliveries.is_on():
            return False
        due = {one.study for one in self._due()}
        if not due:
            return False
        with self._jobs.claim(lambda job: job.study in due, *_STATES) as job:
            if job is None:
                return False
            self._deliver(job)
        return True

    def _due(self, study: int | None = None) -> list[Delivery]:
        """Give what may go now, of a study or of all: neither asked for nor to be tried later."""
        asked = self._asked.open()
        waiting = self._deliveries.all(study, "waiting")
        return [one for one in waiting if one.number not in asked and self._is_its_turn(one)]

    def _is_its_turn(self, one: Delivery) -> bool:
        return self._pacer.is_due(-one.number, (one.revision, one.peer, one.attempts), one.attempts)

    def _deliver(self, job: Job) -> None:
        waiting = self._due(job.study)
        for name in dict.fromkeys(one.peer for one in waiting):
            self._send([one for one in waiting if one.peer == name], name)
        self._close(job)

    def _close(self, job: Job) -> None:
        """Move a job on once every peer has all of its last revision."""
        last = [one for one in self._deliveries.all(job.study) if one.revision == job.revision]
        if job.state is State.PREDICTED and last and all(one.state == "sent" for one in last):
            self._jobs.move(job, State.DELIVERED)

    def _send(self, group: Sequence[Delivery], name: str) -> None:
        """Send what one peer is to have; each answer is kept before the next object goes."""
        of_file = {self._root.result(one.name, one.revision) / one.file: one for one in group}
        left, stored = dict(of_file), dict[Path, Delivery]()
        try:
            to = self._settings.destination(name)
            commits = isinstance(to, Peer) and to.commitment
            for sent in self._sent(to, list(of_file)):
                one = left.pop(sent.file)
                if sent.taken and commits:
                    stored[sent.file] = one
                else:
                    self._mark(one, sent.taken, sent.answer)
                if not self._deliveries.is_on():
                    break
        except HemocastError as error:
            _LOG.warning("%s", error)
            for one in left.values():
                self._mark(one, False, error.seen)
        if stored:
            self._ask(stored, name)

    def _sent(self, to: Peer | Endpoint, files: Sequence[Path]) -> Iterator[Sent]:
        if isinstance(to, Endpoint):
            return post(to, files, self._settings.delivery.timeout_s)
        return self._caller.store(to, files)

    def _ask(self, stored: Mapping[Path, Delivery], name: str) -> None:
        """Ask a peer to commit to what it has just taken; its reports come here or to the node."""
        left, transactions = dict(stored), set[str]()
        try:
            with self._caller.asking(self._settings.peer(name), self._asked.heard) as ask:
                for file, one in stored.items():
                    reference, transaction = reference_of(file), make_uid(secrets.token_hex(16))
                    self._asked.add(transaction, one, reference)
                    transactions.add(transaction)
                    del left[file]
                    if refusal := ask(transaction, reference):
                        self._asked.drop(transaction, refusal)
                self._asked.await_reports(transactions, _LINGER_S)
        except HemocastError as error:
            _LOG.warning("%s", error)
            for one in left.values():
                self._mark(one, False, error.seen)

    def _mark(self, one: Delivery, taken: bool, answer: str, *, request: str = "") -> None:
        if taken:
            self._deliveries.mark(one, "sent", answer, request=request)
        elif one.attempts + 1 < self._settings.jobs.attempts:
            self._deliveries.mark(one, "waiting", answer, request=request)
        else:
            self._deliveries.mark(one, "failed", answer, request=request)
            _LOG.error("an object of study %s failed for good to reach %s", one.name, one.peer)
