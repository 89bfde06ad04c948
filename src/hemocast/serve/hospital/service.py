"""The whole service: the node, the settle timer and the workers, until it is told to stop."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial

from pynetdicom import evt

from hemocast.errors import HemocastError
from hemocast.faults import internal_error
from hemocast.pipeline.scan_job import Pages
from hemocast.serve.hospital.analyst import Analyst, OtherProcess, check_models
from hemocast.serve.hospital.commitment.asked import Asked
from hemocast.serve.hospital.commitment.promises import Promises
from hemocast.serve.hospital.courier import Courier
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.node import listening
from hemocast.serve.hospital.peers import Caller
from hemocast.serve.hospital.pull.counting import Counter, Counting
from hemocast.serve.hospital.pull.puller import Puller
from hemocast.serve.hospital.retention import Retention
from hemocast.serve.hospital.root import Root
from hemocast.serve.hospital.settings import HospitalConfig
from hemocast.serve.hospital.settle import Settler
from hemocast.serve.hospital.store.arrivals import Arrivals
from hemocast.serve.hospital.store.commitments import Commitments
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.deliveries import Deliveries
from hemocast.serve.hospital.store.holdings import Holdings
from hemocast.serve.hospital.store.jobs import Jobs
from hemocast.serve.hospital.watch import Watch
from hemocast.serve.hospital.worker import Outgoing, Worker

_LOG = logging.getLogger(__name__)
_LOOK_S = 0.5
_RETAIN_S = 600.0
_REST_S = 5.0
"""After a loop has met an error that is not of one study: the database is away, say."""


@dataclass(frozen=True)
class Office:
    """What every part of the service works with.

    Parameters
    ----------
    settings : HospitalConfig
    root : Root
    database : Database
    """

    settings: HospitalConfig
    root: Root
    database: Database

    @property
    def jobs(self) -> Jobs:
        """The jobs, for looking at and for changes that a person asks for."""
        return Jobs(self.database)


@contextmanager
def opened(settings: HospitalConfig) -> Iterator[Office]:
    """Open the data root and the database.

    Raises
    ------
    NoSpace, NotWritable, UsageError, StoreError, MissingExtra
        As `Root.open` and `Database` do.
    """
    before = os.umask(0o077)
    try:
        root = Root.open(settings.storage)
        with closing(Database(settings.storage.database or root.database)) as database:
            yield Office(settings, root, database)
    finally:
        os.umask(before)


@contextmanager
def running(office: Office, analyst: Analyst | None = None) -> Iterator[int]:
    """Run the service in threads of its own.

    Parameters
    ----------
    office : Office
    analyst : Analyst, optional
        In place of processes with the models of the settings.

    Yields
    ------
    int
        The port of the node.

    Raises
    ------
    InUse, UsageError
        As `Root.held` and `listening` do.
    ModelNotFound, ModelCorrupt, NoRecord, NoMap
        As `check_models` does.
    """
    settings, jobs, stop = office.settings, Jobs(office.database), threading.Event()
    with ExitStack() as held:
        held.enter_context(office.root.held())
        if analyst is None:
            analyst = held.enter_context(closing(_processes(office)))
        inbox = Inbox(office.root, Arrivals(office.database))
        caller = Caller(settings.node, settings.delivery.timeout_s)
        asked = Asked(Commitments(office.database), settings.delivery.commitment_s)
        promises = Promises(settings, Holdings(office.database), caller)
        also = [
            (evt.EVT_N_EVENT_REPORT, asked.heard),
            (evt.EVT_N_ACTION, promises.asked),
            (evt.EVT_DIMSE_SENT, promises.answered),
        ]
        port = held.enter_context(listening(settings.node, inbox, office.root.incoming, also))
        settler = Settler(jobs, settings.jobs)
        rules, outgoing = settings.analysis.rules, Outgoing.of(settings)
        worker = Worker(jobs, office.root, analyst, settings.jobs, rules, outgoing)
        deliveries = Deliveries(office.database)
        courier = Courier(jobs, deliveries, office.root, settings, caller, asked)
        loops = [_Loop("settle", stop, lambda: settler.look() > 0)]
        loops += [_Loop(f"work-{n}", stop, worker.work) for n in range(settings.jobs.workers)]
        loops.append(_Loop("deliver", stop, courier.work))
        retention = Retention(office.database, office.root, settings.storage.pixels_days)
        loops.append(_Loop("retain", stop, retention.look, rest_s=_RETAIN_S))
        loops += _asking(office, inbox, stop) + _counting(office, inbox, stop)
        if settings.watch.folder is not None:
            watch = Watch(settings.watch.folder, settings.watch.stable_s, office.root, inbox)
            loops.append(_Loop("watch", stop, watch.look))
        for loop in loops:
            loop.start()
        try:
            yield port
        finally:
            stop.set()
            for loop in loops:
                loop.join()


def _asking(office: Office, inbox: Inbox, stop: threading.Event) -> list[_Loop]:
    """Give a loop for every query that the service asks by itself."""
    loops, holdings = [], Holdings(office.database)
    for query in office.settings.pull.queries:
        if query.every_s is not None:
            puller = Puller.of(query, office.settings, office.root, inbox, holdings)
            step = partial(puller.look, lambda: not stop.is_set())
            loops.append(_Loop(f"pull-{query.name}", stop, step, rest_s=query.every_s))
    return loops


def _counting(office: Office, inbox: Inbox, stop: threading.Event) -> list[_Loop]:
    """Give a loop that asks peers how many images studies have, where the settings name any."""
    from hemocast.serve.hospital.pull.dimse import DimsePeer

    settings = office.settings
    caller, title = Caller(settings.node, settings.delivery.timeout_s), settings.node.ae_title
    peers = [
        Counting(peer, DimsePeer(peer, caller, title, "move", inbox))
        for peer in settings.delivery.peers
        if peer.counts is not None
    ]
    if not peers:
        return []
    counter = Counter(office.jobs, Holdings(office.database), peers, settings.jobs.told_s)
    return [_Loop("count", stop, partial(counter.look, lambda: not stop.is_set()))]


def _processes(office: Office) -> OtherProcess:
    analysis, jobs = office.settings.analysis, office.settings.jobs
    check_models(analysis)
    return OtherProcess(
        office.root.key,
        model=analysis.model,
        pages=Pages(analysis.lang),
        processes=jobs.workers,
        time_limit_s=jobs.time_limit_s,
    )


class _Loop(threading.Thread):
    """Does something again and again, at once while there is more to do."""

    def __init__(
        self, name: str, stop: threading.Event, step: Callable[[], bool], rest_s: float = _LOOK_S
    ) -> None:
        super().__init__(name=f"hemocast-{name}", daemon=True)
        self._rest_s = rest_s
        self._halt = stop
        self._step = step

    def run(self) -> None:
        while not self._halt.is_set():
            self._halt.wait(self._once())

    def _once(self) -> float:
        """Take one step; return how long to rest."""
        try:
            return 0.0 if self._step() else self._rest_s
        except HemocastError as error:
            _LOG.error("%s: %s", self.name, error)
        except Exception as error:
            _LOG.error("%s: %s", self.name, internal_error(error))
        return _REST_S
