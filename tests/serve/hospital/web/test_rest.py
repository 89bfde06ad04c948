"""The REST API: send a study, ask for a result."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from hemocast.serve.hospital.people.audit import Kind
from hemocast.serve.hospital.people.roles import Scope
from hemocast.serve.hospital.store.jobs import Jobs

from .conftest import BOSS, Hospital

Program = Callable[..., TestClient]
Write = Callable[..., list[Path]]
SEND = "/api/v1/studies"
ZIP = {"Content-Type": "application/zip"}


@pytest.fixture
def program(hospital: Hospital) -> Program:
    """Return a function that gives a program with a token."""
    desk = hospital.desk

    def _program(scope: Scope = Scope.STUDIES) -> TestClient:
        token = desk.tokens.add(desk.accounts.get("engineer"), scope, "x", 1, BOSS)
        visitor = hospital.visit()
        visitor.headers["Authorization"] = f"Bearer {token}"
        return visitor

    return _program


def zipped(paths: list[Path], **more: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path in paths:
            archive.write(path, f"DOE^JANE/{path.name}")
        for name, content in more.items():
            archive.writestr(name, content)
    return made.getvalue()


def left(hospital: Hospital) -> list[Path]:
    return list(hospital.desk.root.incoming.iterdir())


def test_a_zip_is_taken_and_what_is_no_image_costs_itself_alone(
    hospital: Hospital, program: Program, small_study: Write, tmp_path: Path
) -> None:
    paths = small_study(tmp_path / "study", "P1", 3)
    sender = program()
    answer = sender.post(SEND, content=zipped(paths, readme=b"hello"), headers=ZIP)
    assert answer.status_code == 202
    assert answer.json() == {"stored": 3, "known": 0, "differs": 0, "refused": {"HC107": 1}}
    again = sender.post(SEND, content=zipped(paths), headers=ZIP).json()
    assert (again["stored"], again["known"]) == (0, 3)
    jobs = Jobs(hospital.desk.database)
    assert [(job.images, job.revision) for job in jobs.all()] == [(3, 1)]
    assert jobs.senders(1) == ["rest:engineer"]
    assert left(hospital) == []
    acts = [one.act for one in hospital.desk.audit.entries(most=2)]
    assert [(act.kind, act.studies, act.detail) for act in acts] == [
        (Kind.IMAGES, (1,), "3 images")
    ] * 2
    assert acts[0].by.name.startswith("engineer (token ")


def test_parts_of_a_form_and_a_single_image_are_taken(
    hospital: Hospital, program: Program, small_study: Write, tmp_path: Path
) -> None:
    one, *others = small_study(tmp_path / "study", "P1", 3)
    sender = program()
    files = [("images", (path.name, path.read_bytes())) for path in others]
    assert sender.post(SEND, files=files).json()["stored"] == 2
    single = {"Content-Type": "application/dicom"}
    assert sender.post(SEND, content=one.read_bytes(), headers=single).json()["stored"] == 1
    assert Jobs(hospital.desk.database).get(1).images == 3


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (b"x" * 100, "application/json", 415),
        (b"", "", 415),
        (b"PK\x03\x04 damaged", "application/zip", 422),
        (b"x" * 1_100_000, "application/zip", 413),
        (b"no boundary", "multipart/form-data", 400),
        (b"--a\r\nrubbish", "multipart/form-data; boundary=a", 422),
    ],
)
def test_what_is_no_study_is_refused_and_leaves_nothing(
    hospital: Hospital, program: Program, content: bytes, kind: str, code: int
) -> None:
    sender = program()
    answer = sender.post(SEND, content=content, headers={"Content-Type": kind})
    assert answer.status_code == code, answer.text
    pieces = (content[at : at + 65_536] for at in range(0, len(content), 65_536))
    answer = sender.post(SEND, content=pieces, headers={"Content-Type": kind})
    assert answer.status_code == code
    assert left(hospital) == []
    assert Jobs(hospital.desk.database).all() == []


def test_a_zip_that_climbs_out_or_bursts_is_refused(hospital: Hospital, program: Program) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(50 * 2**20))
    climbing = zipped([], **{"../../../tmp/evil": b"x"})
    for content in (bomb.getvalue(), climbing):
        answer = program().post(SEND, content=content, headers=ZIP)
        assert answer.status_code == 422
        assert "HC105" in answer.json()["error"]
    assert left(hospital) == []


def test_a_full_disk_turns_studies_away(
    hospital: Hospital, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(hospital.desk.root), "is_full", lambda _: True)
    answer = program().post(SEND, content=b"x", headers=ZIP)
    assert answer.status_code == 507
    assert "HC006" in answer.json()["error"]


def test_a_result_is_told_by_uid_and_by_accession(hospital: Hospital, program: Program) -> None:
    hospital.predict(hospital.arrive(1), 0.3125)
    hospital.arrive(2, "ACC1")
    hospital.set(2, "refused", "HC207", "HC207 Contrast was given.")
    asking = program(Scope.RESULTS)
    one = asking.get("/api/v1/results", params={"study_uid": "1.2.1"}).json()
    assert one["notice"] == "For research only. Not a medical device."
    (study,) = one["studies"]
    assert (study["state"], study["revision"], study["accession"]) == ("predicted", 1, "ACC1")
    assert study["scans"] == [{"scan": "scan-1", "code": "", "probability": 0.3125, "model": "m"}]
    both = asking.get("/api/v1/results", params={"accession": "ACC1"}).json()["studies"]
    assert [each["code"] for each in both] == ["HC207", ""]
    acts = [entry.act for entry in hospital.desk.audit.entries(most=2)]
    assert [act.studies for act in acts] == [(2, 1), (1,)]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, 422), ({"accession": "A", "study_uid": "1"}, 422), ({"study_uid": "1.9"}, 404),
        ({"accession": "B"}, 404), ({"study_uid": "' OR 1=1"}, 422), ({"accession": "x" * 17}, 422),
    ],
)  # fmt: skip
def test_what_is_not_there_or_not_asked_well_is_said(
    hospital: Hospital, program: Program, asked: dict[str, str], code: int
) -> None:
    hospital.arrive(1)
    answer = program(Scope.RESULTS).get("/api/v1/results", params=asked)
    assert answer.status_code == code
    assert set(answer.json()) <= {"error", "faults"}
    assert "OR 1=1" not in answer.text


def test_the_api_describes_itself(hospital: Hospital, program: Program) -> None:
    described = program(Scope.RESULTS).get("/api/v1/openapi.json").json()
    assert set(described["paths"]) == {SEND, "/api/v1/results", "/api/v1/metrics"}
    assert described["security"] == [{"token": []}]
    kinds = described["paths"][SEND]["post"]["requestBody"]["content"]
    assert "application/zip" in kinds


def test_measures_are_as_prometheus_reads_them_and_name_nobody(
    hospital: Hospital, program: Program
) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    hospital.predict(hospital.arrive(1), 0.3)
    hospital.set(hospital.arrive(2), "refused", "HC207")
    hospital.send(1, "pacs", "sent", "0000")
    answer = program(Scope.METRICS).get("/api/v1/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    told = {
        (sample.name, *sample.labels.values()): sample.value
        for family in parser.text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert told["hemocast_studies", "predicted"] == 1
    assert told["hemocast_studies", "failed"] == 0
    assert told["hemocast_refused_studies", "HC207"] == 1
    assert told["hemocast_deliveries", "sent"] == 1
    assert 0 <= told["hemocast_seconds_to_result", "0.95"] < 60
    assert told["hemocast_disk_free_bytes",] > 0
    for secret in ("ACC", "MRN", "DOE", "1.2.1", "pacs"):
        assert secret not in answer.text
