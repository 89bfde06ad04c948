"""The node against DCMTK: who may send, what is answered, what a bad object costs."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pydicom import dcmread

from hemocast.errors import InUse, UsageError
from hemocast.serve.hospital.node import tls_server
from hemocast.serve.hospital.settings import NodeConfig
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
