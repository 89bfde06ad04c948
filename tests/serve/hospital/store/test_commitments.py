"""Requests to keep objects: each answered once, whatever comes after."""

from __future__ import annotations

from functools import partial

from hemocast.serve.hospital.store.arrivals import Arrivals
from hemocast.serve.hospital.store.commitments import Commitments
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.deliveries import Deliveries, add_deliveries
from hemocast.serve.hospital.store.jobs import Jobs, State

from .conftest import arrival


def test_the_first_answer_holds_until_it_is_acted_on(database: Database) -> None:
    Arrivals(database).add(arrival(1, 1))
    jobs, deliveries, commitments = Jobs(database), Deliveries(database), Commitments(database)
    also = partial(add_deliveries, job=jobs.get(1), peers=["pacs"], files=["a", "b"])
    jobs.move(jobs.get(1), State.PREDICTED, also=[also])
    first, second = deliveries.all()
    commitments.add("1.1", first, "1.2", "1.2.1")
    commitments.add("1.2", second, "1.2", "1.2.2")
    commitments.answer("1.1", False, "x" * 100)
    commitments.answer("1.1", True, "committed")
    assert commitments.get("1.1") is None
    assert commitments.get("1.2").sop_uid == "1.2.2"
    assert [(one.delivery, one.kept, one.answer) for one in commitments.all()] == [
        (first, False, "x" * 80),
        (second, None, ""),
    ]
    deliveries.mark(first, "sent", "committed", request="1.1")
    assert [one.request for one in commitments.all()] == ["1.2"]
