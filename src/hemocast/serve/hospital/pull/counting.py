"""Asks peers how many images the studies have that are still coming.

A peer that does not answer, or knows no such study, changes nothing: the settle timer decides then
as if nobody had been asked.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hemocast.errors import PeerRefused
from hemocast.serve.hospital.settings import Peer
from hemocast.serve.hospital.settle import Stillness
from hemocast.serve.hospital.store.holdings import Held, Holdings
from hemocast.serve.hospital.store.jobs import Job, Jobs, State

_LOG = logging.getLogger(__name__)
_AGAIN_S = 20.0
"""A peer is asked again of a study that lacks images: it may still be receiving itself."""


class Counts(Protocol):
    """A PACS that says how many images it has, as `hemocast.serve.hospital.pull.dimse` does."""

    def count(self, study: str) -> Mapping[str, int]:
        """Give the images of a study's CT series, by series UID; raises `PeerRefused`."""


@dataclass(frozen=True)
class Counting:
    """A peer that is asked.

    Parameters
    ----------
    peer : Peer
        Its settings, with `counts`.
    source : Counts
    """

    peer: Peer
    source: Counts

    def expected(self, study: str, held: Held) -> int:
        """Give how many images a study is to have; 0: the peer does not know it.

        Raises
        ------
        PeerRefused
            It does not answer.
        """
        found = self.source.count(study)
        if self.peer.counts == "series":
            found = {uid: images for uid, images in found.items() if uid in held.series}
        return sum(found.values())


class Counter:
    """Asks of each study once its images have stopped coming, and again while some lack.

    Parameters
    ----------
    jobs : Jobs
    holdings : Holdings
    peers : sequence of Counting
        Asked in turn; the first that knows a study tells its number.
    still_s : float
        How long no image may have come.
    clock : callable
        Seconds that only ever rise.
    """

    def __init__(
        self,
        jobs: Jobs,
        holdings: Holdings,
        peers: Sequence[Counting],
        still_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._holdings = holdings
        self._peers = peers
        self._still_s = still_s
        self._clock = clock
        self._still = Stillness(clock)
        self._asked: dict[int, tuple[int, float]] = {}

    def look(self, go_on: Callable[[], bool] = lambda: True) -> bool:
        """Ask of those studies whose time has come; False: there is nothing more to do now."""
        waiting = self._jobs.all(State.RECEIVED)
        still = self._still.look(waiting)
        self._asked = {one: at for one, at in self._asked.items() if one in still}
        for job in waiting:
            if not go_on():
                break
            if still[job.study] >= self._still_s and self._is_due(job):
                self._asked[job.study] = job.images, self._clock()
                self._ask(job)
        return False

    def _is_due(self, job: Job) -> bool:
        images, at = self._asked.get(job.study, (-1, 0.0))
        return images != job.images or self._clock() - at >= _AGAIN_S

    def _ask(self, job: Job) -> None:
        study = self._holdings.uid_of(job.study)
        held = self._holdings.of(study)
        for one in self._peers:
            try:
                expected = 0 if held is None else one.expected(study, held)
            except PeerRefused as error:
                _LOG.warning("the images of study %s were not counted: %s", job.name, error)
                continue
            if expected:
                self._holdings.expect(study, expected)
                return
