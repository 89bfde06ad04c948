"""The whole service: studies sent at once, a kill at any moment, nothing told outside."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pydicom import dcmread

from hemocast.errors import StoreError
from hemocast.serve.hospital.service import Office
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.events import events
from hemocast.serve.hospital.store.jobs import State
from hemocast.serve.hospital.store.results import results

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


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_nothing_of_a_patient_is_in_a_log_an_event_or_a_name(
    serve: Serve,
    dcmtk: Dcmtk,
    small_study: Study,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    planted = {
        "patient_name": "PLANTED^ONE", "accession_number": "PLANTED2",
        "study_description": "PLANTED3", "series_description": "PLANTED4",
        "institution": "PLANTED5", "image_comments": "PLANTED6",
    }  # fmt: skip
    images = small_study(tmp_path / "s", "PLANTED0", 3, **planted)
    broken = dcmread(images[0])
    broken.SeriesInstanceUID = "1.2.PLANTED7"
    broken.save_as(images[0])
    words = ["PLANTED"] + [
        str(dcmread(image)[tag].value)
        for image in images[1:]
        for tag in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    ]
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    with serve() as service:
        dcmtk("storescu", service.port, "-nh", *images)
        service.wait_done(1)
        told = [str(event) for event in events(service.office.database)]
        told += [str(job) for job in service.office.jobs.all()]
        told += [str(path) for path in service.office.root.folder.rglob("*")]
        database = service.office.database
    told += [record.getMessage() for record in caplog.records] + [caplog.text, repr(database)]
    assert [word for word in words if any(word in one for one in told)] == []


def test_an_office_is_opened_without_a_service(office: Office) -> None:
    assert office.jobs.all() == []
    assert (office.root.folder / "hospital.sqlite3").stat().st_mode & 0o777 == 0o600
