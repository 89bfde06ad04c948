"""The other nodes: asked whether they are there, and sent objects; their status alone is trusted.

A connection that ends, or a peer that says nothing, is no success: the object is sent again, which
does no harm since it is the same with the same identifier.
"""

from __future__ import annotations

import logging
import ssl
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from hemocast.errors import PeerRefused
from hemocast.serve.hospital.commitment.references import (
    ASK,
    COMMITMENT,
    COMMITMENT_INSTANCE,
    Reference,
    request_of,
)
from hemocast.serve.hospital.node import certificate_refused
from hemocast.serve.hospital.settings import NodeConfig, Peer

if TYPE_CHECKING:
    from pydicom import Dataset
    from pynetdicom import AE
    from pynetdicom.association import Association

VERIFICATION = "1.2.840.10008.1.1"
_WARNINGS = range(0xB000, 0xC000)


@dataclass(frozen=True)
class Sent:
    """What a peer answered to one object.

    Parameters
    ----------
    file : Path
    taken : bool
        It has it: success, or a warning (taken, with something changed).
    answer : str
        Its status, or what happened in place of one.
    """

    file: Path
    taken: bool
    answer: str


class Caller:
    """Calls peers.

    Parameters
    ----------
    node : NodeConfig
        Whose name and certificate are shown.
    timeout_s : float
        A peer that is silent for so long is left.
    """

    def __init__(self, node: NodeConfig, timeout_s: float) -> None:
        self._node = node
        self._timeout_s = timeout_s

    def entity(self) -> AE:
        """Give an application entity that calls and waits as the settings say."""
        from pynetdicom import AE

        logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)  # it logs values of headers
        entity = AE(ae_title=self._node.ae_title)
        entity.connection_timeout = self._timeout_s
        entity.acse_timeout = self._timeout_s
        entity.dimse_timeout = self._timeout_s
        entity.network_timeout = self._timeout_s
        return entity

    @contextmanager
    def association(self, peer: Peer, entity: AE, **more: Any) -> Iterator[Association]:
        """Associate with a peer.

        Raises
        ------
        PeerRefused
            It does not answer, or does not want to.
        """
        more |= {"ae_title": peer.ae_title, "max_pdu": self._node.pdu_bytes}
        if peer.tls:
            more["tls_args"] = (self._tls(), peer.host)
        association = entity.associate(peer.host, peer.port, **more)
        if not association.is_established:
            how = "rejects the association" if association.is_rejected else "does not answer"
            raise refused(peer, how)
        try:
            yield association
        finally:
            if association.is_established:
                association.release()

    def _tls(self) -> ssl.SSLContext:
        node = self._node
        try:
            context = ssl.create_default_context(cafile=node.tls_callers)
            if node.tls_certificate is not None:
                context.load_cert_chain(node.tls_certificate, node.tls_key)
        except (OSError, ssl.SSLError) as error:
            raise certificate_refused(error) from error
        return context

    def echo(self, peer: Peer) -> None:
        """Ask a peer whether it is there; raises `PeerRefused` where it is not."""
        entity = self.entity()
        entity.add_requested_context(VERIFICATION)
        with self.association(peer, entity) as association:
            status = association.send_c_echo()
            if status_of(status) != 0:
                raise refused(peer, f"answers {said(status)}")

    def store(self, peer: Peer, files: Sequence[Path]) -> Iterator[Sent]:
        """Send files over one association; what a file is not answered by, it is not sent.

        Yields
        ------
        Sent
            One for each file, in their order, as soon as it is known. Who stops iterating stops
            the sending.

        Raises
        ------
        PeerRefused
            As `association` does.
        """
        entity = self.entity()
        for kind, syntax in sorted({_kind_of(file) for file in files}):
            entity.add_requested_context(kind, syntax)
        with self.association(peer, entity) as association:
            for file in files:
                yield _store(association, file)

    @contextmanager
    def asking(
        self, peer: Peer, heard: Callable[[Any], tuple[int, None]]
    ) -> Iterator[Callable[[str, Reference], str]]:
        """Associate to ask a peer to commit to what it has (N-ACTION).

        Parameters
        ----------
        peer : Peer
        heard : callable
            Takes its reports, which may come over the same association while it lasts.

        Yields
        ------
        callable
            Asks for one object under a transaction; says why the peer does not take the request,
            or "" where it does.

        Raises
        ------
        PeerRefused
            As `association` does.
        """
        from pynetdicom import evt

        entity = self.entity()
        entity.add_requested_context(COMMITMENT)
        replied = Event()
        replied.set()

        def hear(event: Any) -> tuple[int, None]:
            replied.clear()
            return heard(event)

        handlers = [
            (evt.EVT_N_EVENT_REPORT, hear),
            (evt.EVT_DIMSE_SENT, lambda _event: replied.set()),
        ]
        with self.association(peer, entity, evt_handlers=handlers) as association:

            def ask(transaction: str, reference: Reference) -> str:
                if not association.is_established:
                    return "the association has ended"
                wanted = request_of(transaction, [reference])
                instance = COMMITMENT_INSTANCE
                try:
                    status, _ = association.send_n_action(wanted, ASK, COMMITMENT, instance)
                except (ValueError, RuntimeError) as error:  # it does not know the service
                    return f"commitment not accepted ({type(error).__name__})"
                return "" if status_of(status) == 0 else f"commitment: {said(status)}"

            yield ask
            replied.wait(self._timeout_s)  # an association that ends earlier breaks off

    def report(self, peer: Peer, kind: int, information: Dataset) -> None:
        """Tell whoever asked for commitment what is here (N-EVENT-REPORT).

        Raises
        ------
        PeerRefused
            It does not answer, or does not take it.
        """
        from pynetdicom import build_role

        entity = self.entity()
        entity.add_requested_context(COMMITMENT)
        role = build_role(COMMITMENT, scp_role=True)
        with self.association(peer, entity, ext_neg=[role]) as association:
            status, _ = association.send_n_event_report(
                information, kind, COMMITMENT, COMMITMENT_INSTANCE
            )
            if status_of(status) != 0:
                raise refused(peer, f"answers {said(status)}")


def reference_of(file: Path) -> Reference:
    """Read which object a file holds."""
    from pydicom.filereader import read_file_meta_info

    meta = read_file_meta_info(str(file))
    return Reference(str(meta.MediaStorageSOPClassUID), str(meta.MediaStorageSOPInstanceUID))


def _store(association: Association, file: Path) -> Sent:
    if not association.is_established:
        return Sent(file, False, "the association has ended")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            status = association.send_c_store(str(file))
    except (ValueError, RuntimeError) as error:  # no presentation context was accepted for it
        return Sent(file, False, f"not accepted ({type(error).__name__})")
    code = status_of(status)
    return Sent(file, code == 0 or code in _WARNINGS, said(status))


def _kind_of(file: Path) -> tuple[str, str]:
    from pydicom.filereader import read_file_meta_info

    meta = read_file_meta_info(str(file))
    return str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)


def status_of(status: Any) -> int:
    """Give the code of a response; -1 where there was none."""
    return int(status.Status) if "Status" in status else -1


def said(status: Any) -> str:
    """Give a response for people; its comment may identify a patient and is left out."""
    code = status_of(status)
    return "no status" if code < 0 else f"status {code:04X}"


def refused(peer: Peer, how: str) -> PeerRefused:
    """Say that a peer does not do what it was asked for."""
    return PeerRefused(
        f"Peer {peer.name} {how}",
        "a node that knows this one and answers",
        "Check its address, port and AE titles in the settings, and its own list of nodes; "
        "'hemocast serve echo' tries again",
    )
