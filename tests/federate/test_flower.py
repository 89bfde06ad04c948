"""Four hospitals as Flower's SuperNodes on this machine: one is killed and comes back.

Needs Flower, whose pins are not ours: `make federate` makes an environment for it and runs this.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("flwr", reason="Flower is not installed: make federate")

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from hemocast.federate import Plan, SignedPlan, Site, federate, sign_plan
from hemocast.federate.flower import (
    ANSWERED,
    COORDINATOR,
    FINDINGS,
    KEY,
    PLAN,
    RESULT,
    STATE,
    read_site,
    write_app,
)
from hemocast.federate.keys import make_key, public_of
from hemocast.federate.receipt import Receipt

BIN = Path(sys.executable).parent
SITES = {"university": 120, "city": 90, "county": 60, "rural": 40}
PATIENCE = 45.0


def free_port() -> int:
    """A port that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return int(server.getsockname()[1])


def until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for something, and say what did not come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        threading.Event().wait(0.3)


class Wire:
    """All that goes between hospitals and coordinator, byte by byte."""

    def __init__(self, port: int) -> None:
        self.seen = bytearray()
        self._target = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                self.seen += data
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Take no more."""
        self._server.close()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder each for the coordinator and four hospitals, as they would have them."""
    coordinator = make_key(tmp_path / "coordinator.key")
    folders = {name: tmp_path / name for name in SITES}
    for folder in (*folders.values(), tmp_path / "server"):
        folder.mkdir()
    keys = {name: make_key(folder / KEY) for name, folder in folders.items()}
    plan = Plan(
        name="ht", horizon="HT", population="made-up patients", encoder="0" * 64,
        middle=(0.0,) * 4, spread=(1.0,) * 4, rounds=4, local_steps=40, least_sites=3,
        sites={name: public_of(key) for name, key in keys.items()},
    )  # fmt: skip
    text = sign_plan(plan, coordinator).to_json()
    for folder in (*folders.values(), tmp_path / "server"):
        (folder / PLAN).write_text(text)
        (folder / COORDINATOR).write_text(public_of(coordinator))
    for number, (name, folder) in enumerate(folders.items()):
        rng = np.random.default_rng(number)
        values = rng.normal(0, 1, (SITES[name], 4))
        chance = 1 / (1 + np.exp(-(values @ [1.2, -0.8, 0, 0.4] - 0.8)))
        np.savez(
            folder / FINDINGS, values=values,
            label=(rng.random(len(values)) < chance).astype(np.int64),
            patient=np.array([f"sub-SECRET-{name}-{k}" for k in range(len(values))]),
        )  # fmt: skip
    return tmp_path


