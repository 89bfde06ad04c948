"""Several services on one PostgreSQL: no study twice, and what one leaves another takes over."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy import create_engine, text

from hemocast.errors import InUse
from hemocast.serve.hospital.root import Root
from hemocast.serve.hospital.service import Office, opened
from hemocast.serve.hospital.settings import HospitalConfig, StorageConfig, read_settings
from hemocast.serve.hospital.store.events import events
from hemocast.serve.hospital.store.jobs import State
from hemocast.serve.hospital.store.results import results

from .conftest import Service

SERVED = Path(__file__).with_name("served.py")
PG = "postgresql://a@b/c"


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
        second, other, _ = start("b")
        patients = [f"P{n}" for n in range(16)]
        for patient in patients:
            images = small_study(tmp_path / "s", patient)
            # One image over the one node, the others over the other.
            assert dcmtk("storescu", port, images[0]).returncode == 0
            assert dcmtk("storescu", other, *images[1:]).returncode == 0
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


def jobs_done(jobs: list[object]) -> int:
    return sum(job.state is State.REFUSED for job in jobs)


def test_members_share_a_root_and_each_name_is_there_once(tmp_path: Path) -> None:
    def member(name: str) -> Root:
        return Root.open(StorageConfig(root=tmp_path / "data", database=PG, member=name))

    one, other = member("one"), member("other")
    assert one.key == other.key
    (other.incoming / "half").write_text("x")
    with one.held(), other.held():
        assert list(other.incoming.glob("half")) == []
        (other.incoming / "half").write_text("x")
        with pytest.raises(InUse), member("one").held():
            pass
        assert (other.incoming / "half").exists()
    shutil.rmtree(tmp_path / "data")


def test_an_sqlite_file_has_one_service() -> None:
    with pytest.raises(ValidationError, match="PostgreSQL"):
        HospitalConfig.model_validate({"storage": {"member": "one"}})
