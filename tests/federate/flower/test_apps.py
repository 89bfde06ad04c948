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
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID
from tests.federate.flower.memory import SITES, hospitals

from hemocast.federate import Site, federate
from hemocast.federate.flower.project import write_app
from hemocast.federate.folder import ANSWERED, RESULT, STATE, read_result, read_site
from hemocast.federate.site import Counts, Task

BIN = Path(sys.executable).parent
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
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a program of Flower's, with its log in the folder; all end with the test."""
    with ExitStack() as stack:
        env = os.environ | {"FLWR_TELEMETRY_ENABLED": "0", "FLWR_HOME": str(tmp_path / "home")}
        env |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}

        def begin(log: str, program: str, *arguments: object) -> subprocess.Popen[bytes]:
            out = stack.enter_context((tmp_path / log).open("ab"))
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


def node_key(place: Path, name: str) -> tuple[Path, Path]:
    """Make the key by which a hospital's SuperNode is known, and its public part."""
    key = ec.generate_private_key(ec.SECP384R1())
    private, public = place / f"{name}.node", place / f"{name}.node.pub"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))
    return private, public


Start = Callable[..., subprocess.Popen[bytes]]
Join = Callable[..., subprocess.Popen[bytes]]


def launch(place: Path, start: Start, pem: Path | None) -> tuple[Wire, Join]:
    """Start the SuperLink; return the wire and how a hospital joins.

    With a certificate the wire is secret, and only SuperNodes whose keys were registered may join.
    """
    port = free_port()
    wire = Wire(port)
    safe: list[object] = ["--insecure"]
    trusted: list[object] = ["--insecure"]
    line = "insecure = true"
    if pem:
        safe = ["--ssl-ca-certfile", pem, "--ssl-certfile", pem, "--ssl-keyfile",
                pem.with_suffix(".key"), "--enable-supernode-auth"]  # fmt: skip
        trusted = ["--root-certificates", pem]
        line = f'root-certificates = "{pem}"'
    start("link.log", "flower-superlink", *safe, "--disable-runtime-dependency-installation",
          "--port", port)  # fmt: skip
    until(lambda: b"Uvicorn running" in (place / "link.log").read_bytes(), 120, "no SuperLink")
    (place / "home").mkdir(exist_ok=True)
    (place / "home" / "config.toml").write_text(
        f'[superlink]\ndefault = "here"\n\n[superlink.here]\naddress = "127.0.0.1:{port}"\n{line}\n'
    )

    def join(name: str, *more: object) -> subprocess.Popen[bytes]:
        return start(
            f"{name}.log", "flower-supernode", *trusted, *more,
            "--superlink", f"127.0.0.1:{wire.port}", "--port", free_port(),
            "--node-config", f"folder='{place / name}' site='{name}'",
        )  # fmt: skip

    return wire, join


def submit(place: Path, start: Start) -> None:
    """Begin the training."""
    write_app(place / "app")
    settings = f"folder='{place / 'server'}' patience={PATIENCE}"
    start("run.log", "flwr", "run", place / "app", "here", "--run-config", settings)


@pytest.mark.slow
def test_only_hospitals_with_known_keys_join_and_nothing_can_be_read_on_the_wire(
    tmp_path: Path, start: Start
) -> None:
    signed = hospitals(tmp_path, rounds=1)
    wire, join = launch(tmp_path, start, certify(tmp_path))
    keys = {name: node_key(tmp_path, name) for name in SITES}
    for _, public in keys.values():
        known = start("register.log", "flwr", "supernode", "register", public, "here")
        assert known.wait(120) == 0, (tmp_path / "register.log").read_text()
    stranger, _ = node_key(tmp_path, "stranger")
    refused = join("city", "--auth-supernode-private-key", stranger)
    until(lambda: refused.poll() is not None, 120, "the stranger was let in")
    assert not (tmp_path / "city" / ANSWERED).exists()
    for name, (private, _) in keys.items():
        join(name, "--auth-supernode-private-key", private)
    submit(tmp_path, start)
    result = tmp_path / "server" / RESULT
    until(result.is_file, 600, "no result")
    wire.close()
    seen = bytes(wire.seen)
    assert len(seen) > 10_000
    assert not any(word in seen for word in (b"university", b"question", b"SECRET"))
    whole = federate(signed, {name: site_at(tmp_path, name) for name in SITES})
    np.testing.assert_allclose(read_result(result, signed).weight, whole.weight)


@pytest.mark.slow
def test_a_killed_hospital_comes_back_and_nobodys_weights_are_on_the_wire(
    tmp_path: Path, start: Start
) -> None:
    signed = hospitals(tmp_path, rounds=2, secure_aggregation=True)
    wire, join = launch(tmp_path, start, None)
    nodes = {name: join(name) for name in SITES}
    submit(tmp_path, start)
    state, result = tmp_path / "server" / STATE, tmp_path / "server" / RESULT
    until(state.is_file, 600, "no round was finished")
    end(nodes["rural"])
    before = rounds_in(state)
    until(lambda: rounds_in(state) > before, 900, "no round without the killed hospital")
    join("rural")
    until(result.is_file, 900, "no result")
    wire.close()

    found = read_result(result, signed)
    took = found.took_part
    assert all(set(names) >= set(SITES) - {"rural"} for names in took)
    assert "rural" in took[0]
    assert any("rural" not in names for names in took)
    assert "rural" in took[-1]

    sites = {name: site_at(tmp_path, name) for name in SITES}
    # About what one process gives; the killed hospital missed rounds.
    whole = federate(signed, sites)
    np.testing.assert_allclose(found.weight, whole.weight, atol=0.15)
    seen = bytes(wire.seen)
    # The wire is readable, so that what is missing in it was not sent: all were sent the mean.
    assert b"university" in seen
    assert found.head[0, :-1].tobytes() in seen
    assert b"SECRET" not in seen
    counts = [one.counts() for one in sites.values()]
    everyone = Counts(sum(c.n_patients for c in counts), sum(c.n_events for c in counts))
    first = Task("head", 1, np.zeros((6, signed.plan.width)), everyone)
    for name, site in sites.items():
        assert not any(row.tobytes() in seen for row in site.findings.values)
        assert not any(row.tobytes() in seen for row in site.learn(first))
        assert (tmp_path / name / ANSWERED).is_file()
