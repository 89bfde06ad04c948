"""What peers were asked to keep for good, until they say that they do.

It is known in memory alone: after a restart all that still waits is sent and asked for again, which
does no harm, since the objects and their identifiers are the same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Set
from dataclasses import dataclass
from threading import Condition
from typing import TYPE_CHECKING

from hemocast.serve.hospital.commitment.references import Reference, read_report
from hemocast.serve.hospital.store.deliveries import Delivery

if TYPE_CHECKING:
    from pynetdicom import evt

_LOG = logging.getLogger(__name__)
_SUCCESS, _PROCESSING_FAILURE = 0x0000, 0x0110


@dataclass(frozen=True)
class Answer:
    """What became of a delivery that a peer was asked to commit to.

    Parameters
    ----------
    delivery : Delivery
    kept : bool
    said : str
    """

    delivery: Delivery
    kept: bool
    said: str


@dataclass(frozen=True)
class _Asked:
    delivery: Delivery
    reference: Reference
    since: float


class Asked:
    """The requests under way; threads of the node and the courier share it.

    Parameters
    ----------
    wait_s : float
        How long a peer may take.
    clock : callable
        Seconds that only ever rise.
    """

    def __init__(self, wait_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._wait_s = wait_s
        self._clock = clock
        self._open: dict[str, _Asked] = {}
        self._answers: list[Answer] = []
        self._changed = Condition()

    def add(self, transaction: str, delivery: Delivery, reference: Reference) -> None:
        """Note a request before it is made: the report may come at once."""
        with self._changed:
            self._open[transaction] = _Asked(delivery, reference, self._clock())

    def drop(self, transaction: str, said: str) -> None:
        """Note that a request was not taken."""
        self._close(transaction, False, said)

    def is_open(self, delivery: Delivery) -> bool:
        """Tell whether a delivery waits for its peer's report."""
        with self._changed:
            return any(one.delivery.number == delivery.number for one in self._open.values())

    def await_reports(self, transactions: Set[str], seconds: float) -> None:
        """Return once none of some requests is open any more, or after some time."""
        with self._changed:
            self._changed.wait_for(lambda: not transactions & self._open.keys(), seconds)

    def answers(self) -> list[Answer]:
        """Give what has been answered since the last look; a silent peer's no is among it."""
        with self._changed:
            now = self._clock()
            late = [uid for uid, one in self._open.items() if now - one.since >= self._wait_s]
        for transaction in late:
            self._close(transaction, False, "no commitment came")
        with self._changed:
            found, self._answers = self._answers, []
        return found

    def heard(self, event: evt.Event) -> tuple[int, None]:
        """Take a report (N-EVENT-REPORT); one that nobody asked for changes nothing."""
        try:
            report = read_report(event.event_information)
        # The parser raises whatever its code trips over in a hostile message.
        except Exception as error:
            _LOG.warning("a report of storage commitment is broken (%s)", type(error).__name__)
            return _PROCESSING_FAILURE, None
        with self._changed:
            one = self._open.get(report.transaction)
        if one is None:
            _LOG.warning("a report of storage commitment came that nobody waits for")
        elif one.reference in report.kept and one.reference not in report.lacking:
            self._close(report.transaction, True, "committed")
        else:
            reason = report.lacking.get(one.reference, _PROCESSING_FAILURE)
            self._close(report.transaction, False, f"not committed ({reason:04X})")
        return _SUCCESS, None

    def _close(self, transaction: str, kept: bool, said: str) -> None:
        with self._changed:
            one = self._open.pop(transaction, None)
            if one is not None:
                self._answers.append(Answer(one.delivery, kept, said))
            self._changed.notify_all()
