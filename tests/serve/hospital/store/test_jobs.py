"""Jobs: each move made once, each job held by one."""

from __future__ import annotations

from contextlib import closing

import pytest

from hemocast.serve.hospital.store.arrivals import Arrivals
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.jobs import Job, Jobs, State

from .conftest import arrival


def any_job(_job: Job) -> bool:
    return True


@pytest.fixture
def jobs(database: Database) -> Jobs:
    arrivals = Arrivals(database)
    for study in (1, 2):
        arrivals.add(arrival(study))
    found = Jobs(database)
    for job in found.all():
        found.move(job, State.SETTLED)
    return found


def test_a_move_from_what_has_changed_meanwhile_is_not_made(jobs: Jobs) -> None:
    job = jobs.get(1)
    read = jobs.move(job, State.READ, model="m")
    assert read == jobs.get(1)
    assert (read.state, read.model) == (State.READ, "m")
    assert jobs.move(job, State.REFUSED) is None
    assert jobs.attempt(job) is None
    assert jobs.get(1) == read


def test_what_fails_within_a_move_undoes_it(jobs: Jobs) -> None:
    def fail(_connection: object) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        jobs.move(jobs.get(1), State.READ, also=[fail])
    assert jobs.get(1).state is State.SETTLED


def test_one_holds_a_job_and_another_takes_the_next(jobs: Jobs, database_url: str) -> None:
    others = [jobs]
    with closing(Database(database_url)) as database:
        if not database.is_sqlite:  # there one process alone works
            others.append(Jobs(database))
        for other in others:
            with jobs.claim(any_job, State.SETTLED) as one:
                with (
                    other.claim(any_job, State.SETTLED) as two,
                    other.claim(any_job, State.SETTLED) as three,
                ):
                    assert [job and job.study for job in (one, two, three)] == [1, 2, None]
                # Images of a study that is held go on arriving.
                Arrivals(database).add(arrival(3))
            with other.claim(any_job, State.SETTLED) as again:
                assert again == one
            database_jobs = Jobs(database)
            database_jobs.move(database_jobs.get(3), State.FAILED)
            Arrivals(database).add(arrival(3, 2))


def test_only_what_is_ready_and_in_the_state_is_claimed(jobs: Jobs) -> None:
    with jobs.claim(lambda job: job.study == 2, State.SETTLED) as job:
        assert job is not None
        assert job.study == 2
    with jobs.claim(any_job, State.READ) as job:
        assert job is None


def test_the_senders_and_files_of_a_study_are_known(jobs: Jobs) -> None:
    assert jobs.senders(1) == ["CT1"]
    assert jobs.files(1) == ["1.dcm"]


def test_a_note_keeps_why(jobs: Jobs) -> None:
    begun = jobs.attempt(jobs.get(1))
    jobs.note(begun, "HC008", "ended")
    job = jobs.get(1)
    assert (job.attempts, job.code, job.message) == (1, "HC008", "ended")
    jobs.note(jobs.move(job, State.READ), "", "")
    jobs.note(job, "HC999", "too late")
    assert jobs.get(1).message == ""
