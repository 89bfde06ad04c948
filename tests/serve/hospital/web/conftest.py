"""A service's pages over a store with studies in every state."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra 'serve' is not installed")
pytest.importorskip("alembic", reason="the extra 'serve' is not installed")
from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import insert, update

from hemocast.serve.hospital.people import accounts
from hemocast.serve.hospital.people.audit import Person
from hemocast.serve.hospital.people.roles import Role
from hemocast.serve.hospital.people.settings import WebConfig
from hemocast.serve.hospital.root import Root
from hemocast.serve.hospital.settings import StorageConfig
from hemocast.serve.hospital.store.arrivals import Arrival, Arrivals
from hemocast.serve.hospital.store.database import Database, now
from hemocast.serve.hospital.store.tables import DELIVERIES, EVENTS, JOBS, RESULTS
from hemocast.serve.hospital.web.app import hospital_app
from hemocast.serve.hospital.web.desk import Desk

BOSS = Person("cli:boss")
PASSWORD = "correct horse battery"  # noqa: S105 - of the tests
ORIGIN = "http://127.0.0.1:8090"
REPORT = "<!DOCTYPE html><title>page of a scan</title><p>0.31</p>"


class Hospital:
    """A store that studies can be put into."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.app: FastAPI = hospital_app(desk)
        for role in Role:
            desk.accounts.add(role.value, role, PASSWORD, BOSS)

    def visit(self) -> TestClient:
        """Somebody in front of a browser."""
        return TestClient(
            self.app, base_url=ORIGIN, headers={"Origin": ORIGIN}, follow_redirects=False
        )

    def arrive(self, number: int, accession: str | None = None) -> int:
        """An image of a study; studies are numbered from 1."""
        uid = f"1.2.{number}"
        Arrivals(self.desk.database).add(
            Arrival(
                name=f"{number:032x}", study_uid=uid, series_uid=f"{uid}.1",
                sop_uid=f"{uid}.1.1", sop_class="1.2.840.10008.5.1.4.1.1.2",
                syntax="1.2.840.10008.1.2.1", patient_id=f"MRN-{number}",
                patient_name="DOE^JANE",
                accession=f"ACC{number}" if accession is None else accession,
                digest=f"{number:064x}", n_bytes=1, file="a.dcm", sender="CT1",
            )
        )  # fmt: skip
        return number

    def set(self, study: int, state: str, code: str = "", message: str = "") -> None:
        """Put a study into a state."""
        with self.desk.database.writing() as connection:
            values = {"state": state, "code": code, "message": message}
            connection.execute(update(JOBS).where(JOBS.c.study == study).values(**values))
            event = {"study": study, "at": now(), "kind": state, "revision": 1}
            connection.execute(insert(EVENTS).values(**event, who="", detail=code))

    def predict(self, study: int, probability: float, scan: str = "scan-1") -> None:
        """Give a study a result, with its page."""
        with self.desk.database.writing() as connection:
            row = {"study": study, "revision": 1, "scan": scan, "status": "done", "code": ""}
            connection.execute(
                insert(RESULTS).values(**row, probability=probability, model="m", made_at=now())
            )
        self.set(study, "predicted")
        folder = self.desk.root.result(f"{study:032x}", 1) / scan
        folder.mkdir(parents=True)
        (folder / "report.html").write_text(REPORT)

    def send(self, study: int, peer: str, state: str, answer: str, file: str = "a") -> None:
        """Note that an object went, or is to go, to a peer."""
        with self.desk.database.writing() as connection:
            row = {"study": study, "revision": 1, "peer": peer, "file": file, "state": state}
            connection.execute(
                insert(DELIVERIES).values(**row, attempts=1, answer=answer, changed_at=now())
            )


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords in no time: what that costs is a matter of `people/test_accounts.py`."""
    monkeypatch.setattr(
        accounts, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    root = Root.open(StorageConfig(root=tmp_path / "data", reserve_gb=0))
    with closing(Database(root.database)) as database:
        yield Hospital(Desk.of(root, database, WebConfig(upload_mb=1)))


def form_token(visitor: TestClient) -> str:
    """What the forms of a visitor's pages send along."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', visitor.get("/").text)
    assert found is not None
    return found[1]


@pytest.fixture
def log_in(hospital: Hospital) -> Callable[..., TestClient]:
    def _log_in(name: str = "reader") -> TestClient:
        visitor = hospital.visit()
        answer = visitor.post("/login", data={"name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return visitor

    return _log_in
