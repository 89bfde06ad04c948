"""Which images are here, and what a list of them says of a study's number."""

from __future__ import annotations

import pytest

from hemocast.serve.hospital.store.arrivals import Arrivals
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.holdings import Held, Holdings
from hemocast.serve.hospital.store.jobs import Jobs

from .conftest import arrival


@pytest.fixture
def holdings(database: Database) -> Holdings:
    arrivals = Arrivals(database)
    for study, image in ((1, 1), (1, 2), (2, 1)):
        arrivals.add(arrival(study, image))
    return Holdings(database)


def test_what_is_here_is_known_by_study_and_by_image(holdings: Holdings) -> None:
    assert holdings.of("1.1") == Held(True, {"1.1.1": 2})
    assert holdings.of("1.3") is None
    assert holdings.classes(["1.1.1.1", "1.9"]) == {"1.1.1.1": {"1.2"}}
    assert holdings.patient_of(2) == "P2"
    assert holdings.patients("2000") == ["P1", "P2"]
    assert holdings.patients("3000") == []


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (["1.1.1.1", "1.1.1.2", "1.1.1.3"], [3, None]),  # one is to come
        (["1.1.1.1", "1.1.1.2", "1.2.1.1"], [2, 1]),
        (["1.1.1.1", "1.2.1.1"], [None, 1]),  # of the first, a part alone
        (["1.1.1.1", "1.1.1.2", "1.2.1.1", "1.9"], [None, None]),  # of which study?
        (["1.9"], [None, None]),
        ([f"1.8.{n}" for n in range(1200)] + ["1.2.1.1"], [None, 1201]),
    ],
)
def test_a_list_tells_of_a_study_when_it_holds_all_that_is_here(
    holdings: Holdings, database: Database, listed: list[str], expected: list[int | None]
) -> None:
    holdings.expect_these(listed)
    assert [job.expected for job in Jobs(database).all()] == expected


def test_a_number_is_kept_for_its_study_alone(holdings: Holdings, database: Database) -> None:
    holdings.expect("1.2", 40)
    assert [job.expected for job in Jobs(database).all()] == [None, 40]
