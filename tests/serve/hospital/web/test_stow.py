"""STOW-RS: each image is told as stored or failed; the usual client is answered as it expects."""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydicom import Dataset, dcmread

from hemocast.serve.hospital.people.roles import Scope
from hemocast.serve.hospital.store.jobs import Jobs
from hemocast.serve.hospital.web import stow
from hemocast.serve.hospital.web.app import serving

from .conftest import BOSS, Hospital

Write = Callable[..., list[Path]]
STOW = "/api/dicom-web/studies"
KIND = 'multipart/related; type="application/dicom"; boundary=XX'


@pytest.fixture
def token(hospital: Hospital) -> str:
    desk = hospital.desk
    return desk.tokens.add(desk.accounts.get("engineer"), Scope.STUDIES, "x", 1, BOSS)


@pytest.fixture
def program(hospital: Hospital, token: str) -> TestClient:
    visitor = hospital.visit()
    visitor.headers["Authorization"] = f"Bearer {token}"
    return visitor


def body(*parts: bytes, kind: str = "application/dicom") -> bytes:
    head = f"--XX\r\nContent-Type: {kind}\r\n\r\n".encode()
    return b"".join(head + part + b"\r\n" for part in parts) + b"--XX--"


def send(program: TestClient, content: bytes, path: str = STOW, kind: str = KIND) -> tuple:
    answer = program.post(path, content=content, headers={"Content-Type": kind})
    if not answer.headers["content-type"].startswith("application/dicom+json"):
        return answer.status_code, None
    return answer.status_code, Dataset.from_json(answer.text)


def uids(answer: Dataset, name: str) -> list[str]:
    return [str(item.ReferencedSOPInstanceUID) for item in answer.get(name) or ()]


def test_images_that_are_taken_are_listed(
    hospital: Hospital, program: TestClient, small_study: Write, tmp_path: Path
) -> None:
    images = small_study(tmp_path / "s", "P1", 2)
    content = body(*(image.read_bytes() for image in images))
    for _ in range(2):  # the same again: the same answer
        status, answer = send(program, content)
        assert status == 200
        sent = [str(dcmread(image).SOPInstanceUID) for image in images]
        assert uids(answer, "ReferencedSOPSequence") == sent
        assert "FailedSOPSequence" not in answer
    jobs = Jobs(hospital.desk.database)
    assert [(job.images, job.revision) for job in jobs.all()] == [(2, 1)]
    assert jobs.senders(1) == ["stow:engineer"]
    assert list(hospital.desk.root.incoming.iterdir()) == []
    act = hospital.desk.audit.entries(most=1)[0].act
    assert (act.studies, act.detail) == ((1,), "2 images")


def test_what_is_not_taken_is_listed_with_its_reason(
    hospital: Hospital, program: TestClient, small_study: Write, tmp_path: Path
) -> None:
    good, other, mr = small_study(tmp_path / "s", "P1", 3)
    changed = dcmread(other)
    changed.SOPInstanceUID = dcmread(good).SOPInstanceUID
    changed.save_as(other)
    changed = dcmread(mr)
    changed.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    changed.save_as(mr)
    parts = (good.read_bytes(), other.read_bytes(), mr.read_bytes(), b"rubbish")
    status, answer = send(program, body(*parts))
    assert status == 202
    assert uids(answer, "ReferencedSOPSequence") == [str(dcmread(good).SOPInstanceUID)]
    assert [item.FailureReason for item in answer.FailedSOPSequence] == [0x0111, 0x0122]
    assert [item.FailureReason for item in answer.OtherFailuresSequence] == [0xC000]
    study = str(dcmread(good).StudyInstanceUID)
    assert send(program, body(parts[0]), f"{STOW}/{study}")[0] == 200
    status, answer = send(program, body(parts[0]), f"{STOW}/1.2.3")
    assert (status, answer.FailedSOPSequence[0].FailureReason) == (409, 0xA900)


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b"", KIND, 400),
        (b"rubbish", KIND, 400),
        (body(), KIND, 400),
        (body(b"x" * 300)[:-4], KIND, 400),
        (body(b"x", kind="application/dicom+json"), KIND, 415),
        (body(b"x"), "multipart/related; type=application/dicom", 415),
        (body(b"x"), KIND.replace("application/dicom", "application/dicom+xml"), 415),
        (body(b"x"), "application/dicom", 415),
        (body(b"x" * 1_100_000), KIND, 413),
        (body(*[b""] * 4), KIND, 413),
    ],
)
def test_what_is_no_stow_request_is_refused_and_leaves_nothing(
    hospital: Hospital,
    program: TestClient,
    content: bytes,
    kind: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stow, "_MOST_PARTS", 3)
    assert send(program, content, kind=kind)[0] == code
    assert list(hospital.desk.root.incoming.iterdir()) == []


def test_a_full_disk_takes_nothing(
    hospital: Hospital, program: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(hospital.desk.root), "is_full", lambda _: True)
    assert send(program, body(b"x"))[0] == 507


def test_the_usual_client_is_answered_as_it_expects(
    hospital: Hospital, token: str, small_study: Write, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from dicomweb_client import DICOMwebClient

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    images = [dcmread(path) for path in small_study(tmp_path / "s", "P1", 2)]
    with socket.create_server(("127.0.0.1", 0)) as listening, serving(hospital.desk, listening):
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/api/dicom-web"
        client = DICOMwebClient(address, headers={"Authorization": f"Bearer {token}"})
        answer = client.store_instances(images)
    assert uids(answer, "ReferencedSOPSequence") == [one.SOPInstanceUID for one in images]
    assert Jobs(hospital.desk.database).get(1).images == 2


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("n", [100, pytest.param(10_000, marks=pytest.mark.slow)])
def test_mutated_images_and_bodies_cost_themselves_alone(
    hospital: Hospital, program: TestClient, small_study: Write, tmp_path: Path, n: int
) -> None:
    rng = random.Random(16)  # noqa: S311 - a seed
    good, *images = (image.read_bytes() for image in small_study(tmp_path / "s", "P1", 9))

    def mutated(content: bytes, faults: int) -> bytes:
        changed = bytearray(content)
        for _ in range(faults):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        return bytes(changed[: rng.choice((len(changed), rng.randrange(len(changed))))])

    answers = Counter()
    for number in range(n // 10):
        content = body(*(mutated(rng.choice(images), rng.randint(1, 20)) for _ in range(10)))
        answers[send(program, content)[0]] += 1
        if number % 5 == 0:
            answers[send(program, mutated(content, 5))[0]] += 1
    assert set(answers) <= {200, 202, 409, 400, 415}
    assert len(answers) > 2
    assert send(program, body(good))[0] == 200
    assert list(hospital.desk.root.incoming.iterdir()) == []
