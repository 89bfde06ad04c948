"""A peer asked by C-FIND; it gives by C-MOVE to the node, or by C-GET over the same association."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal

from pydicom import Dataset
from pynetdicom import build_role, evt

from hemocast.dicom.header.image import CT_CLASSES
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.node import CT_SYNTAXES, drop_unfinished, take_image
from hemocast.serve.hospital.peers import Caller, refused, said, status_of
from hemocast.serve.hospital.pull.wanted import (
    SERIES_KEYS,
    STUDY_KEYS,
    FoundStudy,
    Wanted,
    found_series,
    text,
)
from hemocast.serve.hospital.settings import Peer

if TYPE_CHECKING:
    from pynetdicom.association import Association

FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3))
"""Study Root Query/Retrieve Information Model (PS3.4 annex C.4)."""
_PENDING = (0xFF00, 0xFF01)
_MOST = 5000


class DimsePeer:
    """A `Source`.

    Parameters
    ----------
    peer : Peer
    caller : Caller
        Calls it.
    own_title : str
        Of the node: where C-MOVE sends.
    by : str
        ``move`` or ``get``.
    inbox : Inbox
        Takes what C-GET brings.
    """

    def __init__(
        self, peer: Peer, caller: Caller, own_title: str, by: Literal["move", "get"], inbox: Inbox
    ) -> None:
        self._peer = peer
        self._caller = caller
        self._own_title = own_title
        self._by = by
        self._inbox = inbox

    def find(self, wanted: Wanted) -> list[FoundStudy]:
        """List the studies that are wanted.

        Raises
        ------
        PeerRefused
            It does not answer, or its answer is no list.
        """
        with self._finding() as association:
            query = _query("STUDY", STUDY_KEYS, wanted.keys())
            studies = [one for one in self._ask(association, query) if wanted.fits_study(one)]
            found = [self._with_series(association, one, wanted) for one in studies]
        return [one for one in found if one.series]

    def _with_series(self, association: Association, study: Dataset, wanted: Wanted) -> FoundStudy:
        uid = text(study, "StudyInstanceUID")
        query = _query("SERIES", SERIES_KEYS, {"StudyInstanceUID": uid, "Modality": "CT"})
        answers = self._ask(association, query)
        series = [found_series(one) for one in answers if wanted.fits_series(one, study)]
        return FoundStudy(uid, tuple(one for one in series if one.uid))

    def count(self, study: str) -> dict[str, int]:
        """Give how many images a study's CT series have, by series UID; none: it is not known.

        Raises
        ------
        PeerRefused
            It does not answer, or its answer is no list.
        """
        with self._finding() as association:
            keys = {"StudyInstanceUID": study, "Modality": "CT"}
            answers = self._ask(association, _query("SERIES", SERIES_KEYS, keys))
            series = [found_series(one) for one in answers if text(one, "Modality") in ("CT", "")]
            return {
                one.uid: one.images or self._images(association, study, one.uid)
                for one in series
                if one.uid
            }

    def _images(self, association: Association, study: str, series: str) -> int:
        """Count the images of a series one by one: the number is an optional key of PS3.4 C.6."""
        keys = {"StudyInstanceUID": study, "SeriesInstanceUID": series}
        answers = self._ask(association, _query("IMAGE", ("SOPInstanceUID",), keys))
        return len({text(one, "SOPInstanceUID") for one in answers} - {""})

    def _finding(self) -> AbstractContextManager[Association]:
        entity = self._caller.entity()
        entity.add_requested_context(FIND)
        return self._caller.association(self._peer, entity)

    def _ask(self, association: Association, query: Dataset) -> list[Dataset]:
        found: list[Dataset] = []
        if not association.is_established:
            raise refused(self._peer, "ends the association")
        for status, answer in association.send_c_find(query, FIND):
            if status_of(status) in _PENDING:
                if answer is not None:
                    found.append(answer)
                if len(found) > _MOST:
                    raise refused(self._peer, f"answers a query with more than {_MOST} entries")
            elif status_of(status) != 0:
                raise refused(self._peer, f"answers a query with {said(status)}")
        return found

    def fetch(self, study: FoundStudy) -> None:
        """Return once the peer says that it has sent all.

        Raises
        ------
        PeerRefused
            It does not answer, or could not send all.
        """
        with self._fetching() as association:
            for series in study.series:
                keys = {"StudyInstanceUID": study.uid, "SeriesInstanceUID": series.uid}
                self._retrieve(association, _query("SERIES", (), keys))

    def _fetching(self) -> Any:
        entity = self._caller.entity()
        if self._by == "move":
            entity.add_requested_context(MOVE)
            return self._caller.association(self._peer, entity)
        entity.add_requested_context(GET)
        for sop_class in sorted(CT_CLASSES):
            for syntax in CT_SYNTAXES:  # each its own context: the peer is to send it as it is
                entity.add_requested_context(sop_class, syntax)
        handlers = [
            (evt.EVT_C_STORE, take_image, [self._inbox, self._peer.ae_title]),
            (evt.EVT_CONN_CLOSE, drop_unfinished),
        ]
        roles = [build_role(sop_class, scp_role=True) for sop_class in sorted(CT_CLASSES)]
        return self._caller.association(self._peer, entity, ext_neg=roles, evt_handlers=handlers)

    def _retrieve(self, association: Association, query: Dataset) -> None:
        if not association.is_established:
            raise refused(self._peer, "ends the association")
        for status, _ in self._responses(association, query):
            code = status_of(status)
            if code not in _PENDING and code != 0:
                raise refused(self._peer, f"answers a retrieval with {said(status)}")

    def _responses(self, association: Association, query: Dataset) -> Iterator[Any]:
        if self._by == "move":
            return iter(association.send_c_move(query, self._own_title, MOVE))
        return iter(association.send_c_get(query, GET))


def _query(level: str, asked: tuple[str, ...], keys: dict[str, str]) -> Dataset:
    made = Dataset()
    made.QueryRetrieveLevel = level
    for name in asked:
        setattr(made, name, None if name.startswith("Number") else "")
    for name, value in keys.items():
        setattr(made, name, value)
    if not all(value.isascii() for value in keys.values()):
        made.SpecificCharacterSet = "ISO_IR 192"
    return made
