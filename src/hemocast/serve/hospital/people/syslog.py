"""Messages to a collector by syslog (RFC 5424), as DICOM PS3.15 A.6 and A.7 ask of audit messages.

Over TLS (RFC 5425) and TCP (RFC 6587, 3.4.1) a message is preceded by its length; over UDP (RFC
5426) it is a datagram: whether one arrived is then never known.
"""

from __future__ import annotations

import os
import socket
import ssl
from datetime import datetime
from types import TracebackType
from typing import Self

from hemocast.serve.hospital.people.settings import CollectorConfig

_PRIORITY = 85  # facility 10, security and authorization; severity 5, notice: PS3.15 A.6
_MESSAGE = "DICOM+RFC3881"  # PS3.15 A.6
_APP = "hemocast"
_BOM = b"\xef\xbb\xbf"
_MOST_DATAGRAM = 65_000
_WAIT_S = 10.0


def syslog_line(text: bytes, at: datetime, host: str) -> bytes:
    """Write a message of RFC 5424.

    Parameters
    ----------
    text : bytes
        UTF-8.
    at : datetime
        With its zone.
    host : str
        This machine's name.
    """
    name = "".join(letter for letter in host if "!" <= letter <= "~")[:255] or "-"
    when = at.isoformat(timespec="milliseconds")
    head = f"<{_PRIORITY}>1 {when} {name} {_APP} {os.getpid()} {_MESSAGE} - "
    return head.encode("ascii") + _BOM + text


class Collector:
    """A connection to the collector; opened when the block begins.

    Parameters
    ----------
    settings : CollectorConfig

    Raises
    ------
    OSError
        From entering and from `send`: it cannot be reached, or does not prove who it is.
    """

    def __init__(self, settings: CollectorConfig) -> None:
        self._settings = settings
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        settings = self._settings
        where = settings.host, settings.port
        if settings.transport == "udp":
            family, kind, *_, address = socket.getaddrinfo(*where, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind)
            self._socket.connect(address)
            return self
        opened = socket.create_connection(where, timeout=_WAIT_S)
        if settings.transport == "tls":
            try:
                opened = self._context().wrap_socket(opened, server_hostname=settings.host)
            except BaseException:
                opened.close()
                raise
        self._socket = opened
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._socket is not None:
            self._socket.close()

    def send(self, line: bytes) -> None:
        """Send a message; over TCP and TLS one that the system has taken may still be lost."""
        assert self._socket is not None  # noqa: S101 - entered
        if self._settings.transport == "udp":
            self._socket.send(line[:_MOST_DATAGRAM])
        else:
            self._socket.sendall(b"%d " % len(line) + line)

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._settings.authorities)
        if self._settings.certificate is not None:
            context.load_cert_chain(self._settings.certificate, self._settings.key)
        return context