@pytest.fixture
def start(place: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a program of Flower's, with its log in the folder; all end with the test."""
    with ExitStack() as stack:
        env = os.environ | {"FLWR_TELEMETRY_ENABLED": "0", "FLWR_HOME": str(place / "home")}
        env |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}

        def begin(log: str, program: str, *arguments: object) -> subprocess.Popen[bytes]:
            out = stack.enter_context((place / log).open("ab"))
            started = subprocess.Popen(
                [BIN / program, *map(str, arguments)], env=env, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip
            stack.callback(end, started)
            return started

        yield begin


def end(started: subprocess.Popen[bytes]) -> None:
    """Kill a program with the processes that it made."""
    with suppress(ProcessLookupError):
        os.killpg(started.pid, 9)
    started.wait()


def rounds_in(state: Path) -> int:
    """Rounds of both phases that are finished."""
    return sum(number for number, _ in json.loads(state.read_text())["phases"].values())


def site_at(place: Path, name: str) -> Site:
    """A hospital, read as its SuperNode reads it."""
    return read_site(place / name, name)


def certify(place: Path) -> Path:
    """Make a certificate for this machine, which certifies itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "coordinator")])
    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (place / "link.pem").write_bytes(made.public_bytes(Encoding.PEM))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (place / "link.key").write_bytes(private)
    return place / "link.pem"


Start = Callable[..., subprocess.Popen[bytes]]
Join = Callable[[str], subprocess.Popen[bytes]]


def launch(place: Path, start: Start, pem: Path | None) -> tuple[Wire, Join]:
    """Start the SuperLink and submit the run; return the wire and how a hospital joins."""
    port = free_port()
    wire = Wire(port)
    safe: list[object] = ["--insecure"]
    trusted: list[object] = ["--insecure"]
    line = "insecure = true"
    if pem:
        safe = ["--ssl-ca-certfile", pem, "--ssl-certfile", pem, "--ssl-keyfile",
                pem.with_suffix(".key")]  # fmt: skip
        trusted = ["--root-certificates", pem]
        line = f'root-certificates = "{pem}"'
    start("link.log", "flower-superlink", *safe, "--disable-runtime-dependency-installation",
          "--port", port)  # fmt: skip
    until(lambda: b"Uvicorn running" in (place / "link.log").read_bytes(), 120, "no SuperLink")
    write_app(place / "app")
    (place / "home").mkdir(exist_ok=True)
    (place / "home" / "config.toml").write_text(
        f'[superlink]\ndefault = "here"\n\n[superlink.here]\naddress = "127.0.0.1:{port}"\n{line}\n'
    )

    def join(name: str) -> subprocess.Popen[bytes]:
        return start(
            f"{name}.log", "flower-supernode", *trusted, "--superlink", f"127.0.0.1:{wire.port}",
            "--port", free_port(), "--node-config", f"folder='{place / name}' site='{name}'",
        )  # fmt: skip

    settings = f"folder='{place / 'server'}' patience={PATIENCE}"
    start("run.log", "flwr", "run", place / "app", "here", "--run-config", settings)
    return wire, join


@pytest.mark.slow
def test_with_certificates_nothing_can_be_read_on_the_wire(place: Path, start: Start) -> None:
    wire, join = launch(place, start, certify(place))
    for name in SITES:
        join(name)
    until((place / "server" / STATE).is_file, 600, "no round was finished")
    wire.close()
    seen = bytes(wire.seen)
    assert len(seen) > 10_000
    assert not any(word in seen for word in (b"university", b"question", b"SECRET"))


@pytest.mark.slow
def test_a_killed_hospital_comes_back_and_no_patient_is_on_the_wire(
    place: Path, start: Start
) -> None:
    wire, join = launch(place, start, None)
    nodes = {name: join(name) for name in SITES}
    state, result = place / "server" / STATE, place / "server" / RESULT
    until(state.is_file, 600, "no round was finished")
    end(nodes["rural"])
    before = rounds_in(state)
    until(lambda: rounds_in(state) >= before + 2, 900, "no round without the killed hospital")
    join("rural")
    until(result.is_file, 900, "no result")
    wire.close()

    found = json.loads(result.read_text())
    signed = SignedPlan.parse(
        (place / "server" / PLAN).read_text(),
        (place / "server" / COORDINATOR).read_text(),
    )
    receipts = [Receipt(**one) for one in found["receipts"]]
    assert all(one.holds(signed.plan.sites[one.site]) for one in receipts)
    took = found["took_part"]
    assert all(set(names) >= set(SITES) - {"rural"} for names in took)
    assert "rural" in took[0]
    assert any("rural" not in names for names in took)
    assert "rural" in took[-1]

    # About what one process gives; the killed hospital missed rounds.
    whole = federate(signed, {name: site_at(place, name) for name in SITES})
    np.testing.assert_allclose(found["weight"], whole.weight, atol=0.15)
    seen = bytes(wire.seen)
    assert len(seen) > 10_000
    assert b"university" in seen  # the wire is readable, so that what is missing in it was not sent
    assert b"SECRET" not in seen
    for name in SITES:
        findings = site_at(place, name).findings.values
        assert not any(row.tobytes() in seen for row in findings)
    assert (place / "rural" / ANSWERED).is_file()
