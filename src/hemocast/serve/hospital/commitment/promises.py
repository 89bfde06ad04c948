"""A modality asks whether its images arrived: it is told, and its list says how many there are.

The report goes over a new association where the settings know the one that asks as a peer, else
over the association of the request, once the answer to that has gone.
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from threading import BoundedSemaphore, Lock, Thread
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from hemocast.dicom.header.image import CT_CLASSES
from hemocast.errors import HemocastError, MalformedFile, StoreError
from hemocast.serve.hospital.commitment.references import (
    COMMITMENT,
    COMMITMENT_INSTANCE,
    Reference,
    Report,
    read_request,
    report_of,
)
from hemocast.serve.hospital.peers import Caller
from hemocast.serve.hospital.settings import HospitalConfig, Peer
from hemocast.serve.hospital.store.holdings import Holdings

if TYPE_CHECKING:
    from pynetdicom import evt
    from pynetdicom.association import Association

_LOG = logging.getLogger(__name__)
_SUCCESS, _INVALID, _FAILURE, _NOT_AUTHORISED = 0x0000, 0x0115, 0x0110, 0x0124
_MOST_AT_ONCE = 16
_NO_SUCH_OBJECT, _CLASS_CONFLICT = 0x0112, 0x0119


class Promises:
    """Answers requests for storage commitment.

    Parameters
    ----------
    settings : HospitalConfig
    holdings : Holdings
        What is here.
    caller : Caller
        Calls whoever asked.
    """

    def __init__(self, settings: HospitalConfig, holdings: Holdings, caller: Caller) -> None:
        self._settings = settings
        self._holdings = holdings
        self._caller = caller
        self._due: MutableMapping[Association, list[Report]] = WeakKeyDictionary()
        self._turn = Lock()
        self._room = BoundedSemaphore(_MOST_AT_ONCE)

    def asked(self, event: evt.Event) -> tuple[int, None]:
        """Take a request (N-ACTION): what is here is durable, so the report is ready at once."""
        if not self._settings.node.commitment:
            return _NOT_AUTHORISED, None
        try:
            transaction, wanted = read_request(event.action_information)
            report = self._look(transaction, wanted)
        except MalformedFile as error:
            _LOG.warning("%s", error)
            return _INVALID, None
        except StoreError as error:
            _LOG.error("%s", error)
            return _FAILURE, None
        # The parser raises whatever its code trips over in a hostile message.
        except Exception as error:
            _LOG.warning("a request for storage commitment is broken (%s)", type(error).__name__)
            return _FAILURE, None
        with self._turn:
            self._due.setdefault(event.assoc, []).append(report)
        return _SUCCESS, None

    def answered(self, event: evt.Event) -> None:
        """Send the reports whose requests have been answered (whenever a message has gone)."""
        with self._turn:
            reports = self._due.pop(event.assoc, [])
        for report in reports:
            if self._room.acquire(blocking=False):
                send = Thread(target=self._tell, args=(event.assoc, report), daemon=True)
                send.start()
            else:  # whoever asks so often asks again
                _LOG.warning("too many reports of storage commitment at once: one was not sent")

    def _look(self, transaction: str, wanted: tuple[Reference, ...]) -> Report:
        images = {one.sop_uid for one in wanted if one.sop_class in CT_CLASSES}
        classes = self._holdings.classes([one.sop_uid for one in wanted])
        lacking = {
            one: _CLASS_CONFLICT if one.sop_uid in classes else _NO_SUCH_OBJECT
            for one in wanted
            if one.sop_class not in classes.get(one.sop_uid, ())
        }
        self._holdings.expect_these(images)
        return Report(transaction, frozenset(set(wanted) - set(lacking)), lacking)

    def _tell(self, association: Association, report: Report) -> None:
        kind, information = report_of(report)
        try:
            peer = self._peer(str(association.requestor.ae_title))
            if peer is not None:
                self._caller.report(peer, kind, information)
            else:
                association.send_n_event_report(information, kind, COMMITMENT, COMMITMENT_INSTANCE)
        except HemocastError as error:
            _LOG.warning("a report of storage commitment was not sent: %s", error)
        # The association may have ended: whoever asked asks again.
        except (RuntimeError, ValueError) as error:
            _LOG.warning("a report of storage commitment was not sent (%s)", type(error).__name__)
        finally:
            self._room.release()

    def _peer(self, title: str) -> Peer | None:
        peers = self._settings.delivery.peers
        return next((peer for peer in peers if peer.ae_title == title), None)
