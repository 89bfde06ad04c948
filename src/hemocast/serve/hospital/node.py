"""The DICOM node: C-ECHO, C-STORE for CT images, each answered when durable, storage commitment.

Datasets go straight to the disk as they come (``STORE_RECV_CHUNKED_DATASET``): pynetdicom would
otherwise hold and decode them in memory, which was slow or failed for large ones (pynetdicom issues
317, 629, 684). Nothing of an image enters a log: pynetdicom's own handlers, which would write
identifiers and addresses of files, are off.
"""

from __future__ import annotations

import logging
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, _config, dimse_messages, evt
from pynetdicom.transport import RequestHandler, ThreadedAssociationServer

from hemocast.dicom.header.image import CT_CLASSES
from hemocast.errors import (
    HemocastError,
    InputError,
    InUse,
    NoCT,
    NoSpace,
    NotWritable,
    StoreError,
    UsageError,
)
from hemocast.serve.hospital.commitment.references import COMMITMENT
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.settings import NodeConfig

_LOG = logging.getLogger(__name__)

SUCCESS, NO_RESOURCES, DOES_NOT_MATCH, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xA900, 0xC000
"""Statuses of C-STORE (PS3.4 table B.2-1)."""
Handler = tuple[Any, Callable[..., Any]]
CT_SYNTAXES = tuple(
    syntax
    for syntax in ALL_TRANSFER_SYNTAXES
    if not re.match(r"1\.2\.840\.10008\.1\.2\.(4\.(9[45]|10\d|20[45])|7)(\.|$)", syntax)
)
"""All that an image may be sent in; neither video nor references to pixels that lie elsewhere."""
_MOST_ASSOCIATE = 2**20
"""Bytes of a request for association, which no negotiation limits; the largest have 200 kB."""
_VERIFICATION = "1.2.840.10008.1.1"


class Server(ThreadedAssociationServer):
    """Turns callers away before they cost anything: from elsewhere, or one too many.

    pynetdicom itself counts associations only once they have been asked for.
    """

    allowed: tuple[Any, ...] = ()
    most = 16
    _most_at_once = 2

    def verify_request(self, _request: object, client_address: Any) -> bool:
        """Tell whether a connection is taken."""
        address = ip_address(client_address[0].partition("%")[0])
        if self.allowed and not any(address in network for network in self.allowed):
            _LOG.warning("turned away a connection from an address that is not allowed")
            return False
        # One more than the limit gets as far as being told so; of more the connection is closed.
        return len(self.active_associations) < self.most * self._most_at_once

    def handle_error(self, _request: object, _client_address: object) -> None:
        """Say in one line that a connection failed; the server goes on."""
        _LOG.warning("a connection failed", exc_info=_LOG.isEnabledFor(logging.DEBUG))


class _Connection(RequestHandler):
    """Reads no more of one message unit than was negotiated; pynetdicom would take 4 GB."""

    def _create_association(self) -> Any:
        association = super()._create_association()
        most = max(self.ae.maximum_pdu_size, _MOST_ASSOCIATE)
        reading: Any = association.dul.socket
        reading.recv = partial(_receive, reading.recv, most)
        return association


def _receive(receive: Callable[[int], bytearray], most: int, wanted: int) -> bytearray:
    if wanted > most:
        _LOG.warning("ended a connection that announced a message unit of %d bytes", wanted)
        raise ConnectionAbortedError
    return receive(wanted)


class _PatientHandshake(ssl.SSLContext):
    """Leaves the handshake to the connection's own thread: a slow one must not hold up others."""

    wait = 60.0

    def wrap_socket(self, sock: Any, *args: Any, **options: Any) -> ssl.SSLSocket:
        """Wrap without a handshake, which comes with the first byte that is read."""
        sock.settimeout(self.wait)
        options["do_handshake_on_connect"] = False
        return super().wrap_socket(sock, *args, **options)


