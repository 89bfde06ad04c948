"""The audit log reaches the collector whole and in order, over UDP, TCP and TLS."""

from __future__ import annotations

import base64
import datetime as dt
import logging
import re
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hemocast.serve.hospital.people.audit import Act, Audit, Kind, Person
from hemocast.serve.hospital.people.export import AuditExport
from hemocast.serve.hospital.people.settings import CollectorConfig
from hemocast.serve.hospital.store.database import Database

from .conftest import arrive

ANN = Person("ann", "10.0.0.7")
LINE = re.compile(
    rb"<85>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00) \S+ hemocast \d+ DICOM\+RFC3881 - "
    rb"\xef\xbb\xbf(<\?xml.*)",
    re.DOTALL,
)


def read(line: bytes) -> ET.Element:
    found = LINE.fullmatch(line)
    assert found is not None, line[:80]
    return ET.fromstring(found[2])  # noqa: S314 - our own


def framed(stream: bytes) -> list[bytes]:
    """Take messages apart that each come after their length."""
    lines = []
    while stream:
        length, _, rest = stream.partition(b" ")
        lines.append(rest[: int(length)])
        stream = rest[int(length) :]
    return lines


class TCPCollector:
    """Listens, and keeps all that one connection sends."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(20)
        self._context = context
        self.port = self._listening.getsockname()[1]
        self.came = b""
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        opened, _ = self._listening.accept()
        with opened:
            try:
                stream = (
                    self._context.wrap_socket(opened, server_side=True) if self._context else opened
                )
                while piece := stream.recv(65536):
                    self.came += piece
            except OSError:
                pass

    def lines(self) -> list[bytes]:
        self._thread.join(20)
        self._listening.close()
        return framed(self.came)


Make = Callable[..., AuditExport]


@pytest.fixture
def export(database: Database, audit: Audit) -> Make:
    def _make(port: int, **settings: object) -> AuditExport:
        config = CollectorConfig(host="127.0.0.1", port=port, **settings)
        return AuditExport(database, audit, config, "HEMOCAST")

    return _make


def ids(root: ET.Element, role: int) -> list[str]:
    found = root.findall(f"*[@ParticipantObjectTypeCodeRole='{role}']")
    return [one.get("ParticipantObjectID", "") for one in found]


def test_over_tcp_all_come_once_with_their_patients(
    database: Database, audit: Audit, export: Make
) -> None:
    arrive(database, 1)
    arrive(database, 2, patient="MÜLLER 王")
    audit.record(Act(Kind.CASE, ANN, (1,)))
    audit.record(Act(Kind.WORKLIST, ANN, (1, 2), detail="accession"))
    collector = TCPCollector()
    sending = export(collector.port, transport="tcp")
    assert sending.send()
    case, worklist = map(read, collector.lines())
    assert (ids(case, 1), ids(case, 3)) == (["MRN-1"], ["1.2.1"])
    assert ids(worklist, 1) == ["MRN-1", "MÜLLER 王"]
    query = worklist.find(".//ParticipantObjectQuery")
    assert query is not None
    assert base64.b64decode(query.text or "") == b"accession"
    assert not sending.send(), "nothing is left"


def test_over_udp_each_is_a_datagram(audit: Audit, export: Make) -> None:
    audit.record(Act(Kind.START, Person("cli:root")))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(20)
        assert export(listening.getsockname()[1], transport="udp").send()
        root = read(listening.recv(65536))
    assert root.find(".//EventTypeCode").get("csd-code") == "110120"  # type: ignore[union-attr]


def test_what_cannot_be_sent_is_sent_later_and_told_once(
    audit: Audit, export: Make, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(250):
        audit.record(Act(Kind.CASE, ANN, detail=str(number)))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    away = export(port, transport="tcp")
    with caplog.at_level(logging.ERROR):
        assert not away.send()
        assert not away.send()
    assert len(caplog.records) == 1
    came = []
    for _ in range(3):
        collector = TCPCollector()
        assert export(collector.port, transport="tcp").send()
        came += map(read, collector.lines())
    assert [one.findtext(".//EventOutcomeDescription") for one in came] == [*map(str, range(250))]


def test_without_a_collector_nothing_leaves(database: Database, audit: Audit) -> None:
    audit.record(Act(Kind.CASE, ANN))
    assert not AuditExport(database, audit, CollectorConfig(), "HEMOCAST").send()
    assert len(audit.unsent()) == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key of 127.0.0.1, in one file."""
    pytest.importorskip("cryptography", reason="cryptography is not installed")
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "collector")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "collector.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.parametrize("trusted", [True, False])
def test_over_tls_only_a_collector_that_proves_who_it_is_gets_anything(
    audit: Audit, export: Make, certificate: Path, trusted: bool
) -> None:
    audit.record(Act(Kind.CASE, ANN))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    collector = TCPCollector(context)
    known = {"authorities": certificate} if trusted else {}
    assert export(collector.port, **known).send() is trusted
    assert len(collector.lines()) == int(trusted)
    assert len(audit.unsent()) == int(not trusted)
