"""The first schema: what it refuses by itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from hemocast.errors import StoreError
from hemocast.serve.hospital.store.arrivals import Arrival, Arrivals
from hemocast.serve.hospital.store.database import Database


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE hospital_jobs SET state = 'lost'",
        "UPDATE hospital_jobs SET study = 99",
        "UPDATE hospital_jobs SET pixels = 2",
        "INSERT INTO hospital_studies (name, study_uid, patient_id, patient_name, accession, "
        "created_at) VALUES ('n', '1.1', '', '', '', '')",
    ],
)
def test_what_cannot_be_is_refused(
    database: Database, make_arrival: Callable[..., Arrival], change: str
) -> None:
    Arrivals(database).add(make_arrival())
    with pytest.raises(StoreError), database.writing() as connection:
        connection.execute(text(change))
