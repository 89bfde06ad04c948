"""A study served in this process: who visits it, and what an answer looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from hemocast.readers.study.folder import Study

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from httpx import Response

ADDRESS = "http://127.0.0.1:8765"


def use(visitor: TestClient, token: str, **more: object) -> Response:
    """Press the button behind a personal link."""
    return visitor.post(f"/r/{token}", json=more, headers={"X-Hemocast-Reading": "1"})


@pytest.fixture(name="use")
def _use() -> Callable[..., Response]:
    """Return the function that presses the button behind a personal link."""
    return use


@pytest.fixture
def client() -> Callable[[Study], TestClient]:
    """Return a function that gives a browser without a link."""
    from fastapi.testclient import TestClient

    from hemocast.serve.reading.address import read_address
    from hemocast.serve.reading.app import reading_app

    def _client(study: Study) -> TestClient:
        app = reading_app(study, read_address(ADDRESS))
        return TestClient(app, base_url=ADDRESS, raise_server_exceptions=False)

    return _client


@pytest.fixture
def enter(client: Callable[[Study], TestClient]) -> Callable[..., TestClient]:
    """Return a function that opens a reader's personal link."""

    def _enter(study: Study, reader: str = "R1") -> TestClient:
        made = client(study)
        assert use(made, study.store.new_token(reader)).status_code == 200
        return made

    return _enter


@pytest.fixture
def whole() -> Callable[..., dict[str, object]]:
    """Return a function that gives a complete answer, as the page sends it, with changes."""

    def _whole(**more: object) -> dict[str, object]:
        return {
            "answer_id": str(uuid4()),
            "probability": 0.4,
            "decision": 0,
            "confidence": 2,
            "regions": [],
            "seconds": 3.5,
            "final": True,
        } | more

    return _whole


@pytest.fixture
def current() -> Callable[[TestClient], str]:
    """Return a function that tells the key of the case a reader is at."""

    def _current(reader: TestClient) -> str:
        return str(reader.get("/api/state").json()["current"])

    return _current


@pytest.fixture
def study(new_study: Callable[..., Study]) -> Study:
    """Make a study of one arm, ten cases, two readers."""
    return new_study()


@pytest.fixture
def reader(study: Study, enter: Callable[..., TestClient]) -> Iterator[TestClient]:
    """Give the first reader, signed in."""
    with enter(study) as made:
        yield made
