"""Entries of the audit log to the collector, each at least once, in their order."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

from sqlalchemy import select

from hemocast.errors import HemocastError
from hemocast.serve.hospital.people.audit import Audit, Entry
from hemocast.serve.hospital.people.messages import Seen, audit_message
from hemocast.serve.hospital.people.settings import CollectorConfig
from hemocast.serve.hospital.people.syslog import Collector, syslog_line
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.tables import STUDIES

_LOG = logging.getLogger(__name__)
_REST_S = 5.0


class AuditExport:
    """Sends what the collector does not have yet.

    Parameters
    ----------
    database : Database
    audit : Audit
    settings : CollectorConfig
    source : str
        What the service is called: its AE title.
    """

    def __init__(
        self, database: Database, audit: Audit, settings: CollectorConfig, source: str
    ) -> None:
        self._database = database
        self._audit = audit
        self._settings = settings
        self._source = source
        self._host = socket.gethostname()
        self._was_away = False

    def send(self) -> bool:
        """Send the next entries; False: there are none, or the collector cannot be reached."""
        entries = self._audit.unsent() if self._settings.host else []
        if not entries:
            return False
        try:
            with Collector(self._settings) as collector:
                for entry in entries:
                    text = audit_message(entry, self._source, self._studies(entry))
                    collector.send(syslog_line(text, entry.at, self._host))
        except OSError as error:
            if not self._was_away:  # once, not every few seconds
                _LOG.error("the collector of audit messages is away: %s", type(error).__name__)
            self._was_away = True
            return False
        self._was_away = False
        self._audit.sent(entries[-1].number)
        return True

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send in a thread until the block ends, and then what is left."""
        stop = Event()
        thread = Thread(target=self._go_on, args=(stop,), name="hemocast-audit", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self.send()

    def _go_on(self, stop: Event) -> None:
        while not stop.is_set():
            more = False
            try:
                more = self.send()
            except HemocastError as error:  # the database is away, say
                _LOG.error("%s", error)
            if not more:
                stop.wait(_REST_S)

    def _studies(self, entry: Entry) -> Sequence[Seen]:
        if not entry.act.studies:
            return ()
        wanted = select(STUDIES.c.study_uid, STUDIES.c.patient_id).where(
            STUDIES.c.id.in_(entry.act.studies)
        )
        with self._database.reading() as connection:
            return [Seen(row.study_uid, row.patient_id) for row in connection.execute(wanted)]
