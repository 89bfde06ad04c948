"""Clients that begin and do not end, on real sockets: they are let go, and shut nobody out."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import httpx
import pytest

pytest.importorskip("uvicorn", reason="the extra 'serve' is not installed")

from hemocast.readers.study.folder import Study
from hemocast.serve.reading import connections

SEND = {"X-Hemocast-Reading": "1"}
Connect = Callable[[], socket.socket]


@pytest.fixture
def room(new_study: Callable[..., Study], serve: Callable[..., object]) -> object:
    """Serve a study."""
    return serve(new_study())


@pytest.fixture
def connect(room: object) -> Iterator[Connect]:
    """Return a function that opens a connection, closed after the test."""
    port = int(room.address.rpartition(":")[2])
    with ExitStack() as opened:
        yield lambda: opened.enter_context(socket.create_connection(("127.0.0.1", port), 10))


def let_go(connection: socket.socket, within: float) -> bool:
    connection.settimeout(within)
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def host(room: object) -> bytes:
    return room.address.removeprefix("http://").encode()


def beginnings(room: object) -> list[bytes]:
    head = b"POST /api/case/x/answer HTTP/1.1\r\nHost: " + host(room)
    head += b"\r\nX-Hemocast-Reading: 1\r\nContent-Type: application/json\r\n"
    return [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\nA:",
        head + b"Content-Length: 9\r\n\r\n{",
    ]


def test_a_request_that_does_not_end_is_let_go(
    room: object, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "WHOLE_REQUEST_S", 0.5)
    opened = [connect() for _ in beginnings(room)]
    for connection, begun in zip(opened, beginnings(room), strict=True):
        connection.sendall(begun)
    for connection in opened:
        connection.settimeout(10)
        received = b""
        with suppress(ConnectionError):
            while part := connection.recv(4096):
                received += part
        assert not received or received.startswith(b"HTTP/1.1 401 ")  # the body is not waited for


def test_a_byte_now_and_then_wins_no_time_also_in_a_second_request(
    room: object, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "WHOLE_REQUEST_S", 1.0)
    connection = connect()
    connection.sendall(b"GET /static/icon.svg HTTP/1.1\r\nHost: " + host(room) + b"\r\n\r\n")
    assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    start = time.monotonic()
    connection.sendall(b"GET / HTTP/1.1\r\n")
    with suppress(OSError):  # reset, or a broken pipe
        while time.monotonic() - start < 15:
            connection.sendall(b"A: b\r\n")
            time.sleep(0.1)
    assert 0.9 < time.monotonic() - start < 10


def test_many_that_send_nothing_shut_no_reader_out(
    room: object, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_UNFINISHED", 20)
    idle = [connect() for _ in range(60)]
    link = room.link("R1")
    with httpx.Client(base_url=room.address, timeout=20) as reader:
        assert reader.post(link, json={}, headers=SEND).status_code == 303
        assert reader.get("/api/state").status_code == 200
    assert all(let_go(connection, 5) for connection in idle[:40])
    assert not let_go(idle[-1], 0.2)


def test_endless_headers_are_refused(room: object, connect: Connect) -> None:
    connection = connect()
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 40_000)
    received = b""
    with suppress(ConnectionError):
        while part := connection.recv(4096):
            received += part
    assert received.startswith(b"HTTP/1.1 400 ")


def test_the_settings_bound_every_wait_and_log_no_address() -> None:
    config = connections.server_config(lambda: None)
    assert config.timeout_keep_alive <= 30
    assert config.limit_concurrency < 1024
    assert config.limit_concurrency > connections.MOST_UNFINISHED
    assert config.h11_max_incomplete_event_size <= 64 * 1024
    assert not config.access_log