@contextmanager
def straight_to_disk(incoming: Path) -> Iterator[None]:
    """Let datasets go to the disk as they come, and nothing of them into a log.

    Parameters
    ----------
    incoming : Path
        Where they lie until they are taken: on the same disk, so that moving one costs nothing.
    """
    receiving: Any = dimse_messages
    before = _config.STORE_RECV_CHUNKED_DATASET, _config.LOG_HANDLER_LEVEL
    _config.STORE_RECV_CHUNKED_DATASET = True
    _config.LOG_HANDLER_LEVEL = "none"
    # Both log values of headers, which identify patients.
    for library in ("pynetdicom", "pydicom"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    receiving.NamedTemporaryFile = partial(NamedTemporaryFile, dir=incoming)
    try:
        yield
    finally:
        _config.STORE_RECV_CHUNKED_DATASET, _config.LOG_HANDLER_LEVEL = before
        receiving.NamedTemporaryFile = NamedTemporaryFile


@contextmanager
def listening(
    settings: NodeConfig, inbox: Inbox, incoming: Path, also: Sequence[Handler] = ()
) -> Iterator[int]:
    """Run the node in threads of its own.

    Parameters
    ----------
    settings : NodeConfig
    inbox : Inbox
        Takes what comes.
    incoming : Path
        Where it lies until then.
    also : sequence of (event, callable)
        Who else hears of what events of pynetdicom.

    Yields
    ------
    int
        The port it listens on.

    Raises
    ------
    InUse
        Somebody else listens there.
    UsageError
        A certificate or key cannot be read.
    """
    with straight_to_disk(incoming):
        entity, server = _start(settings, inbox, also)
        port = int(server.server_address[1])
        _LOG.info("listening as %s on port %d", settings.ae_title, port)
        try:
            yield port
        finally:
            server.shutdown()
            entity.shutdown()


def _start(settings: NodeConfig, inbox: Inbox, also: Sequence[Handler]) -> tuple[AE, Server]:
    entity = AE(ae_title=settings.ae_title)
    entity.require_called_aet = not settings.any_called
    entity.require_calling_aet = list(settings.callers)
    entity.maximum_associations = settings.associations
    entity.maximum_pdu_size = settings.pdu_bytes
    entity.network_timeout = settings.timeout_s
    entity.acse_timeout = settings.timeout_s
    entity.dimse_timeout = settings.timeout_s
    entity.add_supported_context(_VERIFICATION)
    # Who asks for commitment is its user, who reports of it its provider.
    entity.add_supported_context(COMMITMENT, scu_role=True, scp_role=True)
    for sop_class in sorted(CT_CLASSES):
        entity.add_supported_context(sop_class, list(CT_SYNTAXES))
    handlers: Any = [
        (evt.EVT_C_ECHO, lambda _event: SUCCESS),
        (evt.EVT_C_STORE, take_image, [inbox]),
        (evt.EVT_CONN_CLOSE, drop_unfinished),
        *also,
    ]
    try:
        server: Any = entity.make_server(
            (settings.host, settings.port),
            evt_handlers=handlers,
            server_class=Server,
            request_handler=_Connection,
            ssl_context=tls_server(settings),
        )
    except OSError as error:
        raise InUse(
            f"The node cannot listen on {settings.host} port {settings.port} "
            f"({error.strerror or type(error).__name__})",
            "an interface of this machine and a port that is free and allowed",
            "Change node.host or node.port, or end what listens there",
        ) from error
    server.allowed = tuple(ip_network(one) for one in settings.addresses)
    server.most = settings.associations
    entity._servers.append(server)  # as AE.start_server does, which takes no class of ours
    threading.Thread(target=server.serve_forever, name="hemocast-node", daemon=True).start()
    return entity, server


def tls_server(settings: NodeConfig) -> ssl.SSLContext | None:
    """Give what TLS needs of the side that is called, or None where it is not asked for."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    context = _PatientHandshake(ssl.PROTOCOL_TLS_SERVER)
    context.wait = settings.timeout_s
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        if settings.tls_callers is not None:
            context.load_verify_locations(settings.tls_callers)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise certificate_refused(error) from error
    return context


def certificate_refused(error: Exception) -> UsageError:
    """Say that a certificate cannot be used."""
    return UsageError(
        f"A certificate or its key cannot be used ({type(error).__name__})",
        "PEM files that belong together",
        "Check node.tls_certificate, node.tls_key and node.tls_callers",
    )


def take_image(event: evt.Event, inbox: Inbox, sender: str = "") -> int:
    """Take one image: success only when it is durable, and what is wrong with it costs it alone.

    Parameters
    ----------
    event : Event
    inbox : Inbox
    sender : str
        AE title; default: of whoever associated.
    """
    try:
        sender = sender or str(event.assoc.requestor.ae_title)
        request: Any = event.request
        said = str(request.AffectedSOPInstanceUID)
        inbox.take(Path(event.dataset_path), sender, sop_uid=said)
    except (NoSpace, NotWritable, StoreError) as error:
        _LOG.error("an image was turned away: %s", error)
        return NO_RESOURCES
    except NoCT:
        return DOES_NOT_MATCH
    except InputError as error:
        _LOG.warning("an image was turned away: %s", error)
        return CANNOT_UNDERSTAND
    # Whatever it is, it costs one image; a sender that gets no answer would send none.
    except Exception as error:
        code = error.code if isinstance(error, HemocastError) else type(error).__name__
        _LOG.error("an image was turned away (%s)", code)
        return CANNOT_UNDERSTAND
    return SUCCESS


def drop_unfinished(event: evt.Event) -> None:
    """Remove what an association left half received; pynetdicom would leave it for ever."""
    message = event.assoc.dimse.message
    file = getattr(message, "_data_set_file", None)
    if file is not None:
        file.close()
        Path(file.name).unlink(missing_ok=True)
