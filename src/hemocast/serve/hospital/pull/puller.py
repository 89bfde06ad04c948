"""Fetches what a PACS has and is not here, as studies like those that are sent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hemocast.errors import PeerRefused
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.peers import Caller
from hemocast.serve.hospital.pull.settings import Query
from hemocast.serve.hospital.pull.wanted import FoundStudy, Source, Wanted
from hemocast.serve.hospital.root import Root
from hemocast.serve.hospital.settings import HospitalConfig
from hemocast.serve.hospital.store.holdings import Holdings

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pulled:
    """What became of a query.

    Parameters
    ----------
    there, fetched, failed : int
        Studies that the PACS has, that it gave (all or in part), and that it could not give.
    """

    there: int
    fetched: int
    failed: int

    def __str__(self) -> str:
        """Give it in words."""
        return f"{self.there} there, {self.fetched} fetched, {self.failed} failed"


class Puller:
    """Asks by one query, again and again.

    Parameters
    ----------
    query : Query
    source : Source
        Whom it asks.
    holdings : Holdings
        What is here.
    """

    def __init__(self, query: Query, source: Source, holdings: Holdings) -> None:
        self._query = query
        self._source = source
        self._holdings = holdings
        self._given: set[tuple[str, int | None]] = set()

    @classmethod
    def of(
        cls, query: Query, settings: HospitalConfig, root: Root, inbox: Inbox, holdings: Holdings
    ) -> Puller:
        """Make one with the source that the query names; raises `ConfigError` for no such peer."""
        from hemocast.serve.hospital.pull.dimse import DimsePeer
        from hemocast.serve.hospital.pull.web import WebPeer

        if query.web is not None:
            return cls(query, WebPeer(query.web, root, inbox), holdings)
        caller = Caller(settings.node, settings.delivery.timeout_s)
        peer, title = settings.peer(query.peer or ""), settings.node.ae_title
        return cls(query, DimsePeer(peer, caller, title, query.by, inbox), holdings)

    def wanted(self, now: datetime) -> list[Wanted]:
        """Give what the query asks for at a moment of local time: one, or one of each patient."""
        query = self._query
        since = None if query.hours is None else now - timedelta(hours=query.hours)
        one = Wanted(since, body_part=query.body_part, description=query.description)
        if query.patients_days is None:
            return [one]
        first = datetime.now(UTC) - timedelta(days=query.patients_days)
        patients = self._holdings.patients(first.isoformat(timespec="milliseconds"))
        return [replace(one, patient=patient) for patient in patients]

    def look(self, go_on: Callable[[], bool]) -> bool:
        """Ask once, as the service does; False: it rests then, whatever the PACS said."""
        try:
            self.pull(self.wanted(datetime.now()), go_on)
        except PeerRefused as error:
            _LOG.warning("query %s: %s", self._query.name, error)
        return False

    def pull(self, wanted: Sequence[Wanted], go_on: Callable[[], bool] = lambda: True) -> Pulled:
        """Fetch what is not here.

        Parameters
        ----------
        wanted : sequence of Wanted
        go_on : callable
            Asked before every study.

        Raises
        ------
        PeerRefused
            The PACS does not answer; what it cannot give of one study costs that study.
        NoSpace, NotWritable, StoreError
            Nothing more can be kept.
        """
        there = fetched = failed = 0
        for study in self._found(wanted):
            if not go_on():
                break
            there += 1
            lacking = self._lacking(study)
            if not lacking.series:
                continue
            try:
                self._source.fetch(lacking)
                fetched += 1
            except PeerRefused as error:
                failed += 1
                _LOG.warning("a study was not fetched: %s", error)
            else:
                self._given |= {(one.uid, one.images) for one in lacking.series}
            if study.images is not None:
                self._holdings.expect(study.uid, study.images)
        if fetched or failed:
            _LOG.info("query %s: %d fetched, %d failed", self._query.name, fetched, failed)
        return Pulled(there, fetched, failed)

    def _found(self, wanted: Sequence[Wanted]) -> Iterator[FoundStudy]:
        for one in wanted:
            yield from self._source.find(one)

    def _lacking(self, study: FoundStudy) -> FoundStudy:
        """Give the series that are not wholly here, but those that were given already as they are.

        Of a study whose images were deleted nothing is lacking; of one with images that cannot be
        taken, what can is here.
        """
        held = self._holdings.of(study.uid)
        if held is not None and not held.pixels:
            return study.only(())
        here = {} if held is None else held.series
        return study.only(
            [
                one
                for one in study.series
                if (one.uid, one.images) not in self._given
                and (one.images is None or here.get(one.uid, 0) < one.images)
            ]
        )
