"""What is not here is fetched, once; the service asks by itself where the settings say so."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from pydicom import dcmread

from hemocast.errors import PeerRefused
from hemocast.serve.hospital.pull.puller import Pulled, Puller
from hemocast.serve.hospital.pull.settings import Query
from hemocast.serve.hospital.pull.wanted import FoundSeries, FoundStudy, Wanted
from hemocast.serve.hospital.retention import retire
from hemocast.serve.hospital.service import Office
from hemocast.serve.hospital.store.holdings import Holdings
from hemocast.serve.hospital.store.jobs import State

Study = Callable[..., list[Path]]
QUERY = Query(name="q", peer="pacs")


@dataclass
class FakePacs:
    """Has studies; what it is asked for, it gives or not."""

    studies: list[FoundStudy] = field(default_factory=list)
    give: Callable[[FoundStudy], object] = lambda _study: None
    fetched: list[FoundStudy] = field(default_factory=list)

    def find(self, _wanted: Wanted) -> list[FoundStudy]:
        return self.studies

    def fetch(self, study: FoundStudy) -> None:
        self.fetched.append(study)
        self.give(study)


def found(images: list[Path]) -> FoundStudy:
    first = dcmread(images[0])
    series = FoundSeries(str(first.SeriesInstanceUID), len(images))
    return FoundStudy(str(first.StudyInstanceUID), (series,))


def test_the_series_that_are_not_wholly_here_are_fetched(
    office: Office, take: Callable[..., object], small_study: Study, tmp_path: Path
) -> None:
    one, two = (small_study(tmp_path / "s", "P1", 2, series) for series in (1, 2))
    take([*one, two[0]])
    whole = FoundStudy(found(one).uid, found(one).series + found(two).series)
    pacs = FakePacs([whole], lambda _: take(two))
    puller = Puller(QUERY, pacs, Holdings(office.database))
    assert puller.pull([Wanted()]) == Pulled(1, 1, 0)
    assert pacs.fetched == [found(two)]
    assert (office.jobs.get(1).images, office.jobs.get(1).expected) == (4, 4)
    assert puller.pull([Wanted()]) == Pulled(1, 0, 0)


def test_what_was_given_or_deleted_is_not_fetched_again(
    office: Office, take: Callable[..., object], small_study: Study, tmp_path: Path
) -> None:
    images = small_study(tmp_path / "s", "P1", 2)
    pacs = FakePacs([found(images)], lambda _: take(images[:1]))  # the other is no good image
    puller = Puller(QUERY, pacs, Holdings(office.database))
    assert [puller.pull([Wanted()]).fetched for _ in range(2)] == [1, 0]
    job = office.jobs.move(office.jobs.get(1), State.FAILED)
    retire(office.database, office.root, job, "test")
    assert Puller(QUERY, pacs, Holdings(office.database)).pull([Wanted()]) == Pulled(1, 0, 0)


def test_what_cannot_be_given_costs_its_study_and_is_tried_again(
    office: Office, take: Callable[..., object], small_study: Study, tmp_path: Path
) -> None:
    bad, good = small_study(tmp_path / "s", "P1", 1), small_study(tmp_path / "s", "P2", 1)

    def give(study: FoundStudy) -> None:
        if study == found(bad):
            raise PeerRefused("It has lost it", "it", "Ask")
        take(good)

    pacs = FakePacs([found(bad), found(good)], give)
    puller = Puller(QUERY, pacs, Holdings(office.database))
    assert puller.pull([Wanted()]) == Pulled(2, 1, 1)
    assert puller.pull([Wanted()]) == Pulled(2, 0, 1)
    assert puller.pull([Wanted()], lambda: False) == Pulled(0, 0, 0)


def test_a_query_may_ask_for_the_patients_who_are_here(
    office: Office, take: Callable[..., object], small_study: Study, tmp_path: Path
) -> None:
    take([*small_study(tmp_path / "s", "P1", 1), *small_study(tmp_path / "s", "P2", 1)])
    query = Query(name="q", peer="pacs", hours=24, body_part=["HEAD"], patients_days=3)
    wanted = Puller(query, FakePacs(), Holdings(office.database)).wanted(datetime(2026, 3, 2))
    since, words = datetime(2026, 3, 1), ("HEAD",)
    assert wanted == [Wanted(since, patient=one, body_part=words) for one in ("P1", "P2")]


@pytest.mark.filterwarnings("error")
def test_the_service_asks_by_itself_while_a_peer_is_away(
    serve: Callable[..., AbstractContextManager[object]],
    pacs: object,
    small_study: Study,
    tmp_path: Path,
) -> None:
    pacs.take(*small_study(tmp_path / "s", "POLLED", 2))
    queries = [
        {"name": "heads", "peer": "pacs", "by": "get", "hours": None, "every_s": 5},
        {"name": "away", "web": "http://127.0.0.1:1/x", "every_s": 5},
    ]
    jobs = {"settle_s": 3600, "told_s": 0}
    delivery = {"peers": [pacs.as_peer()]}
    with serve(delivery=delivery, jobs=jobs, pull={"queries": queries}) as service:
        pacs.know(service.port)
        assert service.wait_done(1)[0].images == 2
