"""Results by FHIR, HL7 and STOW-RS: sent until the other side says that it has them."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pydantic import ValidationError
from pydicom import dcmread

from hemocast.deliver.hl7 import control_id
from hemocast.serve.hospital.commitment.asked import Asked
from hemocast.serve.hospital.courier import Courier
from hemocast.serve.hospital.endpoints import post
from hemocast.serve.hospital.objects import refusal_objects
from hemocast.serve.hospital.peers import Caller
from hemocast.serve.hospital.service import Office
from hemocast.serve.hospital.settings import Endpoint, HospitalConfig
from hemocast.serve.hospital.store.commitments import Commitments
from hemocast.serve.hospital.store.deliveries import Deliveries
from hemocast.serve.hospital.store.jobs import State
from hemocast.serve.hospital.worker import Outgoing, Worker


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")


@contextmanager
def engine(codes: list[str]) -> Iterator[tuple[str, list[str]]]:
    """An interface engine that answers message after message with these codes."""
    got: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            for code in codes:
                line, _ = server.accept()
                with line:
                    message = b""
                    while not message.endswith(b"\x1c\x0d"):
                        message += line.recv(1000)
                    got.append(message[1:-2].decode())
                    number = control_id(got[-1])
                    said = f"\x0bMSH|^~\\&|A|B|C|D|2026||ACK|9|P|2.5.1\rMSA|{code}|{number}\r\x1c\r"
                    line.sendall(said.encode())

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield f"mllp://127.0.0.1:{server.getsockname()[1]}", got
        thread.join(10)


@contextmanager
def fhir_server(codes: list[int]) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """A FHIR server that answers request after request with these codes."""
    got: list[dict[str, object]] = []

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            got.append(sent | {"token": self.headers.get("Authorization")})
            self.send_response(codes[len(got) - 1])
            self.end_headers()
            taken = [{"response": {"status": "200 OK"}}] * len(sent["entry"])
            self.wfile.write(json.dumps({"entry": taken}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answering) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}/fhir", got
        served.shutdown()


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_result_is_sent_by_each_kind_until_the_other_side_has_it(
    office: Office,
    take: Callable[..., object],
    small_study: Callable[..., list[Path]],
    settings: Callable[..., HospitalConfig],
    analyst: object,
    tmp_path: Path,
) -> None:
    (tmp_path / "token").write_text("opensesame\n")
    with engine(["AE", "AA"]) as (ris, messages), fhir_server([503, 200]) as (fhir, bundles):
        endpoints = [
            {"name": "ris", "kind": "hl7", "address": ris},
            {"name": "fhir", "kind": "fhir", "address": fhir, "token": str(tmp_path / "token")},
        ]
        rules = [{"body_part": ["HEAD"], "skip": "not today"}]
        given = settings(
            delivery={"endpoints": endpoints, "refusals": True, "timeout_s": 10},
            analysis={"rules": rules},
            jobs={"backoff_s": 10},
        )
        clock, deliveries = Clock(), Deliveries(office.database)
        deliveries.switch(True, "A. Person")
        take(small_study(tmp_path / "s", "P1"))
        office.jobs.move(office.jobs.get(1), State.SETTLED)
        Worker(
            office.jobs, office.root, analyst, given.jobs, given.analysis.rules, Outgoing.of(given)
        ).work()
        caller, asked = Caller(given.node, 5), Asked(Commitments(office.database), 10, clock)
        courier = Courier(office.jobs, deliveries, office.root, given, caller, asked, clock=clock)
        assert courier.work()
        told = [(one.peer, one.state, one.answer) for one in deliveries.all(1)]
        assert told == [
            ("ris", "waiting", "The HL7 receiver does not take the message (AE)"),
            ("fhir", "waiting", "The FHIR server answers with status 503"),
        ]
        assert not courier.work()
        clock.seconds += 10
        courier.work()
    assert [one.state for one in deliveries.all(1)] == ["sent", "sent"]
    assert messages[0] == messages[1]
    assert "AP1" in messages[0]  # the accession number, and the same message again
    assert [one["token"] for one in bundles] == ["Bearer opensesame"] * 2
    assert bundles[0]["resourceType"] == "Bundle"


def test_objects_go_to_an_archive_by_stow(
    orthanc: str, small_study: Callable[..., list[Path]], tmp_path: Path
) -> None:
    (image,) = small_study(tmp_path / "s", "P1", 1)
    made = refusal_objects(image, "HC201", "HC201 Why.", revision=1, lang="en")
    path = tmp_path / "capture.dcm"
    path.write_bytes(made["capture.dcm"])
    to = Endpoint(name="web", kind="stow", address=f"{orthanc}/dicom-web")
    (sent,) = post(to, [path], 10)
    assert (sent.taken, sent.answer) == (True, "acknowledged")
    away = partial(post, to.model_copy(update={"address": "http://127.0.0.1:9/x"}))
    (lost,) = away([path], 2)
    assert not lost.taken
    assert not any(str(v) in lost.answer for v in (dcmread(image).PatientID, "AP1"))


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("hl7", "https://x"), ("hl7", "mllp://x"), ("fhir", "mllp://x:1"), ("stow", "file:///x"),
        ("fhir", "https://name:word@x"),
    ],
)  # fmt: skip
def test_an_address_of_another_kind_is_refused(kind: str, address: str) -> None:
    with pytest.raises(ValidationError):
        Endpoint(name="x", kind=kind, address=address)
