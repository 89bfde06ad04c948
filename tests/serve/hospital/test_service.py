"""The whole service: studies sent at once, a kill at any moment, nothing told outside."""

from __future__ import annotations

import logging
import random
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydicom import dcmread
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom import AE, _config
from sqlalchemy import create_engine, text

from hemocast.errors import StoreError
from hemocast.serve.hospital.people.history import trial_of
from hemocast.serve.hospital.service import Office, opened
from hemocast.serve.hospital.settings import read_settings
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.deliveries import Deliveries
from hemocast.serve.hospital.store.events import events
from hemocast.serve.hospital.store.jobs import Job, State
from hemocast.serve.hospital.store.results import results
from hemocast.serve.hospital.web.app import hospital_app
from hemocast.serve.hospital.web.desk import Desk
from hemocast.serve.hospital.web.health import health_of, measures

from .conftest import Service

Serve = Callable[..., AbstractContextManager[object]]
Dcmtk = Callable[..., subprocess.CompletedProcess[str]]
Study = Callable[..., list[Path]]


def test_studies_that_come_mixed_have_one_result_each(
    serve: Serve, dcmtk: Dcmtk, small_study: Study, tmp_path: Path, analyst
) -> None:
    images = [small_study(tmp_path / "s", f"P{n}", 3) for n in range(4)]
    mixed = [image for layer in zip(*images, strict=True) for image in layer]
    with serve() as service:
        assert dcmtk("storescu", service.port, *mixed, *mixed[:5]).returncode == 0
        jobs = service.wait_done(4)
        assert [(job.images, job.revision) for job in jobs] == [(3, 1)] * 4
        assert [len(results(service.office.database, job.study)) for job in jobs] == [1] * 4
    assert sorted(analyst.seen) == [3] * 4


def test_what_was_under_way_is_finished_by_the_next_start(
    serve: Serve, dcmtk: Dcmtk, small_study: Study, tmp_path: Path, analyst
) -> None:
    with serve(jobs={"settle_s": 3600}) as service:
        dcmtk("storescu", service.port, *small_study(tmp_path / "s", "P1", 2))
        assert service.office.jobs.get(1).state is State.RECEIVED
    with serve(jobs={"settle_s": 0.1}) as service:
        assert service.wait_done(1)[0].images == 2


