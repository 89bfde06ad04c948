"""The worker: one result a revision, attempts bounded, late images replace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hemocast.errors import NoHeadSeries, WorkerDied
from hemocast.serve.hospital.analyst import Looked
from hemocast.serve.hospital.service import Office
from hemocast.serve.hospital.settings import JobsConfig, Rule
from hemocast.serve.hospital.settle import Settler
from hemocast.serve.hospital.store.events import events
from hemocast.serve.hospital.store.jobs import State
from hemocast.serve.hospital.store.results import results
from hemocast.serve.hospital.worker import Worker

Study = Callable[..., list[Path]]


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(office: Office, analyst: object, clock: Clock) -> Worker:
    return Worker(
        office.jobs, office.root, analyst, JobsConfig(attempts=3, backoff_s=10), clock=clock
    )


@pytest.fixture
def settled(
    office: Office, take: Callable[[list[Path]], list[str]], small_study: Study, tmp_path: Path
) -> Callable[[], None]:
    take(small_study(tmp_path / "s", "P1"))

    def _settle() -> None:
        Settler(office.jobs, JobsConfig(settle_s=0)).look()

    _settle()
    return _settle


def state(office: Office) -> tuple[State, int]:
    job = office.jobs.get(1)
    return job.state, job.attempts


def test_a_study_is_read_predicted_and_its_result_kept_once(
    office: Office, worker: Worker, settled: object, analyst
) -> None:
    assert worker.work()
    assert not worker.work()
    assert state(office) == (State.REFUSED, 0)
    assert analyst.seen == [3]
    kept = office.root.result(office.jobs.get(1).name, 1)
    assert [path.name for path in kept.rglob("*.*")] == ["report.html"]
    assert [(one.scan, one.code) for one in results(office.database, 1)] == [("scan-1", "HC205")]
    moves = [event.kind for event in events(office.database, 1)]
    assert moves == ["received", "settled", "read", "refused"]
    assert list(office.root.work.iterdir()) == []


def test_what_fails_is_tried_again_later_and_at_last_waits_for_a_person(
    office: Office, worker: Worker, settled: object, analyst, clock: Clock
) -> None:
    analyst.faults = [WorkerDied("Ended", "life", "Wait"), KeyError("secret"), ValueError("x")]
    worker.work()
    assert state(office) == (State.READ, 1)
    assert office.jobs.get(1).code == "HC008"
    assert not worker.work()
    clock.seconds += 10
    worker.work()
    assert state(office) == (State.READ, 2)
    assert "secret" not in office.jobs.get(1).message
    assert not worker.work()
    clock.seconds += 19
    assert not worker.work()
    clock.seconds += 1
    worker.work()
    worker.work()
    assert state(office)[0] is State.FAILED
    assert office.jobs.get(1).code == "HC999"
    assert results(office.database, 1) == []


def test_a_study_that_ends_the_service_does_not_do_so_for_ever(
    office: Office, settled: object, clock: Clock, analyst
) -> None:
    def ended() -> None:
        raise SystemExit

    analyst.during = ended
    for _ in range(3):
        again = Worker(
            office.jobs, office.root, analyst, JobsConfig(attempts=3, backoff_s=0), clock=clock
        )
        with pytest.raises(SystemExit):
            again.work()
    assert again.work()
    assert state(office)[0] is State.FAILED
    assert office.jobs.get(1).code == "HC008"


def test_late_images_during_the_work_make_its_result_void(
    office: Office,
    worker: Worker,
    settled: Callable[[], None],
    analyst,
    take: Callable[[list[Path]], list[str]],
    small_study: Study,
    tmp_path: Path,
) -> None:
    late = small_study(tmp_path / "s", "P1", 1, 2)
    analyst.during = lambda: take(late)
    worker.work()
    assert state(office) == (State.RECEIVED, 0)
    name = office.jobs.get(1).name
    assert not office.root.result(name, 1).exists()
    analyst.during = int
    settled()
    worker.work()
    assert analyst.seen == [3, 4]
    assert office.root.result(name, 2).is_dir()
    assert [one.revision for one in results(office.database, 1)] == [2]


def test_a_study_without_a_scan_or_by_a_rule_is_refused_with_its_reason(
    office: Office, analyst, settled: Callable[[], None], clock: Clock
) -> None:
    refusal = NoHeadSeries("Only localizers", "a head", "Send it")
    analyst.looked = Looked(0, (refusal,))
    Worker(office.jobs, office.root, analyst, JobsConfig(), clock=clock).work()
    job = office.jobs.get(1)
    assert (job.state, job.code, job.message) == (State.REFUSED, "HC201", str(refusal))
    assert analyst.seen == []


def test_a_rule_skips_a_study_before_it_is_looked_at(
    office: Office, analyst, settled: object, clock: Clock
) -> None:
    rules = [Rule(body_part=("HEAD",), skip="not today")]
    Worker(office.jobs, office.root, analyst, JobsConfig(), rules, clock=clock).work()
    job = office.jobs.get(1)
    assert (job.state, job.code, job.message) == (State.REFUSED, "rule", "not today")


def test_a_rule_chooses_the_model(office: Office, analyst, settled: object, clock: Clock) -> None:
    rules = [Rule(age_from=70, model=Path("/models/old"))]
    Worker(office.jobs, office.root, analyst, JobsConfig(), rules, clock=clock).work()
    assert office.jobs.get(1).model == "/models/old"
