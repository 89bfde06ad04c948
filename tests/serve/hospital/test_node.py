"""The node against DCMTK: who may send, what is answered, what a bad object costs."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)
from pynetdicom import AE

from hemocast.dicom.header.image import CT_CLASSES
from hemocast.errors import InUse, PeerRefused, UsageError
from hemocast.serve.hospital.inbox import Inbox
from hemocast.serve.hospital.node import CT_SYNTAXES, tls_server
from hemocast.serve.hospital.peers import Caller
from hemocast.serve.hospital.settings import NodeConfig, Peer
from hemocast.serve.hospital.store.jobs import State

Serve = Callable[..., AbstractContextManager[object]]
Dcmtk = Callable[..., subprocess.CompletedProcess[str]]
Study = Callable[..., list[Path]]


def test_images_are_taken_and_their_study_goes_its_way(
    serve: Serve, dcmtk: Dcmtk, small_study: Study, tmp_path: Path
) -> None:
    images = small_study(tmp_path / "s", "P1", 4)
    with serve() as service:
        assert dcmtk("echoscu", service.port).returncode == 0
        assert dcmtk("storescu", service.port, *images).returncode == 0
        job = service.wait_done(1)[0]
        assert (job.images, job.state, job.revision) == (4, State.REFUSED, 1)
        # Sent again: nothing; one more: all anew, in place of what there was.
        assert dcmtk("storescu", service.port, *images).returncode == 0
        late = small_study(tmp_path / "s", "P1", 1, 2)
        assert dcmtk("storescu", service.port, *late).returncode == 0
        jobs = service.wait(lambda jobs: jobs[0].revision == 2 and jobs[0].state is State.REFUSED)
        assert [(job.images, job.revision) for job in jobs] == [(5, 2)]


def test_callers_and_addresses_that_are_not_named_are_turned_away(
    serve: Serve, dcmtk: Dcmtk
) -> None:
    with serve(node={"port": 0, "callers": ["CT1"]}) as service:
        assert dcmtk("echoscu", service.port, calling="CT1").returncode == 0
        assert dcmtk("echoscu", service.port, calling="CT2").returncode != 0
        assert dcmtk("echoscu", service.port, calling="CT1", called="OTHER").returncode != 0
    with serve(node={"port": 0, "addresses": ["10.0.0.0/8"]}) as service:
        assert dcmtk("echoscu", service.port).returncode != 0


def test_a_full_disk_is_answered_by_no_resources_and_nothing_is_kept(
    serve: Serve, dcmtk: Dcmtk, small_study: Study, tmp_path: Path
) -> None:
    full = {"root": str(tmp_path / "data"), "reserve_gb": 1e9}
    with serve(storage=full) as service:
        said = dcmtk("storescu", service.port, *small_study(tmp_path / "s", "P1", 1))
        assert "Refused: OutOfResources" in said.stdout + said.stderr
        assert service.office.jobs.all() == []
        assert list(service.office.root.incoming.iterdir()) == []


def test_a_bad_object_costs_itself_and_not_the_association(
    serve: Serve, dcmtk: Dcmtk, small_study: Study, tmp_path: Path
) -> None:
    images = small_study(tmp_path / "s", "P1", 3)
    dataset = dcmread(images[1])
    del dataset.StudyInstanceUID
    dataset.save_as(images[1])
    with serve() as service:
        said = dcmtk("storescu", service.port, "-nh", *images)
        text = said.stdout + said.stderr
        assert text.count("Association Accepted") == 1
        assert text.count("(Success)") == 2
        assert "Cannot" in text
        assert service.wait_done(1)[0].images == 2


def test_a_caller_that_says_nothing_or_breaks_off_harms_nobody(
    serve: Serve, dcmtk: Dcmtk, small_study: Study, tmp_path: Path
) -> None:
    images = small_study(tmp_path / "s", "P1", 2)
    with serve(node={"port": 0, "timeout_s": 1}) as service:
        with (
            socket.create_connection(("127.0.0.1", service.port)),
            socket.create_connection(("127.0.0.1", service.port)) as rude,
        ):
            rude.sendall(b"\x01\x00\x00\x00\xff\xff" + b"x" * 100)
            assert dcmtk("storescu", service.port, *images).returncode == 0
        assert service.wait_done(1)[0].images == 2


def test_a_port_that_is_taken_is_refused(serve: Serve) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InUse), serve(node={"port": port}):
            pass


def test_a_certificate_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tls_certificate"):
        tls_server(NodeConfig(tls_certificate=tmp_path / "no", tls_key=tmp_path / "no"))
    assert tls_server(NodeConfig()) is None


def test_every_syntax_of_ct_is_taken_in_every_class(serve: Serve) -> None:
    with serve() as service:
        entity = AE("TESTER")
        asked = [(kind, syntax) for kind in sorted(CT_CLASSES) for syntax in CT_SYNTAXES]
        for kind, syntax in asked:
            entity.add_requested_context(kind, syntax)
        association = entity.associate("127.0.0.1", service.port, ae_title="HEMOCAST")
        taken = [
            (cx.abstract_syntax, cx.transfer_syntax[0]) for cx in association.accepted_contexts
        ]
        # Pieces as large as the settings say.
        assert association.acceptor.maximum_length == 262_144
        association.release()
    assert taken == asked
    names = {"1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.201"}
    assert names < set(CT_SYNTAXES)
    assert "1.2.840.10008.1.2.4.102" not in CT_SYNTAXES  # video


def test_images_go_straight_to_the_disk_as_they_are_over_one_association(
    serve: Serve, small_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syntaxes = (
        ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless,
        DeflatedExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless,
    )  # fmt: skip
    images = [
        small_study(tmp_path / "s", f"P{n}", 1, size=64, transfer_syntax=syntax)[0]
        for n, syntax in enumerate(syntaxes)
    ]
    folders: list[Path] = []
    taking = Inbox.take

    def take(inbox: Inbox, path: Path, *more: object, **named: object) -> object:
        folders.append(path.parent)
        return taking(inbox, path, *more, **named)

    monkeypatch.setattr(Inbox, "take", take)
    with serve() as service:
        here = Peer(name="node", ae_title="HEMOCAST", host="127.0.0.1", port=service.port)
        assert all(one.taken for one in Caller(NodeConfig(), 10).store(here, images))
        jobs = service.wait_done(len(images))
        root = service.office.root
        kept = [next(root.study(job.name).iterdir()) for job in jobs]
    assert set(folders) == {root.incoming}
    for image, file, syntax in zip(images, kept, syntaxes, strict=True):
        assert dcmread(file).file_meta.TransferSyntaxUID == syntax
        # Pixels are the last element: what was sent is what lies there.
        assert file.read_bytes()[-64:] == image.read_bytes()[-64:]


def test_a_message_unit_larger_than_was_agreed_ends_the_connection(serve: Serve) -> None:
    with (
        serve(node={"port": 0, "timeout_s": 60}) as service,
        socket.create_connection(("127.0.0.1", service.port), 10) as greedy,
    ):
        greedy.sendall(b"\x01\x00\xff\xff\xff\xff" + bytes(100))
        greedy.settimeout(10)
        with suppress(ConnectionResetError):
            assert greedy.recv(100) == b""


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with an authority (ca) and a certificate of it (own), each with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path / "pem"
    folder.mkdir()
    new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-addext")
    for name, more in (("ca", ()), ("own", ("-CA", "ca.pem", "-CAkey", "ca.key"))):
        names = ("-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={name}")
        openssl(folder, *new, "subjectAltName=IP:127.0.0.1", *names, *more)
    return folder


def test_with_tls_callers_show_a_certificate_and_nothing_goes_in_the_clear(
    serve: Serve, dcmtk: Dcmtk, certificates: Path, small_study: Study, tmp_path: Path
) -> None:
    node = {
        "tls_certificate": str(certificates / "own.pem"),
        "tls_key": str(certificates / "own.key"),
        "tls_callers": str(certificates / "ca.pem"),
    }
    image = small_study(tmp_path / "s", "P1", 1)[0]
    with serve(node={"port": 0, "timeout_s": 5, **node}) as service:
        assert dcmtk("echoscu", service.port).returncode != 0
        words = ["storescu", "-aec", "HEMOCAST", "+cf", "ca.pem"]
        where = ["127.0.0.1", str(service.port), str(image)]
        known = subprocess.run(
            [*words, "+tls", "own.key", "own.pem", *where], cwd=certificates, timeout=60
        )
        assert known.returncode == 0
        nobody = subprocess.run([*words, "-tls", *where], cwd=certificates, timeout=60)
        assert nobody.returncode != 0
        here = Peer(name="n", ae_title="HEMOCAST", host="127.0.0.1", port=service.port, tls=True)
        Caller(NodeConfig(**node), 10).echo(here)
        with pytest.raises(PeerRefused):
            Caller(NodeConfig(), 10).echo(here)
        assert service.wait_done(1)[0].images == 1
