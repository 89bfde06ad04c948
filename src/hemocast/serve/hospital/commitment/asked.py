"""What peers were asked to keep for good, until they say that they do.

It is in the database: after a restart a report is still awaited, as long again, and whichever of
several services hears it, it counts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Set
from threading import Condition
from typing import TYPE_CHECKING

from hemocast.errors import StoreError
from hemocast.serve.hospital.commitment.references import Reference, Report, read_report
from hemocast.serve.hospital.store.commitments import Commitment, Commitments
from hemocast.serve.hospital.store.deliveries import Delivery

if TYPE_CHECKING:
    from pynetdicom import evt

_LOG = logging.getLogger(__name__)
_SUCCESS, _PROCESSING_FAILURE = 0x0000, 0x0110


class Asked:
    """The requests under way; threads of the node and the courier share it.

    Parameters
    ----------
    commitments : Commitments
    wait_s : float
        How long a peer may take.
    clock : callable
        Seconds that only ever rise.
    """

    def __init__(
        self, commitments: Commitments, wait_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._commitments = commitments
        self._wait_s = wait_s
        self._clock = clock
        self._since: dict[str, float] = {}
        self._changed = Condition()

    def add(self, transaction: str, delivery: Delivery, reference: Reference) -> None:
        """Note a request before it is made: the report may come at once."""
        self._commitments.add(transaction, delivery, reference.sop_class, reference.sop_uid)
        with self._changed:
            self._since[transaction] = self._clock()

    def drop(self, transaction: str, said: str) -> None:
        """Note that a request was not taken."""
        self._close(transaction, False, said)

    def open(self) -> set[int]:
        """Numbers of the deliveries that wait for their peers' reports."""
        return {one.delivery.number for one in self._commitments.all()}

    def await_reports(self, transactions: Set[str], seconds: float) -> None:
        """Return once none of some requests is open any more, or after some time."""
        with self._changed:
            self._changed.wait_for(lambda: not transactions & self._since.keys(), seconds)

    def answers(self) -> list[Commitment]:
        """Give what was answered and not acted on yet; a silent peer's no is among it."""
        found, now = self._commitments.all(), self._clock()
        with self._changed:
            waiting = [one.request for one in found if one.kept is None]
            self._since = {one: self._since.get(one, now) for one in waiting}
            late = [one for one, since in self._since.items() if now - since >= self._wait_s]
        for transaction in late:
            self._close(transaction, False, "no commitment came")
        found = self._commitments.all() if late else found
        return [one for one in found if one.kept is not None]

    def heard(self, event: evt.Event) -> tuple[int, None]:
        """Take a report (N-EVENT-REPORT); one that nobody asked for changes nothing."""
        try:
            report = read_report(event.event_information)
        # The parser raises whatever its code trips over in a hostile message.
        except Exception as error:
            _LOG.warning("a report of storage commitment is broken (%s)", type(error).__name__)
            return _PROCESSING_FAILURE, None
        try:
            self._take(report)
        except StoreError as error:  # the peer tells it again
            _LOG.error("%s", error)
            return _PROCESSING_FAILURE, None
        return _SUCCESS, None

    def _take(self, report: Report) -> None:
        one = self._commitments.get(report.transaction)
        if one is None:
            _LOG.warning("a report of storage commitment came that nobody waits for")
            return
        reference = Reference(one.sop_class, one.sop_uid)
        if reference in report.kept and reference not in report.lacking:
            self._close(report.transaction, True, "committed")
        else:
            reason = report.lacking.get(reference, _PROCESSING_FAILURE)
            self._close(report.transaction, False, f"not committed ({reason:04X})")

    def _close(self, transaction: str, kept: bool, said: str) -> None:
        self._commitments.answer(transaction, kept, said)
        with self._changed:
            self._since.pop(transaction, None)
            self._changed.notify_all()