def test_a_database_that_is_away_for_a_while_costs_nothing(
    serve: Serve, small_study: Study, tmp_path: Path, dcmtk: Dcmtk, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = small_study(tmp_path / "s", "P1", 1)
    with serve() as service:
        with monkeypatch.context() as away:

            def gone(*_: object, **__: object) -> None:
                raise StoreError("It is away", "it to be there", "Wait")

            away.setattr(Database, "_transaction", gone)
            said = dcmtk("storescu", service.port, *images)
            assert "Refused: OutOfResources" in said.stdout + said.stderr
        assert dcmtk("storescu", service.port, *images).returncode == 0
        assert service.wait_done(1)[0].images == 1


PLANTED = (
    "PatientName", "OtherPatientNames", "OtherPatientIDs", "PatientBirthName",
    "PatientMotherBirthName", "PatientAddress", "PatientTelephoneNumbers", "MilitaryRank",
    "BranchOfService", "Occupation", "EthnicGroup", "CountryOfResidence", "RegionOfResidence",
    "PatientReligiousPreference", "PatientComments", "AdditionalPatientHistory",
    "MedicalRecordLocator", "IssuerOfPatientID", "ResponsiblePerson", "ResponsibleOrganization",
    "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "StationName",
    "ReferringPhysicianName", "ReferringPhysicianAddress", "PerformingPhysicianName",
    "NameOfPhysiciansReadingStudy", "PhysiciansOfRecord", "OperatorsName", "RequestingPhysician",
    "StudyID", "StudyDescription", "SeriesDescription", "ProtocolName", "DeviceSerialNumber",
    "RequestedProcedureDescription", "PerformedProcedureStepDescription", "AdmissionID",
    "CurrentPatientLocation", "ServiceEpisodeDescription", "ImageComments", "ManufacturerModelName",
)  # fmt: skip
"""Where headers name people and places, one identifier in each; IDs and UIDs come on top."""


@pytest.fixture
def planted(small_study: Study, tmp_path: Path) -> tuple[list[Path], list[str]]:
    """Images with identifiers planted, one of them broken, and the words."""
    images = small_study(tmp_path / "s", "PLANTEDID", 3, accession_number="PLANTEDACC")
    words = ["PLANTED"]
    for number, image in enumerate(images):
        dataset = dcmread(image)
        for place, name in enumerate(PLANTED):
            setattr(dataset, name, f"PLANTED{place}")
        dataset.add_new((0x00090010), "LO", "PLANTED OWNER")
        if not number:
            dataset.SeriesInstanceUID = "1.2.PLANTED7"
        else:
            uids = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
            words += [str(dataset[tag].value) for tag in uids]
        dataset.save_as(image)
    return images, words


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_nothing_of_a_patient_is_told_but_to_those_entitled(
    serve: Serve,
    dcmtk: Dcmtk,
    planted: tuple[list[Path], list[str]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    images, words = planted
    assert len(PLANTED) >= 40
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    with serve() as service:
        dcmtk("storescu", service.port, "-nh", *images)
        service.wait_done(1)
        office = service.office
        told = [str(event) for event in events(office.database)]
        told += [str(job) for job in office.jobs.all()]
        told += [str(path) for path in office.root.folder.rglob("*")]
        desk = Desk.of(office.root, office.database, office.settings.web)
        told.append(measures(health_of(desk)).decode())
        visitor = TestClient(hospital_app(desk), base_url=desk.address.origin)
        told += [visitor.get(path).text for path in ("/login", "/", "/case/1", "/health", "/x")]
        trial = trial_of(office.database, desk.outcomes, office.root.key)
        told += trial.tables().values()
    told += [record.getMessage() for record in caplog.records]
    told += [caplog.text, repr(office.database), repr(trial.scans)]
    assert [word for word in words if any(word in one for one in told)] == []
    assert desk.worklist.page().rows[0].accession == "PLANTEDACC"  # whom it is for, is told it


def test_an_office_is_opened_without_a_service(office: Office) -> None:
    assert office.jobs.all() == []
    assert (office.root.folder / "hospital.sqlite3").stat().st_mode & 0o777 == 0o600


SERVED = Path(__file__).with_name("served.py")
KILLS = Path(__file__).parents[3] / "benchmarks" / "hospital_kills.py"
PROGRAMS = Path("/usr/lib/postgresql")


class Killed:
    """A service that is ended by force again and again."""

    def __init__(self, tmp_path: Path) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = int(found.getsockname()[1])
        self.config = tmp_path / "serve.yaml"
        self.config.write_text(
            f"node: {{port: {self.port}}}\n"
            f"storage: {{root: {tmp_path / 'data'}, reserve_gb: 0}}\n"
            "jobs: {settle_s: 1.5, attempts: 100, backoff_s: 0.1}\n"
        )
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, SERVED, self.config], stdout=subprocess.PIPE)
        assert process.stdout.readline() == f"{self.port}\n".encode()
        return process

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process = self.start()


@pytest.mark.slow
def test_studies_outlive_kills_at_any_moment(small_study: Study, tmp_path: Path) -> None:
    if shutil.which("storescu") is None:
        pytest.skip("DCMTK is not installed")
    rng = random.Random(16)  # noqa: S311 - a seed
    studies = {f"P{n}": small_study(tmp_path / "s", f"P{n}", rng.randint(5, 15)) for n in range(60)}
    service = Killed(tmp_path)

    def send(patient: str) -> None:
        images = [str(image) for image in studies[patient]] * 2
        random.Random(patient).shuffle(images)  # noqa: S311 - a seed
        command = ["storescu", "-to", "10", "-aec", "HEMOCAST", "127.0.0.1", str(service.port)]
        # A PACS sends again what it got no success for.
        while subprocess.run([*command, *images], capture_output=True).returncode != 0:
            time.sleep(0.2)

    try:
        with ThreadPoolExecutor(8) as pool:
            sending = [pool.submit(send, patient) for patient in studies]
            for _ in range(20):
                time.sleep(rng.uniform(0, 3))
                service.kill()
            for one in sending:
                one.result()
        with opened(read_settings(service.config)) as office:
            Service(office, service.port).wait_done(len(studies), 120)
            seen = set()
            for job in office.jobs.all():
                kept = office.root.result(job.name, job.revision) / "scan-1" / "report.html"
                patient, images, revision, _ = kept.read_text().split(" ")
                assert (int(images), int(revision)) == (len(studies[patient]), job.revision)
                last = [one.revision for one in results(office.database, job.study)]
                assert last.count(job.revision) == 1
                seen.add(patient)
            assert seen == set(studies)
    finally:
        service.process.kill()


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Change an object's dataset at random: bytes, a piece cut out, doubled or lost at the end."""
    start = 144 + int.from_bytes(content[140:144], "little")
    data = bytearray(content[start:])
    for _ in range(rng.choice((1, 1, 2, 8))):
        if not data:  # all of it was cut out
            break
        at = rng.randrange(len(data))
        kind = rng.randrange(5)
        if kind < 2:
            data[at] = rng.randrange(256)
        elif kind == 2:
            data[at : at + 4] = rng.randbytes(4)
        elif kind == 3:
            del data[at : at + rng.randrange(1, 20)]
        else:
            data = data[: max(at, 2)]
    return content[:start] + bytes(data)


@pytest.mark.parametrize("n", [100, pytest.param(3_000, marks=pytest.mark.slow)])
def test_mutated_objects_cost_themselves_alone(
    serve: Serve,
    dcmtk: Dcmtk,
    small_study: Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    n: int,
) -> None:
    monkeypatch.setattr(_config, "STORE_SEND_CHUNKED_DATASET", True)
    rng = random.Random(n)  # noqa: S311 - a seed
    content = small_study(tmp_path / "s", "P1", 1)[0].read_bytes()
    statuses: Counter[int] = Counter()
    with serve() as service:
        entity = AE()
        entity.dimse_timeout = None  # a busy machine is no failure
        entity.add_requested_context(CTImageStorage, ExplicitVRLittleEndian)
        association = entity.associate("127.0.0.1", service.port, ae_title="HEMOCAST")
        path = tmp_path / "mutated.dcm"
        for _ in range(n):
            path.write_bytes(mutated(content, rng))
            statuses[association.send_c_store(path).Status] += 1
        assert association.is_established
        association.release()
        assert dcmtk("storescu", service.port, *small_study(tmp_path / "t", "P2")).returncode == 0
        service.wait(lambda jobs: any(j.images == 3 and j.state is State.REFUSED for j in jobs))
    assert set(statuses) <= {0x0000, 0xA900, 0xC000}
    assert statuses[0] and statuses[0xC000]  # noqa: PT018 - both happen
    assert statuses.total() == n


@pytest.fixture
def start(postgres: str, tmp_path: Path) -> Iterator[Callable[..., tuple[object, int, Path]]]:
    """Return a function that starts a member; it gives process, port and settings file."""
    engine = create_engine(postgres.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    members = []

    def _start(name: str, *slow: str) -> tuple[subprocess.Popen[bytes], int, Path]:
        config = tmp_path / f"{name}.yaml"
        config.write_text(
            "node: {port: 0}\njobs: {settle_s: 0.3, workers: 2, attempts: 9, backoff_s: 0.1}\n"
            f"storage: {{root: {tmp_path / 'data'}, database: '{postgres}', member: {name}, "
            "reserve_gb: 0}\n"
        )
        command = [sys.executable, SERVED, config, *slow]
        members.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        return members[-1], int(members[-1].stdout.readline()), config

    yield _start
    for one in members:
        one.kill()
        one.wait()


def told(office: Office, study: int) -> tuple[str, str]:
    """Whose images were seen in a study, and by which process."""
    job = office.jobs.get(study)
    page = office.root.result(job.name, job.revision) / "scan-1" / "report.html"
    patient, _, _, process = page.read_text().split(" ")
    return patient, process


@pytest.mark.slow
def test_no_study_is_done_twice_and_what_a_killed_service_left_is_taken_over(
    start: Callable[..., tuple[subprocess.Popen[bytes], int, Path]],
    small_study: Callable[..., list[Path]],
    dcmtk: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
) -> None:
    first, port, config = start("a", "SLOW")
    assert dcmtk("storescu", port, *small_study(tmp_path / "s", "SLOW")).returncode == 0
    with opened(read_settings(config)) as office:
        service = Service(office, port)
        service.wait(lambda jobs: jobs[0].state is State.READ and jobs[0].attempts == 1)
        # Whoever gets a study's last image tends to begin it, so the first does one alone.
        patients = [f"P{n}" for n in range(16)]
        assert dcmtk("storescu", port, *small_study(tmp_path / "s", "P0")).returncode == 0
        service.wait(lambda jobs: jobs_done(jobs) == 1)
        second, other, _ = start("b")
        nodes = port, other
        for number, patient in enumerate(patients[1:]):
            images = small_study(tmp_path / "s", patient)
            # One image over the one node, the others over the other, and the other way round.
            assert dcmtk("storescu", nodes[number % 2], images[0]).returncode == 0
            assert dcmtk("storescu", nodes[1 - number % 2], *images[1:]).returncode == 0
        service.wait(lambda jobs: len(jobs) == 17 and jobs_done(jobs) == 16, 90)
        held = office.jobs.get(1)
        assert (held.state, held.attempts) == (State.READ, 1)  # nobody else began it
        first.kill()
        jobs = service.wait_done(17, 60)
        seen = dict(told(office, job.study) for job in jobs)
        assert set(seen) == {"SLOW", *patients}
        assert seen["SLOW"] == str(second.pid)
        assert set(seen.values()) == {str(first.pid), str(second.pid)}
        for job in jobs:
            last = [one.revision for one in results(office.database, job.study)]
            assert last.count(job.revision) == 1
            kinds = Counter((e.kind, e.revision) for e in events(office.database, job.study))
            assert kinds["read", job.revision] == kinds["refused", job.revision] == 1


def jobs_done(jobs: list[Job]) -> int:
    return sum(job.state is State.REFUSED for job in jobs)


def test_a_backup_is_restored_and_nothing_is_lost_or_sent_again(
    serve: Serve,
    dcmtk: Dcmtk,
    small_study: Study,
    storescp: Callable[..., tuple[int, Path]],
    tmp_path: Path,
) -> None:
    port, _ = storescp("+B")
    peer = {"name": "pacs", "ae_title": "A", "host": "127.0.0.1", "port": port, "results": True}
    rooms = {
        "delivery": {"peers": [peer], "refusals": True},
        "analysis": {"rules": [{"body_part": ["HEAD"], "skip": "not today"}]},
    }
    with serve(**rooms) as service:
        Deliveries(service.office.database).switch(True, "A. Person")
        dcmtk("storescu", service.port, *small_study(tmp_path / "s", "P1"))
        service.wait(lambda _: sent(service) == 1)
    late = small_study(tmp_path / "s", "P2")
    copy = tmp_path / "copy"
    with serve(**rooms, jobs={"settle_s": 3600}) as service:
        dcmtk("storescu", service.port, *late[:2])
        # While it runs: the database first, then, with what has come since, the folders.
        copy.mkdir()
        root = service.office.root.folder
        with (
            closing(sqlite3.connect(root / "hospital.sqlite3")) as running,
            closing(sqlite3.connect(copy / "hospital.sqlite3")) as kept,
        ):
            running.backup(kept)
        dcmtk("storescu", service.port, late[2])
        aside = shutil.ignore_patterns("hospital.sqlite3*", ".hemocast.*")
        shutil.copytree(root, copy, dirs_exist_ok=True, ignore=aside)
    with serve(**rooms, storage={"root": str(copy)}) as service:
        service.wait(lambda _: sent(service) == 2)
        jobs = service.wait_done(2)
        assert [(job.images, job.revision) for job in jobs] == [(3, 1), (2, 1)]
        assert dcmtk("storescu", service.port, *late).returncode == 0  # the PACS sends again
        service.wait(lambda _: sent(service) == 3)
        jobs = service.wait_done(2)
        assert [(job.images, job.revision) for job in jobs] == [(3, 1), (3, 2)]
        assert [one.study for one in events(service.office.database, None, "sent")] == [1, 2, 2]


def sent(service: Service) -> int:
    return len(events(service.office.database, None, "sent"))


@pytest.mark.slow
def test_kills_of_service_database_and_archive_lose_nothing() -> None:
    if not all(map(shutil.which, ("Orthanc", "storescu"))) or not PROGRAMS.is_dir():
        pytest.skip("Orthanc, DCMTK or PostgreSQL is not installed")
    command = [sys.executable, KILLS, "--studies", "8", "--large", "0", "--kills", "6"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 lost, 0 doubled, 0 of a wrong patient" in done.stdout
