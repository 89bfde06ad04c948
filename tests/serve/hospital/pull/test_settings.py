"""What is asked for: of one source, under a name of its own."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hemocast.serve.hospital.pull.settings import PullConfig, Query


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"peer": "p", "web": "https://h/dicom-web"},
        {"web": "file:///x"},
        {"peer": "p", "by": "post"},
        {"peer": "p", "every_s": 1},
        {"peer": "p", "hours": 0},
    ],
)
def test_a_query_that_cannot_be_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Query(name="q", **given)


def test_every_query_has_its_own_name() -> None:
    query = Query(name="q", peer="p")
    assert (query.by, query.hours, query.every_s) == ("move", 1.0, None)
    with pytest.raises(ValidationError, match="its own name"):
        PullConfig(queries=(query, query))
