"""Results: one of each scan and revision."""

from __future__ import annotations

import pytest

from hemocast.errors import StoreError
from hemocast.serve.hospital.store.arrivals import Arrivals
from hemocast.serve.hospital.store.database import Database
from hemocast.serve.hospital.store.results import Result, add_results, results

from .conftest import arrival


def test_a_result_is_kept_once(database: Database) -> None:
    Arrivals(database).add(arrival())
    given = [
        Result(1, 1, "scan-1", "done", "", 0.25, "m" * 64),
        Result(1, 1, "-1", "refused", "HC203", None, ""),
    ]
    with database.writing() as connection:
        add_results(connection, given)
    kept = results(database, 1)
    assert [(one.scan, one.probability, one.code) for one in kept] == [
        ("scan-1", 0.25, ""),
        ("-1", None, "HC203"),
    ]
    with pytest.raises(StoreError), database.writing() as connection:
        add_results(connection, given)
    assert results(database, 1) == kept
