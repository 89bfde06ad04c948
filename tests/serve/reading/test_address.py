"""Where the reading room listens and is reached; what cannot be is refused with a code."""

from __future__ import annotations

import socket

import pytest

from hemocast.errors import InUse, UsageError
from hemocast.serve.reading.address import address_of, listen, read_address


@pytest.mark.parametrize(
    ("text", "origin", "host", "secure"),
    [
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765", "127.0.0.1", False),
        ("https://Room.org:443/", "https://room.org", "room.org", True),
        ("http://localhost:80", "http://localhost", "localhost", False),
        ("HTTPS://a-b.example.org:8443", "https://a-b.example.org:8443", "a-b.example.org", True),
        ("http://[::1]:8765", "http://[::1]:8765", "[::1]", False),
    ],
)
def test_an_address_is_read_as_browsers_send_it(
    text: str, origin: str, host: str, secure: bool
) -> None:
    address = read_address(text)
    assert (address.origin, address.host, address.secure) == (origin, host, secure)


@pytest.mark.parametrize(
    "text",
    [
        "", "localhost:8765", "ftp://room.org", "https://", "https://room.org/read",
        "https://room.org?x", "https://room.org#x", "https://user@room.org", "https://room.org:0",
        "https://room.org:99999", "https://room.org:x", "http://[::1", "http://[zz]", "http://[::]",
        "http://0.0.0.0:80", "https://room org", "https://room.org\r\nX: 1", "https://röntgen.org",
    ],
)  # fmt: skip
def test_what_no_browser_could_open_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="HC001"):
        read_address(text)


def test_a_room_is_reached_where_it_listens_but_not_at_every_interface() -> None:
    assert address_of("127.0.0.1", 81).origin == "http://127.0.0.1:81"
    assert address_of("::1", 8765).origin == "http://[::1]:8765"
    for every in ("0.0.0.0", "::", ""):  # noqa: S104
        with pytest.raises(UsageError, match="--address"):
            address_of(every, 8765)


def test_a_port_is_taken_until_it_is_closed() -> None:
    with listen("127.0.0.1", free_port()) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InUse, match=rf"HC007 Port {port} is in use"):
            listen("127.0.0.1", port)
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    listen("127.0.0.1", port).close()


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("127.0.0.1", 0),
        ("127.0.0.1", -1),
        ("127.0.0.1", 99999),
        ("192.0.2.1", 8765),  # an address for documentation: no interface has it
        ("no such host", 8765),
        ("x" * 99, 8765),
    ],
)
def test_where_nobody_can_listen_is_refused(host: str, port: int) -> None:
    with pytest.raises(UsageError, match="cannot listen there"):
        listen(host, port)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
