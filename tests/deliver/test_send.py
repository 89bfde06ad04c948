"""Only a right answer counts as taken; no message of an error holds what the other side said."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from hemocast.deliver import Result
from hemocast.deliver.fhir import make_bundle
from hemocast.deliver.hl7 import control_id, make_message
from hemocast.deliver.send import post_bundle, send_message
from hemocast.errors import PeerRefused, UsageError

WORD = "opensesame"


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


@contextmanager
def receiver(answer: Callable[[str], bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """An interface engine that takes one message and answers as it is told."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            line, _ = server.accept()
            with line:
                while not (got and got[-1].endswith(b"\x1c\x0d")):
                    got.append((got.pop() if got else b"") + line.recv(100))
                line.sendall(answer(control_id(got[-1][1:].decode())))

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield server.getsockname()[1], got
        thread.join(10)


def acknowledgement(code: str, number: str) -> bytes:
    return f"\x0bMSH|^~\\&|A|B|C|D|2026||ACK|9|P|2.5.1\rMSA|{code}|{number}|Müller\r\x1c\r".encode()


def test_a_message_is_taken_when_its_own_acknowledgement_says_so(result: Result) -> None:
    message = make_message(result)
    with receiver(lambda number: acknowledgement("AA", number)) as (port, got):
        send_message(message, "127.0.0.1", port, timeout_s=10)
    assert got == [b"\x0b" + message.encode() + b"\x1c\r"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda number: acknowledgement("AE", number), r"\(AE\)"),
        (lambda number: acknowledgement("<b>", number), "no known code"),
        (lambda _: acknowledgement("AA", "another"), "another message"),
        (lambda _: b"", "another message"),
        (lambda _: b"\x0bgarbage\x1c\r", "another message"),
    ],
)
def test_what_is_not_taken_is_refused(
    refused: Result, answer: Callable[[str], bytes], why: str
) -> None:
    with (
        receiver(answer) as (port, _),
        pytest.raises(PeerRefused, match=why) as raised,
    ):
        send_message(make_message(refused), "127.0.0.1", port, timeout_s=10)
    assert "ller" not in str(raised.value)


def test_a_receiver_that_hangs_costs_the_time_it_was_given(refused: Result) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(PeerRefused, match="no answer"),
    ):
        send_message(make_message(refused), *server.getsockname(), timeout_s=0.2)


@contextmanager
def server(
    status: int, states: list[str] | None, body: bytes | None = None
) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """A FHIR server that answers with a status, and a status for each entry."""
    got: list[dict[str, object]] = []

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            got.append({"body": sent, "token": self.headers.get("Authorization")})
            entries = states if states is not None else ["201 Created"] * len(sent["entry"])
            content = (
                body
                if body is not None
                else json.dumps(
                    {"entry": [{"response": {"status": state}} for state in entries]}
                ).encode()
            )
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answering) as served:
        thread = threading.Thread(target=served.handle_request, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}/fhir", got
        thread.join(10)


def test_a_bundle_is_taken_when_every_entry_is(result: Result) -> None:
    bundle = make_bundle(result)
    with server(200, None) as (address, got):
        post_bundle(bundle, address, token=WORD, timeout_s=10)
    assert got == [{"body": bundle, "token": f"Bearer {WORD}"}]


@pytest.mark.parametrize(
    ("status", "states", "body"),
    [
        (500, None, None),
        (302, None, None),
        (200, ["201", "422 Müller"], None),
        (200, ["201"], None),
        (200, None, b"<html>Anne</html>"),
        (200, None, b"[]"),
    ],
)
def test_a_bundle_that_is_not_wholly_taken_is_refused(
    refused: Result, status: int, states: list[str] | None, body: bytes | None
) -> None:
    with server(status, states, body) as (address, _), pytest.raises(PeerRefused) as raised:
        post_bundle(make_bundle(refused), address, timeout_s=10)
    assert not any(word in str(raised.value) for word in ("ller", "Anne", "ACC"))


def test_another_kind_of_address_is_refused(refused: Result) -> None:
    with pytest.raises(UsageError):
        post_bundle(make_bundle(refused), "file:///etc/passwd")
