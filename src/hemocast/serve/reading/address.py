"""Where the reading room listens, and where its readers reach it."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from dataclasses import dataclass

from hemocast.errors import InUse, UsageError

MOST_PORT = 65535
_USUAL = {"http": 80, "https": 443}
_HOST = r"[a-z0-9._-]+|\[[0-9a-f:.]+\]"


@dataclass(frozen=True)
class Address:
    """Where readers reach the reading room: their browsers must name exactly this host.

    Parameters
    ----------
    origin : str
        As browsers send it: scheme, host, port; in lower case, without the scheme's own port.
    host : str
        The host alone, an IPv6 address in brackets.
    """

    origin: str
    host: str

    @property
    def secure(self) -> bool:
        """Whether it is reached over TLS."""
        return self.origin.startswith("https:")


def read_address(text: str) -> Address:
    """Read an address as a study's leader writes it.

    Parameters
    ----------
    text : str
        ``http://127.0.0.1:8765`` or ``https://reading.example.org``.

    Raises
    ------
    UsageError
        It is no http or https address of one host, or holds more than that: a path, a user.
    """
    found = re.fullmatch(rf"(https?)://({_HOST})(?::(\d{{1,5}}))?/?", text.lower())
    if found is None or not _can_be_reached(found[2]) or not 0 < int(found[3] or 1) <= MOST_PORT:
        raise UsageError(
            "The reading room's address is none that a browser could open",
            "http:// or https://, the name of a host and perhaps a port, without a path: "
            "https://reading.example.org",
            "Say with --address where readers reach this machine",
        )
    scheme, host, port = found.groups()
    shown = "" if port is None or int(port) == _USUAL[scheme] else f":{int(port)}"
    return Address(f"{scheme}://{host}{shown}", host)


def _can_be_reached(host: str) -> bool:
    """A name is taken as it is; an IP address must be one, and not that of every interface."""
    if not host.startswith("["):
        return host != "0.0.0.0"  # noqa: S104
    try:
        return not ipaddress.IPv6Address(host[1:-1]).is_unspecified
    except ValueError:
        return False


def address_of(host: str, port: int) -> Address:
    """Give the address of a room that is reached where it listens.

    Raises
    ------
    UsageError
        That is every interface, which is no address.
    """
    return read_address(f"http://{f'[{host}]' if ':' in host else host}:{port}")


def listen(host: str, port: int) -> socket.socket:
    """Take a port, before anything else is done for the reading room.

    Parameters
    ----------
    host : str
        Interface of this machine, by name or number.
    port : int

    Returns
    -------
    socket
        Listening: who connects from now on waits for the server.

    Raises
    ------
    InUse
        Another program listens there.
    UsageError
        There is no such port or interface here, or it is not free to use.
    """
    why = "no such port"
    try:
        if 0 < port <= MOST_PORT:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            return socket.create_server((host, port), family=family)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise InUse(
                f"Port {port} is in use",
                "a free port",
                "Choose another --port, or stop the program that listens there",
            ) from error
        why = getattr(error, "strerror", None) or type(error).__name__
    raise UsageError(
        f"The reading room cannot listen there ({why})",
        f"an interface of this machine and a port from 1 to {MOST_PORT}, usually above 1023",
        "Check --host and --port",
    )
